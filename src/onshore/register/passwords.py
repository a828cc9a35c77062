"""Passwords: kept as argon2id of themselves, compared in the same time whoever is asked for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from onshore.words.errors import Malformed, OnshoreError

SHORTEST, LONGEST = 12, 256  # NIST SP 800-63B-4 §3.1.1.2 has 8 with a second factor and 15 without, and at least 64
_ARGON2ID = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)  # RFC 9106 §4, the second choice: 64 MiB
_AT_ONCE = threading.BoundedSemaphore(2)  # whoever tries many takes no more memory than that
_IN_LINE = threading.BoundedSemaphore(16)  # with those at work: fewer than a server has threads, so others are answered
_PATIENCE = 2.0  # seconds: twenty times what one password takes


class Busy(OnshoreError):
    """More passwords are being looked at than this machine looks at once. `waits`: seconds after which to try again."""

    waits = 5


def check(password: str, name: str) -> None:
    """Malformed for a password that is too short, too long, or the name itself; nothing of it is told."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Malformed(f"a password has {SHORTEST} to {LONGEST} characters", where="password")
    if name.casefold() in password.casefold() or len(set(password)) < SHORTEST // 3:
        raise Malformed("a password does not hold the account's name, nor few letters many times", where="password")


def kept(password: str) -> str:
    """What is kept of a password: argon2id with a salt of its own, parameters included; Busy."""
    with _turn():
        return _ARGON2ID.hash(password)


def fits(password: str, kept_as: str | None) -> bool:
    """Whether it is that password; for nobody's (None) as much work is done, and the answer is no; Busy."""
    with _turn():
        try:
            return _ARGON2ID.verify(kept_as or _nobodys(), password) and kept_as is not None
        except (VerificationError, InvalidHashError):
            return False


@contextmanager
def _turn() -> Iterator[None]:
    """One of those at work, after a wait with an end; Busy."""
    if not _IN_LINE.acquire(blocking=False):
        raise _busy()
    try:
        if not _AT_ONCE.acquire(timeout=_PATIENCE):
            raise _busy()
        try:
            yield
        finally:
            _AT_ONCE.release()
    finally:
        _IN_LINE.release()


def _busy() -> Busy:
    return Busy("too many passwords are being looked at; try again in a few seconds")


@cache
def _nobodys() -> str:
    """What a password is held to where there is no account."""
    return _ARGON2ID.hash("")
