"""Views: a look from abroad is an export, so one gate asks where whoever looks sits and for whom they work."""

from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from sqlalchemy import select

from onshore.register import judgements
from onshore.register.judgements import ByLaw
from onshore.rules.acts import Facts, TransferAsked
from onshore.site import Site
from onshore.vault.papers import permits, reading, transfers, writing
from onshore.words.permit import Transfer

SOMEWHERE = "ZZ"
"""ISO 3166-1 leaves it to users: a place abroad, nobody said which, for which no pack makes an exception."""


@dataclass(frozen=True)
class Looking:
    """Somebody who looks: where they sit, where who employs them stands, and as which recipient that is known here."""

    sits: str
    works_for: str
    recipient: str
    home: frozenset[str]

    @property
    def abroad(self) -> str:
        """The jurisdiction to which what they see has gone; empty where both are at home."""
        return next((place for place in (self.sits, self.works_for) if place not in self.home), "")


def looking(site: Site, name: str) -> Looking:
    """Whoever looks, as site.toml has them; an engineer of whom it says nothing sits abroad.

    So does an employer that is no recipient, and of whom it does not say where: one that is misspelt, or not any more.
    """
    person, here = site.settings.people[name], site.settings.site.jurisdiction
    known = site.settings.recipients.get(person.employer)
    usual = SOMEWHERE if person.role == "engineer" and not person.jurisdiction else here
    unsaid = SOMEWHERE if person.employer else here
    employer = known.jurisdiction if known else person.employer_jurisdiction or unsaid
    home = frozenset({here, *site.pack.home})
    return Looking(person.jurisdiction or usual, employer, person.employer if known else "", home)


def is_abroad(site: Site, name: str) -> bool:
    """Whether somebody looks from abroad, or for somebody there; nobody unknown does."""
    return name in site.settings.people and bool(looking(site, name).abroad)


def refusal(
    site: Site, name: str, *, by: str = "view", purpose: str = "", categories: Collection[str] = ()
) -> ByLaw | None:
    """Why somebody may not see rows of this site (`view-is-export`), with the judge's article; None where they may.

    `by`: "view" or "query". Without categories all personal ones are meant. An owner sees what is theirs wherever they
    are (PIPL Art. 45): a person who looks at their own data exports nothing. Nobody unknown is refused here.
    """
    person = site.settings.people.get(name)
    if person is None or person.role == "owner":
        return None
    who = looking(site, name)
    if not who.abroad:
        return None
    classes = site.pack.classes
    meant = tuple(categories) or classes.personal.categories or classes.sensitive.categories
    act = TransferAsked(
        to=who.abroad,
        recipient=who.recipient or None,
        purpose=purpose or "none",
        categories=meant,
        by=by,
        new_persons=1,
    )
    judged = judgements.ask(site, act, Facts(at=site.clock()))
    first = judged.verdict.reasons[0] if judged.verdict.verdict == "refuse" else None
    why = "an engineer looks from abroad" if person.role == "engineer" else _why(who)
    return ByLaw(
        "view-is-export",
        f"{why}, and what is seen there has left; {first.says if first else ''}".rstrip("; "),
        judged,
        article=first.article if first else site.pack.transfer.permit.outside_permit.article,
        remedy=_remedy(site, who),
    )


def refuse_abroad(site: Site, name: str, what: str, *, purpose: str = "", categories: Collection[str] = ()) -> None:
    """Refuse (`view-is-export`), and say so in the ledger, where what a command shows of rows or persons would leave.

    `what`: the command, as a word of the ledger: "rights-access".
    """
    why = refusal(site, name, purpose=purpose, categories=categories)
    if why is None:
        return
    role, dest = site.settings.people[name].role, looking(site, name).abroad
    with writing(site.engine) as conn:
        judgements.hand_in(site, conn, "view", [why.judged], state="refused", what=what, role=role, dest=dest)
    site.settle()
    raise why


def _why(who: Looking) -> str:
    if who.sits not in who.home:
        return f"whoever looks sits in {who.sits}"
    return f"whoever looks works for somebody in {who.works_for}"


def _remedy(site: Site, who: Looking) -> str:
    if _permitted(site, who.recipient):
        return "a permit to view stands: 'onshore query … --transfer ID' looks under it, and nothing else does"
    return "ask for a parcel with 'onshore transfer ask'; 'onshore catalogue' shows what there is"


def _permitted(site: Site, recipient: str) -> bool:
    """Whether a permit that nobody revoked is on file for a view by this recipient."""
    ask = select(transfers.c.body).join(permits, permits.c.transfer == transfers.c.id)
    with reading(site.engine) as conn:
        bodies = list(conn.execute(ask.where(permits.c.revoked.is_(None))).scalars())
    found = (msgspec.json.decode(body, type=Transfer) for body in bodies)
    return bool(recipient) and any(one.method == "view" and one.recipient == recipient for one in found)
