"""A hand that writes into the papers: what leaves is refused for it, or the deep check finds it."""

import pytest
from sqlalchemy import select

from onshore.border import grants
from onshore.border.agreeing import disagreements
from onshore.border.transfer import ship
from onshore.cli.deep import damage
from onshore.vault.papers import (
    counted,
    entries,
    meter,
    meter_totals,
    parcels,
    permits,
    reading,
    transfer_approvals,
    writing,
)
from onshore.words.errors import Broken, Refusal


@pytest.fixture
def left(border):
    """A site of which a parcel with two persons left, under a permit for two."""
    for car in (1, 2):
        border.hands.allow(car)
    border.hands.drive(1, 2)
    request, granted = border.permitted(persons=2)
    shipped = ship(border.site, request.id)
    assert list(disagreements(border.site)) == []
    assert [says for _, says in damage(border.site)] == []
    return border, request, granted, shipped


def forge(site, *statements):
    with writing(site.engine) as conn:
        for statement in statements:
            conn.execute(statement)


def found(site, says):
    return [said for _, said in damage(site) if says in said]


def test_a_revocation_that_somebody_took_back_in_the_papers(left):
    border, request, granted, _ = left
    grants.revoke(border.site, granted.id)
    assert list(disagreements(border.site)) == []
    forge(border.site, permits.update().values(revoked=None))
    assert found(border.site, f"permit {granted.id} was revoked by the ledger alone")
    with pytest.raises(Broken, match="revoked, the papers say that it stands"):
        ship(border.site, request.id)


def test_a_permit_that_somebody_revoked_granted_or_took_away_in_the_papers(left):
    border, request, granted, _ = left
    note = grants.note_of(border.site, granted.id)
    forge(border.site, permits.update().values(revoked=1))
    assert found(border.site, "stands by the ledger alone")
    forge(border.site, permits.update().values(revoked=None))
    forge(border.site, permits.insert().values(id="forged", transfer=request.id, note=f"{note}\n", granted=1))
    assert found(border.site, "permit forged was never granted")
    with pytest.raises(Broken):
        grants.in_force(border.site, border.request(id=request.id), "forged")
    forge(border.site, permits.update().where(permits.c.id == granted.id).values(note=f"{note} "))
    assert found(border.site, "has a permit that the papers have not")


def test_persons_who_were_taken_off_the_meter(left):
    border, _, _, shipped = left
    forge(border.site, meter.delete())
    assert found(border.site, "count 2026/sensitive is not what its parcels make")
    forge(border.site, counted.delete(), meter_totals.delete())  # and everything that would show it
    assert found(border.site, f"parcel {shipped.id} has 0 persons on the meter and 2 by the ledger")


def test_a_total_that_was_lowered_lets_nothing_leave(left):
    border, request, granted, _ = left
    forge(border.site, meter_totals.update().where(meter_totals.c.name == f"permit/{granted.id}").values(persons=0))
    assert found(border.site, f"count permit/{granted.id}")
    with pytest.raises(Broken, match=r"total .* is not what its runs make"):
        ship(border.site, request.id)


def test_persons_who_were_exchanged_in_a_run_let_nothing_leave(left):
    border, request, *_ = left
    with reading(border.site.engine) as conn:
        row = conn.execute(select(counted).limit(1)).one()
    other = bytes(row.persons[:-1]) + bytes([row.persons[-1] ^ 1])
    forge(border.site, counted.update().where(counted.c.number == row.number).values(persons=other, mark="0" * 32))
    assert found(border.site, "is not what its parcels make")
    with pytest.raises(Broken, match="a run of the meter is not what was counted"):
        ship(border.site, request.id)


@pytest.mark.parametrize("state", ["unsent", "cut"])
def test_a_parcel_that_is_said_to_have_never_left(left, state):
    border, _, _, shipped = left
    forge(border.site, parcels.update().values(state=state))
    assert found(border.site, f"parcel {shipped.id} is {state} by the papers and gone by the ledger")


def test_a_parcel_whose_rows_or_itself_were_taken_away_or_made_up(left):
    border, request, granted, shipped = left
    forge(border.site, parcels.update().values(rows=0))
    assert found(border.site, "has 0 rows by the papers and 80 by the ledger")
    forge(border.site, parcels.update().values(rows=80))
    row = {"transfer": request.id, "permit": granted.id, "state": "left", "reserved": 1}
    forge(border.site, parcels.insert().values(id="x-1", sha256=None, **row))
    assert found(border.site, "the parcel x-1 is left, and was never sealed")
    forge(border.site, parcels.update().where(parcels.c.id == "x-1").values(sha256="0" * 64))
    assert found(border.site, "the parcel x-1 is left, and the ledger has no release of it")
    forge(border.site, parcels.update().where(parcels.c.id == shipped.id).values(sha256="1" * 64))
    assert found(border.site, "the ledger has a parcel that the papers have not")


def test_approvals_that_nobody_gave_carry_nothing(border):
    """One officer approves, and writes the other's approval into the papers, with or without the entry of the own."""
    border.hands.allow(1)
    border.hands.drive(1)
    request, _ = border.ask()
    border.file(request, "impact-assessment", "standard-contract", "export-notice", "separate-consent")
    border.approve(request, "officer")
    with reading(border.site.engine) as conn:
        own = conn.execute(select(transfer_approvals)).one()
        another = conn.execute(select(entries.c.id).limit(1)).scalar_one()
    for entry in (None, own.entry, another):
        forged = {"transfer": own.transfer, "by": "deputy", "at": own.at, "basis": own.basis, "why": ""}
        forge(border.site, transfer_approvals.insert().values(**forged, entry=entry))
        with pytest.raises(Refusal) as refused:
            grants.grant(border.site, border.draft(request), border.regulator())
        assert refused.value.reason == "four-eyes"
        with pytest.raises(Refusal) as refused:
            ship(border.site, request.id)
        assert refused.value.reason == "four-eyes"
        assert found(border.site, f"an approval of the request {request.id} is on file that the ledger has not")
        forge(border.site, transfer_approvals.delete().where(transfer_approvals.c.by == "deputy"))
    border.approve(request, "deputy")
    grants.grant(border.site, border.draft(request), border.regulator())
    assert ship(border.site, request.id).persons == 1
