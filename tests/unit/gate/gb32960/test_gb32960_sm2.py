"""SM2 against the example of GM/T 0003.5-2012, annex A, and against signatures made here."""

import random

import pytest

from onshore.gate.gb32960 import sm2

PRIVATE = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
PUBLIC = sm2.Point(
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
MESSAGE = b"message digest"
R = 0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
S = 0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA


def times(number, point=sm2.G):
    """A multiple of a point, plainly: affine, bit by bit."""
    found = None
    for bit in f"{number:b}":
        found = plus(found, found)
        if bit == "1":
            found = plus(found, point)
    return found


def plus(one, other):
    if one is None or other is None:
        return other if one is None else one
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % sm2.P == 0:
        return None
    slope = (3 * x1 * x1 + sm2.A) * pow(2 * y1, -1, sm2.P) if one == other else (y2 - y1) * pow(x2 - x1, -1, sm2.P)
    x3 = (slope * slope - x1 - x2) % sm2.P
    return sm2.Point(x3, (slope * (x1 - x3) - y1) % sm2.P)


def signed(private, nonce, message, name=sm2.DEFAULT_ID):
    key, point = times(private), times(nonce)
    e = int.from_bytes(sm2.digest(key, message, name), "big")
    r = (e + point.x) % sm2.N
    return key, r, pow(1 + private, -1, sm2.N) * (nonce - r * private) % sm2.N


def test_the_example_of_the_standard():
    assert times(PRIVATE) == PUBLIC
    assert sm2.digest(PUBLIC, MESSAGE).hex() == "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
    assert sm2.verify(PUBLIC, MESSAGE, R, S)


@pytest.mark.parametrize(
    ("message", "r", "s"),
    [
        (b"message digesT", R, S),
        (MESSAGE, R + 1, S),
        (MESSAGE, R, S - 1),
        (MESSAGE, S, R),
        (MESSAGE, 0, S),
        (MESSAGE, R, 0),
        (MESSAGE, R + sm2.N, S),
        (MESSAGE, R, S + sm2.N),
        (MESSAGE, R, sm2.N - R),
    ],
)
def test_whatever_is_altered_does_not_verify(message, r, s):
    assert not sm2.verify(PUBLIC, message, r, s)


def test_another_name_or_key_does_not_verify():
    assert not sm2.verify(PUBLIC, MESSAGE, R, S, b"somebody else")
    assert not sm2.verify(sm2.G, MESSAGE, R, S)


def test_signatures_of_many_keys_and_messages():
    dice = random.Random(32918)
    for size in (0, 1, 64, 300):
        key, r, s = signed(dice.randrange(1, sm2.N - 1), dice.randrange(1, sm2.N), dice.randbytes(size), b"LTEST")
        assert sm2.on_curve(key)
        dice_again = random.Random(size)
        assert not sm2.verify(key, dice_again.randbytes(size + 1), r, s, b"LTEST")
    key, r, s = signed(5, 7, b"abc", b"LTEST")
    assert sm2.verify(key, b"abc", r, s, b"LTEST")


@pytest.mark.parametrize("private", [1, 2, 3, sm2.N - 2])
def test_keys_whose_multiples_meet_those_of_the_base_point(private):
    """The sum then adds a point to itself, or to its opposite."""
    for nonce in (1, 2, 3, sm2.N - 1):
        key, r, s = signed(private, nonce, MESSAGE)
        assert sm2.verify(key, MESSAGE, r, s) == (0 not in {r, s, (r + s) % sm2.N})


def test_a_sum_at_infinity_is_no_signature():
    """With the base point's opposite as key, s and t of one value add up to nothing: 2s = -r."""
    opposite = sm2.Point(sm2.G.x, sm2.P - sm2.G.y)
    assert not sm2.verify(opposite, MESSAGE, sm2.N - 1, 0)
    r = 4
    s = (-r * pow(2, -1, sm2.N)) % sm2.N
    assert not sm2.verify(opposite, MESSAGE, r, s)
    t = (r + s) % sm2.N
    own = times(s * pow(-t, -1, sm2.N) % sm2.N)
    assert not sm2.verify(own, MESSAGE, r, s)


@pytest.mark.parametrize("point", [(0, 0), (1, 1), (sm2.P, sm2.G.y), (sm2.G.x, -1), (sm2.G.x, sm2.G.y + 1)])
def test_what_lies_on_no_curve(point):
    assert not sm2.on_curve(sm2.Point(*point))
