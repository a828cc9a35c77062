"""Sessions: signing in with password and code, for a while; the papers hold a token's digest alone."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, update

from onshore.register import accounts, codes, passwords
from onshore.register.accounts import Account
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.papers import account_tries, desk_sessions, reading, writing
from onshore.words.errors import Refusal
from onshore.words.settings_desk import Desk

_MINUTE, _DAY = 60_000, 86_400_000  # milliseconds
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Signed:
    """Somebody who signed in: the `token` that their browser shows from now on, and their account."""

    token: str
    account: Account


def sign_in(site: Site, name: str, password: str, code: str = "", *, old: str = "") -> Signed:
    """Begin a session; the one of the token `old`, where there is one, ends: what was known before is worth nothing.

    Refuses with one word (`sign-in-refused`) whatever of name, password and code is wrong, after the same work for a
    name that is nobody's; and (`sign-in-locked`) a name that was tried in vain too often, be it anybody's or not. An
    account whose name site.toml has in another role, or written otherwise, is refused as it is when one is added.
    """
    limits, fingerprint = limits_of(site), accounts.mark(site, name)
    site.key("column")  # made in a transaction of its own
    _count(site, fingerprint, limits)
    with reading(site.engine) as conn:
        row = conn.execute(_by(fingerprint)).one_or_none()
    right = passwords.fits(password, None if row is None or row.disabled is not None else row.password)
    if row is None or not right:
        raise _refused()
    accounts.refuse_otherwise_known(site, accounts.read(site, row).name, row.role)
    with writing(site.engine) as conn:
        return _begin(site, conn, fingerprint, row.password, code, old)


def session(site: Site, token: str) -> Account | None:
    """Whose session a token is; None for one that is none, has ended, or waited too long.

    It ends too where site.toml has them in another role now.
    """
    limits, now, digest = limits_of(site), site.clock(), _digest(token)
    t, a = desk_sessions.c, papers.accounts
    both = select(a, t.began, t.seen).join(desk_sessions, t.account == a.c.id).where(t.digest == digest)
    with reading(site.engine) as conn:
        row = conn.execute(both).one_or_none()
    if row is None or row.disabled is not None:
        return None
    if _ended(row, now, limits) or _otherwise_known(site, row):
        sign_out(site, token)
        return None
    if now - row.seen >= _MINUTE:
        with writing(site.engine) as conn:
            conn.execute(update(desk_sessions).where(t.digest == digest).values(seen=now))
    return accounts.read(site, row)


def sign_out(site: Site, token: str) -> None:
    """End the session of a token, if it is one."""
    with writing(site.engine) as conn:
        conn.execute(delete(desk_sessions).where(desk_sessions.c.digest == _digest(token)))


def limits_of(site: Site) -> Desk:
    """How long a session lasts and how often one may try."""
    return site.settings.desk or Desk()


def _count(site: Site, fingerprint: bytes, limits: Desk) -> None:
    """Count a try before it is looked at, so that many at once are no more than as many; refuse one while locked."""
    now, t = site.clock(), account_tries.c
    with writing(site.engine) as conn:
        conn.execute(delete(account_tries).where(t.last < now - _DAY, t.until < now))
        row = conn.execute(select(account_tries).where(t.name_mac == fingerprint)).one_or_none()
        until = row.until if row is not None else 0
        if until <= now:
            tries = 1 if row is None or row.until else row.tries + 1
            until = now + limits.lock_minutes * _MINUTE if tries > limits.tries else 0
            conn.execute(delete(account_tries).where(t.name_mac == fingerprint))
            conn.execute(account_tries.insert().values(name_mac=fingerprint, tries=tries, last=now, until=until))
            if until:
                _note_lock(site, conn, fingerprint)
    if until:
        minutes = -(-(until - now) // _MINUTE)
        raise Refusal(
            "sign-in-locked",
            f"this name was tried too often with something wrong; it waits for {minutes} minutes",
            remedy="wait, or have whoever runs the site give it another password",
        )


def _note_lock(site: Site, conn: Connection, fingerprint: bytes) -> None:
    row = conn.execute(_by(fingerprint)).one_or_none()
    if row is not None:
        accounts.recorded(site, conn, row.id, row.role, "locked")


def _begin(site: Site, conn: Connection, fingerprint: bytes, password: str, code: str, old: str) -> Signed:
    """Begin a session if nothing changed since the password was looked at, and the code is right."""
    row, now = conn.execute(_by(fingerprint)).one(), site.clock()
    if row.disabled is not None or row.password != password:
        raise _refused()
    if row.code_sealed is not None:
        step = codes.matched(accounts.code_secret(site, row), code, now, row.code_used)
        if step is None:
            raise _refused()
        conn.execute(update(papers.accounts).where(papers.accounts.c.id == row.id).values(code_used=step))
    limits = limits_of(site)
    t = desk_sessions.c
    over = or_(t.began <= now - limits.session_minutes * _MINUTE, t.seen <= now - limits.idle_minutes * _MINUTE)
    conn.execute(delete(desk_sessions).where(or_(over, t.digest == _digest(old))))
    conn.execute(delete(account_tries).where(account_tries.c.name_mac == fingerprint))
    token = base64.urlsafe_b64encode(site.randomness(_TOKEN_BYTES)).decode().rstrip("=")
    conn.execute(desk_sessions.insert().values(digest=_digest(token), account=row.id, began=now, seen=now))
    if row.role != accounts.OWNER:  # when an owner looks at what is theirs is nobody's business
        accounts.recorded(site, conn, row.id, row.role, "signed-in")
    return Signed(token, accounts.read(site, row))


def _ended(row: Row[Any], now: int, limits: Desk) -> bool:
    """Whether a session is over; one that began after now was made under another clock."""
    lasts, idles = limits.session_minutes * _MINUTE, limits.idle_minutes * _MINUTE
    return not row.began <= now < row.began + lasts or now >= row.seen + idles


def _otherwise_known(site: Site, row: Row[Any]) -> bool:
    try:
        accounts.refuse_otherwise_known(site, accounts.read(site, row).name, row.role)
    except Refusal:
        return True
    return False


def _by(fingerprint: bytes) -> Any:
    return select(papers.accounts).where(papers.accounts.c.name_mac == fingerprint)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _refused() -> Refusal:
    return Refusal(
        "sign-in-refused",
        "name, password or code is not right",
        remedy="try again; after a few times the name waits",
    )
