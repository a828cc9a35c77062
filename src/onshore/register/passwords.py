"""Passwords: kept as argon2id of themselves, compared in the same time whoever is asked for."""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from onshore.words.errors import Malformed

SHORTEST, LONGEST = 12, 256  # NIST SP 800-63B-4 §3.1.1.2 has 8 with a second factor and 15 without, and at least 64
_ARGON2ID = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)  # RFC 9106 §4, the second choice: 64 MiB
_AT_ONCE = threading.BoundedSemaphore(2)  # whoever tries many takes no more memory than that


def check(password: str, name: str) -> None:
    """Malformed for a password that is too short, too long, or the name itself; nothing of it is told."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Malformed(f"a password has {SHORTEST} to {LONGEST} characters", where="password")
    if name.casefold() in password.casefold() or len(set(password)) < SHORTEST // 3:
        raise Malformed("a password does not hold the account's name, nor few letters many times", where="password")


def kept(password: str) -> str:
    """What is kept of a password: argon2id with a salt of its own, parameters included."""
    with _AT_ONCE:
        return _ARGON2ID.hash(password)


def fits(password: str, kept_as: str | None) -> bool:
    """Whether it is that password; for nobody's (None) as much work is done, and the answer is no."""
    with _AT_ONCE:
        try:
            return _ARGON2ID.verify(kept_as or _nobodys(), password) and kept_as is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    """What a password is held to where there is no account."""
    return _ARGON2ID.hash("")
