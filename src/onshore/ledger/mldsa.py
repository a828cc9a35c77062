"""ML-DSA-44 verification in plain Python (FIPS 204), so that a verifier needs nothing but Python."""

from collections.abc import Sequence
from functools import cache, lru_cache
from hashlib import shake_128, shake_256
from itertools import pairwise
from typing import NamedTuple

PUBLIC, SIGNATURE = 1312, 2420
"""Bytes of a key and of a signature (FIPS 204 §4, table 2)."""

Q = 8_380_417
_ROOT = 1753
_N, _K, _L = 256, 4, 4
_TAU, _BETA, _OMEGA = 39, 78, 80
_GAMMA1, _GAMMA2 = 1 << 17, (Q - 1) // 88
_DROPPED = 13
_STEPS = (Q - 1) // (2 * _GAMMA2)
_CHALLENGE, _Z = 32, 576
_BALL, _ROW = 1024, 1344
# FIPS 204 appendix C bounds what sampling draws: 221 bytes for a challenge, 894 for a polynomial suffice but for a
# chance of 2**-256. These are more.
_KEYS = 32

_Poly = Sequence[int]


class _Key(NamedTuple):
    """What a public key is spread out to, once: its matrix, minus its t1, both transformed; its hash."""

    matrix: tuple[tuple[_Poly, ...], ...]
    minus_t: tuple[_Poly, ...]
    digest: bytes


def mldsa44(public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
    """Whether `signature` (2420 bytes) by the key `public` (1312 bytes) holds over the message.

    Pure ML-DSA, hedged or not (FIPS 204 algorithm 3); `context`: at most 255 bytes. Strict: the hint in its one
    spelling (algorithm 21), the response within its bound, all lengths exact.
    """
    if len(context) > 255:
        return False
    return holds(public, bytes([0, len(context)]) + context + message, signature)


def holds(public: bytes, formatted: bytes, signature: bytes) -> bool:
    """Whether a signature holds over a message with its domain and context before it (FIPS 204 algorithm 8)."""
    if len(public) != PUBLIC or len(signature) != SIGNATURE:
        return False
    said, rest = signature[:_CHALLENGE], signature[_CHALLENGE:]
    answer = [_unpacked(rest[at : at + _Z]) for at in range(0, _L * _Z, _Z)]
    hints = _hints(rest[_L * _Z :])
    if hints is None or max(max(map(abs, z)) for z in answer) >= _GAMMA1 - _BETA:
        return False
    key = _spread(public)
    mu = shake_256(key.digest + formatted).digest(64)
    c, z = _forth(_ball(said)), [_forth(poly) for poly in answer]
    found = shake_256(mu)
    for row, t, hint in zip(key.matrix, key.minus_t, hints, strict=True):
        found.update(_high(_back(_row(row, z, c, t)), hint))
    return found.digest(_CHALLENGE) == said


@lru_cache(maxsize=_KEYS)
def _spread(public: bytes) -> _Key:
    rho, t1 = public[:32], public[32:]
    matrix = tuple(tuple(_sampled(rho + bytes([s, r])) for s in range(_L)) for r in range(_K))
    bits = [int.from_bytes(t1[at : at + 5], "little") for at in range(0, len(t1), 5)]
    high = [(four >> shift & 0x3FF) << _DROPPED for four in bits for shift in (0, 10, 20, 30)]
    minus_t = tuple([-x for x in _forth(high[at : at + _N])] for at in range(0, _K * _N, _N))
    return _Key(matrix, minus_t, shake_256(public).digest(64))


def _sampled(seed: bytes) -> _Poly:
    """A polynomial of the matrix, in the transformed domain (algorithm 30)."""
    drawn = shake_128(seed).digest(_ROW)
    tries = (int.from_bytes(drawn[at : at + 3], "little") & 0x7FFFFF for at in range(0, _ROW, 3))
    return [x for x in tries if x < Q][:_N]


def _ball(seed: bytes) -> list[int]:
    """The challenge: 39 coefficients of 1 or -1, all others 0 (algorithm 29)."""
    drawn = shake_256(seed).digest(_BALL)
    signs, places = int.from_bytes(drawn[:8], "little"), iter(drawn[8:])
    c = [0] * _N
    for i in range(_N - _TAU, _N):
        at = next(place for place in places if place <= i)
        c[i], c[at] = c[at], 1 - 2 * (signs & 1)
        signs >>= 1
    return c


def _unpacked(packed: bytes) -> list[int]:
    """A polynomial of the response: 18 bits a coefficient, counted down from gamma1 (algorithm 19)."""
    fours = [int.from_bytes(packed[at : at + 9], "little") for at in range(0, _Z, 9)]
    return [_GAMMA1 - (four >> shift & 0x3FFFF) for four in fours for shift in (0, 18, 36, 54)]


def _hints(packed: bytes) -> list[bytes] | None:
    """The places of the hints of each row, or None where they are not in their one spelling (algorithm 21)."""
    ends, rows, start = packed[_OMEGA:], [], 0
    for end in ends:
        if not start <= end <= _OMEGA:
            return None
        rows.append(packed[start:end])
        start = end
    rising = all(a < b for row in rows for a, b in pairwise(row))
    return rows if rising and not any(packed[start:_OMEGA]) else None


def _row(row: Sequence[_Poly], z: Sequence[_Poly], c: _Poly, minus_t: _Poly) -> list[int]:
    """A row of A*z - c*t1*2**13, transformed."""
    columns = zip(*row, *z, c, minus_t, strict=True)
    return [(a0 * z0 + a1 * z1 + a2 * z2 + a3 * z3 + x * t) % Q for a0, a1, a2, a3, z0, z1, z2, z3, x, t in columns]


def _high(w: Sequence[int], hint: bytes) -> bytes:
    """The high bits of a row, put right by its hint, six bits each (algorithms 28, 36, 40)."""
    ones = [(x + _GAMMA2 - 1) // (2 * _GAMMA2) % _STEPS for x in w]
    for at in hint:
        # The low part is above 0 where w lies above its multiple of 2*gamma2; q - 1 counts as 0 - 1 (algorithm 36).
        above = 0 < w[at] - 2 * _GAMMA2 * ones[at] <= _GAMMA2
        ones[at] = (ones[at] + (1 if above else -1)) % _STEPS
    fours = zip(ones[::4], ones[1::4], ones[2::4], ones[3::4], strict=True)
    return b"".join([(a | b << 6 | c << 12 | d << 18).to_bytes(3, "little") for a, b, c, d in fours])


@cache
def _turns() -> list[list[int]]:
    """The factors of each of the eight rounds (FIPS 204 appendix B), one for each of 128 pairs."""
    powers = [pow(_ROOT, int(f"{i:08b}"[::-1], 2), Q) for i in range(_N)]
    return [[powers[(1 << level) + i % (1 << level)] for i in range(_N // 2)] for level in range(8)]


@cache
def _turns_back() -> list[list[int]]:
    return [[pow(x, -1, Q) for x in turns] for turns in reversed(_turns())]


def _forth(poly: _Poly) -> list[int]:
    """The number-theoretic transform (algorithm 41), its pairs always 128 apart, so that a round is one line."""
    row = list(poly)
    for turns in _turns():
        low = row[:128]
        high = [x * turn % Q for x, turn in zip(row[128:], turns, strict=True)]
        row[::2] = [x + y for x, y in zip(low, high, strict=True)]
        row[1::2] = [x - y for x, y in zip(low, high, strict=True)]
    return row


def _back(poly: _Poly) -> list[int]:
    """Its inverse (algorithm 42), each coefficient from 0 to q - 1."""
    row = list(poly)
    for turns in _turns_back():
        low, high = row[::2], row[1::2]
        row[:128] = [x + y for x, y in zip(low, high, strict=True)]
        row[128:] = [(x - y) * turn % Q for x, y, turn in zip(low, high, turns, strict=True)]
    scale = pow(_N, -1, Q)
    return [x * scale % Q for x in row]
