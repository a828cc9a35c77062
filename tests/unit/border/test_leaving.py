"""What falls between sealing and leaving holds a parcel back; what fails gives its reservation back at once."""

import json

import pyarrow as pa
import pytest
from sqlalchemy import select

from onshore.border import approvals, grants, requests, sealing, transfer, underway
from onshore.border.metering import meter
from onshore.border.transfer import ship
from onshore.border.underway import resume
from onshore.consent.drives import SUBJECT
from onshore.register import consents, drives, persons, zones
from onshore.rights import cases
from onshore.rights.erase import erase
from onshore.rights.whose import wish
from onshore.site import Site
from onshore.vault.papers import parcels, reading
from onshore.words.batch import BASE
from onshore.words.errors import Broken, Refusal


@pytest.fixture
def road(border, monkeypatch):
    return Road(border, monkeypatch)


class Road:
    """A permitted request of two cars, and a way to act at a moment of its leaving."""

    def __init__(self, border, monkeypatch):
        self.hands, self.site, self._patch = border.hands, border.site, monkeypatch
        for number in (1, 2):
            self.hands.allow(number)
        persons.add_driver(self.site, self.hands.car(2).id, name="a driver", mark="second key")
        self.began = self.hands.now
        self.hands.drive(1, 2)
        self.request, self.permit = border.permitted()

    def when(self, owner, name, act, *, after=False, turn=1):
        """Have `act` done before, or after, the turn-th call of a function, which does its work all the same."""
        real, calls = getattr(owner, name), []

        def wrapped(*args, **kwargs):
            calls.append(1)
            due = len(calls) == turn
            if due and not after:
                act()
            result = real(*args, **kwargs)
            if due and after:
                act()
            return result

        self._patch.setattr(owner, name, wrapped)

    def ship(self):
        return ship(self.site, self.request.id)

    def refused(self):
        with pytest.raises(Refusal) as caught:
            self.ship()
        return caught.value

    def states(self):
        with reading(self.site.engine) as conn:
            return list(conn.execute(select(parcels.c.state).order_by(parcels.c.id)).scalars())

    def used(self):
        with reading(self.site.engine) as conn:
            return meter.used(conn, self.permit.id)

    def releases(self):
        self.site.settle()
        entries = [json.loads(e) for e in self.site.ledger.entries()]
        return [e["state"] for e in entries if e["t"] == "release"]

    def assert_nothing_left(self):
        assert set(self.states()) == {"unsent"}
        assert self.used() == 0
        for folder in ("outbox", "staging"):
            assert list((self.site.folder / folder).iterdir()) == []


def driven_by_another(road):
    """Car 2 says, late, who drove it on the day of the rows that are sealed: a driver who consented to nothing."""
    car, at = road.hands.car(2).id, road.began
    fields = [*BASE, pa.field(SUBJECT, pa.string())]
    times = pa.array([at], BASE[1].type)
    door = pa.array(["mqtt"]).dictionary_encode().cast(BASE[3].type)
    arrays = [pa.array([car], pa.int64()), times, times, door, pa.array(["second key"])]
    drives.Standing(road.site).hear(pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields)))


FALLS = {
    "driven by another": (driven_by_another, "driven-by-another", 1),
    "withdrawn": (lambda r: consents.withdraw(r.site, r.hands.car(2)), "consent-withdrawn", 1),
    "restricted": (lambda r: cases.opened(r.site, r.hands.car(2), "restrict", "officer"), "restricted", 1),
    "erased": (lambda r: erase(r.site, r.hands.car(2), "owner"), "restricted", 1),
    "erased in part": (lambda r: erase(r.site, r.hands.car(2), "owner", a_week(r)), "restricted", 1),
}


def a_week(road):
    """All of a car over some days around now: no consent ends with such an erasure, and its restriction does."""
    return wish(road.site, road.hands.car(2), first="2026-09-18", last="2026-09-25")


ZONE = """{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates":
 [[[121.0, 31.0], [122.0, 31.0], [122.0, 32.0], [121.0, 32.0], [121.0, 31.0]]]}}"""


def test_a_zone_that_was_drawn_meanwhile_holds_the_parcel_back(road):
    origin = zones.Origin("army", "the authority, 2026", "military", "WGS-84", 0)
    road.when(Site, "proof", lambda: zones.put_on_file(road.site, ZONE, origin, "officer"))
    assert road.refused().reason == "zone-drawn"
    road.assert_nothing_left()


@pytest.mark.parametrize("fall", FALLS)
def test_a_car_that_fell_out_while_the_proof_was_waited_for_holds_the_parcel_back(road, fall):
    act, reason, persons = FALLS[fall]
    road.when(Site, "proof", lambda: act(road))
    refusal = road.refused()
    assert refusal.reason == reason
    assert refusal.article
    assert f"onshore transfer ship {road.request.id}" in refusal.remedy
    road.assert_nothing_left()
    assert road.releases() == ["leaving", "unsent"]
    assert road.ship().persons == persons


def test_a_consent_that_ran_out_meanwhile_holds_the_parcel_back(road):
    consents.withdraw(road.site, road.hands.car(2))
    road.hands.allow(2, until=road.hands.now + 60_000)
    road.hands.drive(2)
    assert road.ship().persons == 2

    def later():
        road.hands.now += 60_000

    road.when(Site, "proof", later)
    assert road.refused().reason == "consent-withdrawn"
    assert road.states() == ["left", "unsent"]


def test_a_consent_given_meanwhile_or_one_that_is_not_concerned_holds_nothing_back(road):
    road.hands.allow(4)

    def others():
        road.hands.allow(3)
        consents.withdraw(road.site, road.hands.car(4))

    road.when(Site, "proof", others)
    assert road.ship().persons == 2


@pytest.mark.parametrize(
    ("owner", "name", "after", "turn"),
    [
        (Site, "proof", False, 1),
        (underway, "digest", False, 1),
        (underway, "digest", True, 1),
        (grants, "in_force", True, 2),
    ],
)
def test_a_permit_that_is_revoked_before_the_parcel_is_marked_as_sending_wins(road, owner, name, after, turn):
    road.when(owner, name, lambda: grants.revoke(road.site, road.permit.id), after=after, turn=turn)
    assert road.refused().reason == "permit-revoked"
    road.assert_nothing_left()


def taken_up_again(road):
    approvals.suspend(road.site, road.request.id, "officer")
    approvals.resume(road.site, road.request.id, "deputy")


BETWEEN = {
    "suspended": (lambda r: approvals.suspend(r.site, r.request.id, "officer"), "suspended", "suspended"),
    "suspended and taken up again": (taken_up_again, "halted", "permitted"),
    "refused": (lambda r: approvals.refuse(r.site, r.request.id, "officer"), "halted", "refused"),
    "revoked": (lambda r: grants.revoke(r.site, r.permit.id), "permit-revoked", "revoked"),
}


@pytest.mark.parametrize("what", BETWEEN)
def test_what_comes_between_two_tables_stops_before_the_next_is_sealed(road, monkeypatch, what):
    act, reason, state = BETWEEN[what]
    asked, leaving, passed = transfer.refuse_halted, sealing.leaving, []

    def tables(*said):
        first, *others = leaving(*said)
        yield first
        act(road)
        yield from others

    monkeypatch.setattr(transfer, "refuse_halted", lambda *said: asked(*said) or passed.append(said))
    monkeypatch.setattr(sealing, "leaving", tables)
    assert road.refused().reason == reason
    assert len(passed) == 2, "as it was reserved, and before the first table"
    road.assert_nothing_left()
    assert road.releases() == [], "nothing said that it would leave"
    assert requests.find(road.site, road.request.id).state == state


def test_a_permit_that_is_revoked_after_it_comes_too_late_and_is_told_so(road):
    told = []
    road.when(underway, "send", lambda: told.extend(grants.revoke(road.site, road.permit.id)))
    shipped = road.ship()
    assert told == [shipped.id]
    assert road.states() == ["left"]
    assert road.refused().reason == "permit-revoked"


def staged(road):
    return road.site.folder / "staging" / f"{road.request.id}-1.parcel"


@pytest.mark.parametrize("harm", [lambda p: p.write_bytes(p.read_bytes() + b"x"), lambda p: p.unlink()])
def test_a_staged_file_that_somebody_touched_is_not_sent_and_stops_nobody(road, harm):
    road.when(Site, "proof", lambda: harm(staged(road)))
    with pytest.raises(Broken, match="altered or taken away"):
        road.ship()
    road.assert_nothing_left()
    assert road.ship().persons == 2


def fail():
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("owner", "name"), [(sealing, "seal_stream"), (underway, "digest"), (underway, "send")])
def test_what_fails_underway_gives_its_reservation_back_at_once(road, owner, name):
    road.when(owner, name, fail)
    with pytest.raises(OSError, match="No space"):
        road.ship()
    road.assert_nothing_left()
    assert road.ship().persons == 2


def test_what_fails_once_the_file_is_out_is_noted_as_left(road):
    road.when(underway, "send", fail, after=True)
    with pytest.raises(OSError, match="No space"):
        road.ship()
    assert road.states() == ["left"]
    assert road.releases() == ["leaving"]


def test_a_file_that_no_parcel_knows_does_not_stay_staged(road):
    road.ship()
    stray = road.site.folder / "staging" / "stray.parcel"
    stray.write_bytes(b"sealed")
    resume(road.site)
    assert not stray.exists()
