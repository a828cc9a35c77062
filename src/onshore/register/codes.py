"""Codes of a second factor: six digits that a phone shows for half a minute (RFC 6238, HMAC-SHA-1)."""

import base64
import hashlib
import hmac

SECRET_BYTES = 20  # RFC 4226 §4, R6 recommends 160 bits
STEP = 30_000  # milliseconds (RFC 6238 §4.1)
_DIGITS = 6
_AROUND = 1  # steps before and after the present one that count too: clocks differ (RFC 6238 §5.2)


def code(secret: bytes, step: int, digits: int = _DIGITS) -> str:
    """The code of a step of time (RFC 4226 §5.3)."""
    found = hmac.digest(secret, step.to_bytes(8, "big"), hashlib.sha1)
    at = found[-1] & 0xF
    number = int.from_bytes(found[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def matched(secret: bytes, said: str, now: int, after: int) -> int | None:
    """The step whose code was said, at `now` (ms UTC); None where it is none, or not newer than the step `after`."""
    present = now // STEP
    steps = range(max(present - _AROUND, after + 1), present + _AROUND + 1)
    found = [step for step in steps if hmac.compare_digest(code(secret, step).encode(), said.encode())]
    return found[0] if found else None


def address(secret: bytes, site: str, name: str) -> str:
    """What an authenticator app is told, as text or drawn as a QR code; `site` and `name` hold no sign that is special.

    Key URI format of the apps: https://github.com/google/google-authenticator/wiki/Key-Uri-Format.
    """
    shown = base64.b32encode(secret).decode()
    return f"otpauth://totp/Onshore%20{site}:{name.replace('@', '%40')}?secret={shown}&issuer=Onshore%20{site}"
