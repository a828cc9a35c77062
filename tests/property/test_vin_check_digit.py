"""The check digit finds every single character misread, and the place that holds it does not count."""

from hypothesis import given
from hypothesis import strategies as st

from onshore.register.vin import check_digit, has_check_digit

ALPHABET = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
PLACES = [n for n in range(17) if n != 8]
VALUE = {c: (int(c) if c.isdigit() else "0123456789.ABCDEFGH..JKLMN.P.R..STUVWXYZ".index(c) % 10) for c in ALPHABET}
VALUE |= dict(zip("STUVWXYZ", range(2, 10), strict=True))  # 49 CFR 565.15, Table III


@given(st.text(ALPHABET, min_size=17, max_size=17))
def test_the_ninth_place_does_not_count(text):
    vin = text.encode()
    digit = check_digit(vin)
    assert digit in b"0123456789X"
    assert has_check_digit(vin[:8] + digit + vin[9:])
    assert check_digit(vin[:8] + b"Z" + vin[9:]) == digit


@given(st.text(ALPHABET, min_size=17, max_size=17), st.sampled_from(PLACES), st.sampled_from(ALPHABET))
def test_one_character_that_counts_otherwise_is_found(text, place, other):
    vin = text.encode()
    vin = vin[:8] + check_digit(vin) + vin[9:]
    changed = vin[:place] + other.encode() + vin[place + 1 :]
    same = VALUE[chr(vin[place])] == VALUE[other]
    assert has_check_digit(changed) == same
