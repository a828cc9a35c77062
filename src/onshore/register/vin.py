"""The VIN: its length and alphabet, and its check digit where the market uses it."""

import re

from onshore.words.errors import Malformed, Refusal

DEMANDED = {
    "CA": "Motor Vehicle Safety Regulations (C.R.C., c. 1038), s. 115",
    "CN": "GB 16735-2019, Appendix A",
    "US": "49 CFR 565.15(c)",
}
"""Jurisdictions whose law puts a check digit into the VIN of every road vehicle sold there, and where it does.

Elsewhere it is custom at most: ISO 3779 leaves the ninth place to the maker, and many European ones hold a filler.
"""

TEST_CARS = b"LTEST"
"""What the VINs of test cars begin with, which no maker has: simulated cars and test vectors, never on a road."""

_ALPHABET = re.compile(rb"[A-HJ-NPR-Z0-9]{17}")
_VALUES = dict(
    zip(
        b"0123456789ABCDEFGHJKLMNPRSTUVWXYZ", (*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True
    )
)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_NINTH = 8


def check_vin(vin: str) -> bytes:
    """The VIN's 17 bytes; Malformed unless it has 17 characters of ISO 3779's alphabet (no I, O, Q)."""
    raw = vin.encode("ascii", "replace")
    if not _ALPHABET.fullmatch(raw):
        raise Malformed("a VIN has 17 capital letters and digits, without I, O and Q (ISO 3779)", where="VIN")
    return raw


def check_digit(vin: bytes) -> bytes:
    """What stands in the ninth place of these 17 bytes by 49 CFR 565.15(c) and GB 16735-2019, Appendix A: a digit or X.

    Each character's value (565.15(c)(2), Table III) times its place's weight (Table IV), summed; the remainder of 11.
    """
    return b"0123456789X"[(remainder := _sum(vin) % 11) : remainder + 1]


def has_check_digit(vin: bytes) -> bool:
    """Whether the ninth place of a VIN holds its check digit."""
    return vin[_NINTH : _NINTH + 1] == check_digit(vin)


def refuse_wrong(vin: bytes, jurisdiction: str) -> None:
    """Refuse (`check-digit`) a VIN with a wrong check digit where the market here has one; test cars need none."""
    if jurisdiction in DEMANDED and not vin.startswith(TEST_CARS) and not has_check_digit(vin):
        raise Refusal(
            "check-digit",
            "the ninth character of this VIN is not its check digit: a character was misread or mistyped",
            article=DEMANDED[jurisdiction],
            remedy="read it again from the car; if it stands there so, as on some imports, add --no-check-digit",
        )


def _sum(vin: bytes) -> int:
    return sum(_VALUES[character] * weight for character, weight in zip(vin, _WEIGHTS, strict=True))
