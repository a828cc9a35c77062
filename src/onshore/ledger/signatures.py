"""Ed25519 verification in plain Python (RFC 8032 §5.1), so that a verifier needs nothing but Python."""

from functools import cache
from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, P) % P
_BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, P) % P)
_ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
_BASE_BITS = 8
_KEY_BITS = 5

# Extended homogeneous coordinates (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032 §5.1.4).
_Point = tuple[int, int, int, int]
# A point made ready for adding: (Y - X, Y + X, 2*Z, 2*d*T).
_Ready = tuple[int, int, int, int]
_NOTHING: _Point = (0, 1, 1, 0)


def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) by the key `public` (32 bytes) holds over the message.

    Strict: S below the group's order, the key's point in its one encoding, R compared as bytes, no cofactor
    (RFC 8032 §5.1.7).
    """
    if len(public) != 32 or len(signature) != 64:
        return False
    key, s = _decoded(public), int.from_bytes(signature[32:], "little")
    if key is None or s >= ORDER:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    x, y, z, t = key
    minus_key = (P - x, y, z, P - t)
    return _encoded(_combined(s, challenge, minus_key)) == signature[:32]


def _combined(s: int, k: int, point: _Point) -> _Point:
    """s*B + k*point, doubling once for both (Straus), over signed sliding windows."""
    base_digits, point_digits = _windows(s, _BASE_BITS), _windows(k, _KEY_BITS)
    base_odd, point_odd = _base_odd(), _odd_multiples(point, _KEY_BITS)
    total = _NOTHING
    for i in range(max(len(base_digits), len(point_digits)) - 1, -1, -1):
        total = _doubled(total)
        for digits, odd in ((base_digits, base_odd), (point_digits, point_odd)):
            if i < len(digits) and (digit := digits[i]):
                total = _added(total, odd[digit >> 1] if digit > 0 else _minus(odd[-digit >> 1]))
    return total


def _windows(scalar: int, bits: int) -> list[int]:
    """Signed odd digits, lowest first, at least `bits` places apart (w-NAF)."""
    digits = []
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & ((1 << bits) - 1)
            digit -= (digit >> (bits - 1)) << bits
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def _odd_multiples(point: _Point, bits: int) -> list[_Ready]:
    """1, 3, 5 … times the point, as many as windows of `bits` need."""
    twice, odd = _ready(_doubled(point)), [point]
    for _ in range((1 << (bits - 2)) - 1):
        odd.append(_added(odd[-1], twice))
    return [_ready(p) for p in odd]


@cache
def _base_odd() -> list[_Ready]:
    return _odd_multiples((*_BASE, 1, _BASE[0] * _BASE[1] % P), _BASE_BITS)


def _ready(p: _Point) -> _Ready:
    x, y, z, t = p
    return (y - x) % P, (y + x) % P, 2 * z % P, 2 * _D * t % P


def _minus(p: _Ready) -> _Ready:
    return p[1], p[0], p[2], -p[3]


def _added(p: _Point, q: _Ready) -> _Point:
    x, y, z, t = p
    a, b, c, d = (y - x) * q[0] % P, (y + x) * q[1] % P, t * q[3] % P, z * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _doubled(p: _Point) -> _Point:
    x, y, z, _ = p
    a, b = x * x % P, y * y % P
    h = a + b
    e, g = h - (x + y) * (x + y) % P, a - b
    f = 2 * z * z % P + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _encoded(p: _Point) -> bytes:
    x, y, z, _ = p
    inverse = pow(z, -1, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def _decoded(raw: bytes) -> _Point | None:
    """The point of a canonical encoding, or None (RFC 8032 §5.1.3)."""
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (_D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * _ROOT_OF_MINUS_ONE % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P
