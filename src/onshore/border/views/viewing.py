"""Views: what somebody abroad sees under a permit to view; counted like a parcel, and before the first row.

Whose rows an answer rests on is not known before it is made, so every person of the categories that a query names is on
the meter first, and each row is counted against the permit when the query reads it, shown or not.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, func, select

from onshore.border import fallen, grants, life, requests
from onshore.border.approvals import refuse_halted
from onshore.border.metering import meter
from onshore.border.permits import clocks
from onshore.border.readiness import in_force, refuse_unready
from onshore.border.rows.parcel import interval_seed, pseudonyms, under_pseudonyms
from onshore.border.rows.selection import Touched, leaving, sought, touched
from onshore.ledger.entry import digest
from onshore.register import views
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.lock import hold
from onshore.vault.papers import parcels, reading, transfers, writing
from onshore.words.errors import Refusal
from onshore.words.permit import Permit, Transfer

_OPEN = ("reserved", "leaving", "sending")


@contextmanager
def opened(site: Site, transfer_id: str, by: str) -> Iterator["View"]:
    """A view under a request and its permit, for one who works for its recipient; one at a time at a site.

    Refused: a request of another method (`not-a-view`), somebody else, or who sits elsewhere (`view-is-export`), and
    whatever keeps a parcel from leaving.
    """
    with hold(site.folder / "locks" / "view", "view"):
        _unwind_left_over(site)
        transfer = requests.find(site, transfer_id).transfer
        _refuse_other(site, transfer, by)
        refuse_unready(site, transfer)
        yield View(site, transfer, in_force(site, transfer))


def resume(site: Site) -> None:
    """After a crash: a view of which a row may have been seen stays counted, any other is unwound; none goes on."""
    try:
        with hold(site.folder / "locks" / "view", "view"):
            _unwind_left_over(site)
    except Refusal:
        return  # somebody looks at this moment


@dataclass(frozen=True)
class _Begun:
    """A view that was counted: its number among the parcels, whom it counted, and since when (ms UTC)."""

    id: str
    found: Touched
    at: int


class View:
    """What one query may see. `signals`: those of each category, by name."""

    def __init__(self, site: Site, transfer: Transfer, permit: Permit) -> None:
        self._site, self._transfer, self._permit = site, transfer, permit
        self._begun: _Begun | None = None
        self._read = 0
        self._one = Lock()
        self.signals: Mapping[str, frozenset[str]] = {
            category: frozenset(n for n, s in site.catalogue.items() if s.category == category)
            if some is None
            else some
            for category, some in sought(site, transfer, permit).signals.items()
        }

    @property
    def purpose(self) -> str:
        """The purpose for which one may look."""
        return self._transfer.purpose

    def begin(self, categories: tuple[str, ...]) -> None:
        """Count the persons of these categories, and have the ledger say that they are to be seen; or refuse.

        The last look at permit, request and consents is one transaction with the mark that rows may be seen.
        """
        site, transfer, permit = self._site, self._transfer, self._permit
        stood, now = fallen.standing(site), site.clock()
        found = touched(site, replace(transfer, categories=categories), now, permit)
        if not found.rows:
            raise Refusal(
                "nothing-to-send",
                "no row of this is covered by a consent that stands now and names this recipient",
                article=site.pack.consent.no_consent.article,
                remedy="'onshore transfer ask --dry-run' shows what is withheld and why",
            )
        parcel, entry = self._reserve(found, categories, now, stood)
        site.settle()
        site.witnessed_proof(entry)
        clocks.refuse_apart(site)
        grants.in_force(site, transfer, permit.id)
        with writing(site.engine) as conn:
            self._refuse_stopped(conn, parcel)
            life.move_parcel(conn, parcel, "sending")
        self._begun = _Begun(parcel, found, now)

    def rows(self, category: str) -> Iterator[pa.RecordBatch]:
        """The rows of a category as they would leave: sieved, transformed, under the recipient's own numbers of cars.

        Each table is counted against the permit's rows, and everything is asked again, before any of it is handed over.
        """
        begun, site, transfer = self._standing(), self._site, self._transfer
        names, seed = pseudonyms(site, transfer.recipient), interval_seed(site, transfer.recipient)
        mine = replace(transfer, categories=(category,))
        for _, table in leaving(site, mine, self._permit, begun.at, begun.found, seed):
            grants.in_force(site, transfer, self._permit.id)
            self._count(table.num_rows)
            yield from under_pseudonyms(table, names).combine_chunks().to_batches()

    def may_go(self) -> None:
        """Refuse where permit, request, consents or restrictions changed since: asked before rows are shown."""
        begun = self._standing()
        with reading(self._site.engine) as conn:
            self._refuse_stopped(conn, begun.id)

    def end(self, *, whole: bool) -> None:
        """Write down how many rows the answer rests on; `whole`: it was not stopped. What read none is unwound."""
        with writing(self._site.engine) as conn:
            ids = select(parcels.c.id).where(parcels.c.transfer == self._transfer.id, parcels.c.state.in_(_OPEN))
            for parcel in conn.execute(ids).scalars().all():
                _end(self._site, conn, parcel, whole=whole)
        self._site.settle()

    def _standing(self) -> _Begun:
        if self._begun is None:
            raise Refusal("not-counted", "nobody is on the meter for this, so no row of it is shown")
        return self._begun

    def _refuse_stopped(self, conn: Connection, parcel: str) -> None:
        grants.refuse_revoked(self._site, conn, self._permit.id)
        fallen.refuse(self._site, conn, self._transfer, parcel)
        refuse_halted(conn, self._transfer.id, "leaving")
        meter.refuse_turned(conn, parcel, clocks.year(self._site, conn))

    def _reserve(self, found: Touched, categories: tuple[str, ...], now: int, stood: str) -> tuple[str, int]:
        """Persons on the meter and the ledger's entry, in one transaction; the parcel's number and the entry's."""
        site, transfer, permit = self._site, self._transfer, self._permit
        parcel, entry = "", 0
        with writing(site.engine) as conn:
            verdict = requests.judged_under(site, conn, transfer, permit, found)
            if verdict.verdict == "allow":
                parcel = self._counted(conn, found, now, stood)
                entry = self._announced(conn, found, categories, parcel)
        requests.refuse_by(site, verdict)
        return parcel, entry

    def _counted(self, conn: Connection, found: Touched, now: int, stood: str) -> str:
        site, transfer, permit = self._site, self._transfer, self._permit
        grants.refuse_revoked(site, conn, permit.id)
        refuse_halted(conn, transfer.id, "permitted", "left")
        count = select(func.count()).select_from(parcels).where(parcels.c.transfer == transfer.id)
        parcel = f"{transfer.id}-{conn.execute(count).scalar_one() + 1}"
        row = {"id": parcel, "transfer": transfer.id, "permit": permit.id, "state": "reserved", "reserved": now}
        conn.execute(parcels.insert().values(**row, stood=stood))
        meter.reserve(
            conn,
            parcel=parcel,
            permit=permit,
            article=_outside(site),
            year=clocks.today(site, conn).year,
            load=replace(requests.load(site, found), rows=0),
        )
        life.move(site, conn, transfer.id, "reserved")
        return parcel

    def _announced(self, conn: Connection, found: Touched, categories: tuple[str, ...], parcel: str) -> int:
        site, transfer, permit = self._site, self._transfer, self._permit
        life.move(site, conn, transfer.id, "leaving")
        note = conn.execute(select(papers.permits.c.note).where(papers.permits.c.id == permit.id)).scalar_one()
        said: dict[str, Any] = {"permit": digest(note), "categories": list(categories)}
        said |= {"request": life.named(transfer)}
        said |= {"dest": site.recipient(transfer.recipient).jurisdiction, "subjects": len(found.persons)}
        body = site.entry("view", obj=named(transfer, parcel), state="leaving", **said)
        entry = site.hand_in(conn, body)
        life.move_parcel(conn, parcel, "leaving", entry=entry)
        _recall(site, conn, transfer.id, permit.id, parcel)
        clocks.note(site, conn)
        return entry

    def _count(self, rows: int) -> None:
        begun = self._standing()
        with self._one, writing(self._site.engine) as conn:
            self._refuse_stopped(conn, begun.id)
            meter.reserve_rows(
                conn, parcel=begun.id, permit=self._permit, article=_outside(self._site), rows=self._read + rows
            )
            self._read += rows


def named(transfer: Transfer, parcel: str) -> str:
    """The digest by which the ledger names a view: of its request, and its number among that one's parcels."""
    return digest({"request": life.named(transfer), "parcel": parcel})


def _refuse_other(site: Site, transfer: Transfer, by: str) -> None:
    site.person(by, "engineer", "officer", "operator")
    if transfer.method != "view":
        raise Refusal(
            "not-a-view",
            f"this request is for a {transfer.method}, and a permit for that lets nobody look",
            remedy="ask for a view: 'onshore transfer ask --method view'",
        )
    who, to = views.looking(site, by), site.recipient(transfer.recipient)
    if who.recipient != transfer.recipient or who.sits not in who.home | {to.jurisdiction}:
        raise Refusal(
            "view-is-export",
            "whoever looks does not work for the recipient of this request, or sits in another jurisdiction than that",
            article=_outside(site),
            remedy="look from where the recipient is, as one whose employer in site.toml it is",
        )


def _unwind_left_over(site: Site) -> None:
    ask = select(parcels.c.id, transfers.c.body).join(transfers).where(parcels.c.state.in_(_OPEN))
    with writing(site.engine) as conn:
        found = [(row.id, requests.read(row.body)) for row in conn.execute(ask).all()]
        left_over = [parcel for parcel, transfer in found if transfer.method == "view"]
        for parcel in left_over:
            _end(site, conn, parcel, whole=False)
    if left_over:
        site.settle()


def _end(site: Site, conn: Connection, parcel: str, *, whole: bool) -> None:
    row = conn.execute(select(parcels).where(parcels.c.id == parcel)).one()
    body = conn.execute(select(transfers.c.body).where(transfers.c.id == row.transfer)).scalar_one()
    transfer = requests.read(body)
    if not row.rows:
        life.move_parcel(conn, parcel, "unsent")
        meter.give_back(conn, parcel)
        life.unwind(site, conn, transfer.id, "unwound")
        site.hand_in(conn, site.entry("view", obj=named(transfer, parcel), state="unsent"))
        return
    state = "left" if whole else "cut"
    life.move_parcel(conn, parcel, state, left=site.clock())
    if whole and life.state_of(conn, transfer.id) == "leaving":
        life.move(site, conn, transfer.id, "left")
    else:
        life.unwind(site, conn, transfer.id, "cut")
    site.hand_in(conn, site.entry("view", obj=named(transfer, parcel), state=state, rows=row.rows))
    _recall(site, conn, transfer.id, row.permit, parcel)


def _recall(site: Site, conn: Connection, transfer_id: str, permit_id: str, parcel: str) -> None:
    """Have a restored backup know of it, with whoever was counted."""
    site.recall(
        conn,
        (transfers, transfers.c.id == transfer_id),
        (papers.permits, papers.permits.c.id == permit_id),
        (parcels, parcels.c.id == parcel),
        (papers.meter, papers.meter.c.parcel == parcel),
        (papers.meter_vehicles, papers.meter_vehicles.c.parcel == parcel),
        requests.judged_for(transfer_id, parcel),
    )


def _outside(site: Site) -> str:
    return site.pack.transfer.permit.outside_permit.article
