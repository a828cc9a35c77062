"""Who: whoever asks the desk for something, as every page and every look at data takes them."""

from dataclasses import dataclass, replace

import msgspec

from onshore.register import accounts
from onshore.register.accounts import Account
from onshore.site import Site
from onshore.words.settings import Person, Role

ROLES: tuple[Role, ...] = ("owner", "engineer", "officer", "regulator", "operator")
NOBODY = "nobody"
"""The role of whoever has not signed in."""


@dataclass(frozen=True)
class Who:
    """Somebody who asks. `name`: as acts and papers have them, `--as NAME` of the commands; of an owner a random id.

    `role`: one of ROLES, or NOBODY. `person`: of an owner, by the register's id. `sits`, `employer`: as the judge is
    told. `called`: the name that they signed in with, to greet them by, and for nothing else.
    """

    name: str = ""
    role: str = NOBODY
    person: int | None = None
    sits: str = ""
    employer: str = ""
    called: str = ""


def of(site: Site, account: Account) -> Who:
    """Whom an account signs in: place and employer are its own, or what site.toml says of that name."""
    known = site.settings.people.get(account.name)
    sits = account.sits or (known.jurisdiction if known else "")
    employer = account.employer or (known.employer if known else "")
    name = f"owner-{account.id}" if account.role == accounts.OWNER else account.name
    return Who(name, account.role, account.person, sits, employer, account.name)


def seen_by(site: Site, who: Who) -> Site:
    """The site as it is for one request of somebody: its people include them, with the place they look from.

    So that what is asked by name (`site.person`, `register.views`, the judge) knows accounts as it knows site.toml. Of
    the ledger and the witnesses it sees what stands now, as both are read anew.
    """
    if who.role == NOBODY:
        return replace(site)
    known = site.settings.people.get(who.name)
    role: Role = next(role for role in ROLES if role == who.role)
    there = known.employer_jurisdiction if known and known.employer == who.employer else ""
    here = Person(
        role=role,
        vkey=known.vkey if known else "",
        jurisdiction=who.sits,
        employer=who.employer,
        employer_jurisdiction=there,
    )
    people = {**site.settings.people, who.name: here}
    return replace(site, settings=msgspec.structs.replace(site.settings, people=people))
