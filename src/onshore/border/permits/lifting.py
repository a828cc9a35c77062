"""A clock that ran ahead left instants behind that are still to come: two officers say that they count no more."""

import json
from dataclasses import asdict, dataclass
from statistics import median_low

from sqlalchemy import Connection, delete, select

from onshore.border.permits import clocks
from onshore.ledger.entry import REFERENCE, digest
from onshore.site import Site
from onshore.vault import handed
from onshore.vault.papers import entries, meta, reading, writing
from onshore.words.errors import Broken, Malformed, Refusal

_SAID = "clock-doubted"
"""In `meta`: what one officer said, until another one says it too."""


@dataclass(frozen=True)
class Doubted:
    """That what is known from `at` to `until` (ms UTC) never was; `number`: of the paper that says why; `by`: whom."""

    at: int
    until: int
    number: str
    by: str
    salt: str
    entry: int = 0

    @property
    def obj(self) -> str:
        """The digest by which the ledger names it."""
        return digest(asdict(self) | {"entry": 0})


def doubt(site: Site, by: str, number: str) -> Doubted:
    """One officer says, by the paper of that `number`, that the newest instant known here was a clock that ran ahead.

    Nothing follows from it until another officer says so too. Refused (`nothing-to-lift`) where the clock is believed.
    """
    site.person(by, "officer")
    if not REFERENCE[1](number):
        raise Malformed("a paper's number has letters, digits and . _ / - alone", where="number")
    with writing(site.engine) as conn:
        said = Doubted(site.clock(), _ahead(site, conn), number, by, site.randomness(16).hex())
        role = {"until": said.until, "number": number, "by": "officer"}
        filed = site.hand_in(conn, site.entry("clock", obj=said.obj, state="doubted", **role))
        said = Doubted(**asdict(said) | {"entry": filed})
        conn.execute(delete(meta).where(meta.c.name == _SAID))
        conn.execute(meta.insert().values(name=_SAID, value=json.dumps(asdict(said))))
    site.settle()
    return said


def lift(site: Site, by: str) -> Doubted:
    """Another officer says so too: from now on what lies ahead of the clock is known no more, but to the ledger.

    Refused (`four-eyes`) for whoever said it first, and (`clock-in-doubt`) where most witnesses of the ledger do not
    say about what the clock says by now; they are asked anew. Broken where the ledger has no such word of the first.
    """
    site.person(by, "officer")
    with reading(site.engine) as conn:
        said, body = _standing(conn)
    if by == said.by:
        raise Refusal(
            "four-eyes",
            f"'{by}' said this already; the second word is another officer's",
            remedy="have another officer of site.toml say it: 'onshore clock lift --as NAME'",
        )
    site.settle(said.entry)
    there = site.reopened().entry_at(handed.number_of(site.engine, said.entry)) if body else b""
    if said.obj.encode() not in there or there != body:
        raise Broken("the ledger has no entry of what the papers say that an officer said of the clock")
    vouched = _vouched(site, said)
    with writing(site.engine) as conn:
        if _ahead(site, conn) > said.until or _standing(conn)[0] != said or site.clock() < said.at:
            raise Refusal(
                "clock-in-doubt",
                "since an officer said so, another instant came to be known here, or the clock was set back",
                remedy="look at the clock, then begin anew: 'onshore clock doubt --number NUMBER --as NAME'",
            )
        fields = {"until": said.until, "number": said.number, "by": "officer", "vouched": vouched}
        site.hand_in(conn, site.entry("clock", obj=said.obj, state="lifted", **fields))
        conn.execute(delete(meta).where(meta.c.name == _SAID))
    site.settle()
    return said


def pending(site: Site) -> Doubted | None:
    """What one officer said and nobody else did yet."""
    with reading(site.engine) as conn:
        raw = conn.execute(select(meta.c.value).where(meta.c.name == _SAID)).scalar()
    return None if raw is None else Doubted(**json.loads(raw))


def _ahead(site: Site, conn: Connection) -> int:
    """The newest instant known; refuses where the clock is past it, or as good as."""
    known = clocks.newest(site, conn)
    if site.clock() >= known - site.settings.clock.tolerance_seconds * 1000:
        raise Refusal("nothing-to-lift", "nothing known here lies ahead of the clock", remedy="'onshore clock show'")
    return known


def _standing(conn: Connection) -> tuple[Doubted, bytes]:
    raw = conn.execute(select(meta.c.value).where(meta.c.name == _SAID)).scalar()
    if raw is None:
        raise Refusal(
            "nothing-to-lift",
            "no officer said that the clock ran ahead",
            remedy="'onshore clock doubt --number NUMBER --as NAME', then another officer lifts it",
        )
    said = Doubted(**json.loads(raw))
    body = conn.execute(select(entries.c.body).where(entries.c.id == said.entry)).scalar() or b""
    return said, bytes(body)


def _vouched(site: Site, said: Doubted) -> str:
    """Who vouches for the clock as it is now; refuses where witnesses are asked and say otherwise."""
    if site.witnesses is None:
        return "officers"
    site.witnessed_proof(said.entry)
    theirs, limit = clocks.witnessed(site), site.settings.clock.witness_minutes * 60_000
    if not theirs or abs(site.clock() - median_low(theirs)) > limit:
        raise Refusal(
            "clock-in-doubt",
            "most witnesses of the ledger say another time than the clock does",
            remedy="set the machine's clock as theirs are, then lift it",
        )
    return "witnesses"
