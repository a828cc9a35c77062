"""How to run a witness of this site's ledger, and which witnesses it has."""

from collections.abc import Iterator
from dataclasses import dataclass

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.ledger import alone
from onshore.ledger.quorum import Witnesses
from onshore.site import Site


@dataclass(frozen=True)
class Seen:
    """A witness: where it is, how many entries it cosigned last and when (ms UTC), and what went wrong since.

    `refuses`: it saw another history of this ledger.
    """

    name: str
    host: str
    jurisdiction: str
    size: int
    at: int | None
    trouble: str
    refuses: bool


def witness(site: Site, _who: Who, _asked: Asked) -> Answer:
    """The steps with this ledger's own keys in them, and its witnesses as they are known."""
    known, vkeys = site.witnesses, site.ledger.vkeys.split()
    found = list(_seen(known)) if known else []
    data = {"vkeys": vkeys, "origin": vkeys[0].partition("+")[0], "size": site.ledger.size, "witnesses": found}
    return Page("regulator/witness.html", data | {"quorum": known.policy.quorum if known else ""})


def _seen(known: Witnesses) -> Iterator[Seen]:
    for one in known.standings():
        place, at = known.places[one.name], one.at * 1000 if one.at else None
        yield Seen(one.name, place.host, place.jurisdiction, one.size, at, one.trouble, one.refuses)


def verifier(_site: Site, _who: Who, _asked: Asked) -> Answer:
    """The verifier as one file."""
    return File(alone.NAME, "application/zip", alone.built())


ROUTES = (
    Route("/regulator/witness", witness, ("regulator",), nav=T("Witness")),
    Route("/regulator/verifier", verifier, ("regulator",), file=True),
)
