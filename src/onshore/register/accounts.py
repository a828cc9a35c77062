"""Accounts: who may sign in at the desk, as whom, from where; each act on one is in the ledger."""

import json
import re
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Row, delete, select, update

from onshore.ledger.entry import digest
from onshore.register import codes, passwords
from onshore.site import Site
from onshore.vault.keys import mac, open_sealed, seal
from onshore.vault.papers import account_acts, account_tries, accounts, desk_sessions, keepers, reading, writing
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings import Role, reads_as

OWNER: Role = "owner"
OF_OWNERS = "owner-"
"""How the names begin under which owners act: each is their account's id behind it, and nobody else's."""

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?(?:@[A-Za-z0-9.-]{1,63})?", re.ASCII)
_CODE = re.compile(r"([A-Z]{2})?", re.ASCII)


@dataclass(frozen=True)
class Account:
    """Who may sign in: random `id`, the `name` to sign in with, `role`; an owner's is one `person`'s of the register.

    `sits`: a jurisdiction's code, `employer`: of [recipients] or anybody; empty: as site.toml has whoever is called so.
    `coded`: a second factor is asked for. `disabled` since (ms UTC), or None.
    """

    id: str
    name: str
    role: Role
    person: int | None
    sits: str
    employer: str
    coded: bool
    added: int
    disabled: int | None


def add(
    site: Site, name: str, role: Role, password: str, *, person: int | None = None, sits: str = "", employer: str = ""
) -> Account:
    """Have somebody be able to sign in. An owner's account is bound to a person who keeps, or kept, a vehicle.

    Refused: a name that is taken (`account-known`), one that site.toml has in another role (`role-differs`) or written
    otherwise (`name-alike`), a person whom nobody registered (`no-keeper`). Malformed: what is no name or password, a
    name that begins as those under which owners act, a person for another role.
    """
    _refuse_unfit(site, name, role, person, sits)
    passwords.check(password, name)
    values: dict[str, Any] = {
        "id": site.randomness(8).hex(),
        "role": role,
        "person": person,
        "sits": sits,
        "employer": employer,
        "password": passwords.kept(password),
        "code_used": 0,
        "added": site.clock(),
    }
    values |= {"name_mac": mark(site, name), "name_sealed": _sealed(site, values["id"], "name", name.encode())}
    with writing(site.engine) as conn:
        if conn.execute(select(accounts.c.id).where(accounts.c.name_mac == values["name_mac"])).first():
            raise Refusal("account-known", "an account of this name is here", remedy="see 'onshore account list'")
        conn.execute(accounts.insert().values(**values))
        recorded(site, conn, values["id"], role, "added")
        return _one(site, conn, name)


def listed(site: Site) -> list[Account]:
    """All accounts, oldest first."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(accounts).order_by(accounts.c.added, accounts.c.id)).all()
    return [read(site, row) for row in rows]


def find(site: Site, name: str) -> Account:
    """The account of a name; refuses (`account-unknown`) where there is none."""
    with reading(site.engine) as conn:
        return _one(site, conn, name)


def disable(site: Site, name: str) -> Account:
    """Have an account sign in no more, and end where it is signed in; what it did stays. No backup brings it back."""
    with writing(site.engine) as conn:
        account = _one(site, conn, name)
        if account.disabled is not None:
            raise Refusal("account-disabled", "this account is disabled already", remedy="see 'onshore account list'")
        _set(site, conn, account, "disabled", disabled=site.clock())
        return _one(site, conn, name)


def change_password(site: Site, name: str, password: str) -> None:
    """Give an account another password: whoever is signed in with it signs in anew, and a lock ends."""
    passwords.check(password, name)
    kept = passwords.kept(password)
    with writing(site.engine) as conn:
        account = _one(site, conn, name)
        conn.execute(delete(account_tries).where(account_tries.c.name_mac == mark(site, name)))
        _set(site, conn, account, "password", password=kept)


def ask_for_codes(site: Site, name: str) -> str:
    """Have an account sign in with a second factor too; what an authenticator app is told, shown this once."""
    secret = site.randomness(codes.SECRET_BYTES)
    with writing(site.engine) as conn:
        account = _one(site, conn, name)
        _set(site, conn, account, "code", code_sealed=_sealed(site, account.id, "code", secret), code_used=0)
    return codes.address(secret, site.settings.site.name, name)


def refuse_otherwise_known(site: Site, name: str, role: str) -> None:
    """Refuse an account of whoever site.toml has in another role (`role-differs`), or written otherwise (`name-alike`).

    So that nobody is two people: one of site.toml, and one of the same name in capitals who signs in at the desk.
    """
    known = next((one for one in site.settings.people if reads_as(one) == reads_as(name)), None)
    if known is None:
        return
    if site.settings.people[known].role != role:
        raise Refusal(
            "role-differs",
            f"site.toml has '{known}' as {site.settings.people[known].role}",
            remedy="take that role, or another name: what one may do is not put together from two places",
        )
    if known != name and role != OWNER:  # an owner acts under no name of theirs
        raise Refusal(
            "name-alike",
            f"site.toml has '{known}', which reads alike",
            remedy="write the name as it stands there, or take another: four eyes are two people",
        )


def recorded(site: Site, conn: Connection, account: str, role: str, state: str) -> None:
    """Record an act on an account, inside its transaction: a salted paper here, its digest in the ledger."""
    said = {"kind": "account", "state": state, "site": site.id, "account": account, "at": site.clock()}
    paper = said | {"salt": site.randomness(16).hex()}
    number = site.hand_in(conn, site.entry("account", obj=digest(paper), state=state, role=role))
    conn.execute(account_acts.insert().values(entry=number, account=account, paper=json.dumps(paper)))


def mark(site: Site, name: str) -> bytes:
    """What a name is kept and looked up as; capitals count for nothing."""
    return mac(site.key("lookup"), b"account/" + name.casefold().encode())


def read(site: Site, row: Row[Any]) -> Account:
    """An account as its row has it, its name opened."""
    name = open_sealed(site.key("column"), row.name_sealed, f"accounts/{row.id}/name").decode()
    coded = row.code_sealed is not None
    return Account(
        row.id, name, cast("Role", row.role), row.person, row.sits, row.employer, coded, row.added, row.disabled
    )


def code_secret(site: Site, row: Row[Any]) -> bytes:
    """The secret of an account's second factor."""
    return open_sealed(site.key("column"), row.code_sealed, f"accounts/{row.id}/code")


def _refuse_unfit(site: Site, name: str, role: Role, person: int | None, sits: str) -> None:
    if not _NAME.fullmatch(name):
        raise Malformed("a name has letters, digits, and . _ + - @ between them, 64 at most", where="name")
    if not _CODE.fullmatch(sits):
        raise Malformed("where somebody sits is a jurisdiction's code, such as CN", where="--sits")
    if (role == OWNER) != (person is not None):
        raise Malformed("an owner's account names its person, and no other account does", where="--person")
    if role != OWNER and name.casefold().startswith(OF_OWNERS):
        raise Malformed(f"names that begin with '{OF_OWNERS}' are those under which owners act", where="name")
    refuse_otherwise_known(site, name, role)
    with reading(site.engine) as conn:
        kept = person is None or conn.execute(select(keepers.c.person).where(keepers.c.person == person)).first()
    if not kept:
        raise Refusal(
            "no-keeper",
            "nobody of this id ever kept a vehicle here",
            remedy="'onshore vehicle show VIN' lists its keepers by id",
        )


def _set(site: Site, conn: Connection, account: Account, state: str, **values: Any) -> None:
    """Change an account, end its sessions, and keep a backup from undoing it."""
    mine = accounts.c.id == account.id
    conn.execute(update(accounts).where(mine).values(**values))
    conn.execute(delete(desk_sessions).where(desk_sessions.c.account == account.id))
    site.recall(conn, (accounts, mine))
    recorded(site, conn, account.id, account.role, state)


def _one(site: Site, conn: Connection, name: str) -> Account:
    row = conn.execute(select(accounts).where(accounts.c.name_mac == mark(site, name))).one_or_none()
    if row is None:
        raise Refusal("account-unknown", "there is no such account", remedy="'onshore account list' shows them")
    return read(site, row)


def _sealed(site: Site, account: str, what: str, raw: bytes) -> bytes:
    return seal(site.key("column"), raw, f"accounts/{account}/{what}", site.randomness)
