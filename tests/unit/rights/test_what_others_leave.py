"""What a certificate, an access copy and the ledger say of one person holds nothing of another, nor outlives a sale."""

import pytest
from sqlalchemy import select

from backup_makers import backed_up, kept, restored
from onshore.ledger.entry import read as read_entry
from onshore.register import handover, persons
from onshore.rights import cases
from onshore.rights import erase as erasing
from onshore.rights.access import access
from onshore.rights.certificates import certificate, hand_out
from onshore.rights.erase import carry_out, erase
from onshore.rights.sale import Choice, carry_on, resume, sell
from onshore.rights.whose import wish
from onshore.site import Site
from onshore.vault import papers
from onshore.vault.age import new_identity, recipient_of
from onshore.vault.restrictions import Scope, hidden
from rights_makers import DAY, agreed, floored, said


def neighbours(hands, one=1):
    """The number of a car whose rows lie in the same bucket as those of car `one`."""
    buckets, first = hands.site.settings.site.buckets, hands.car(one).id
    return next(n for n in range(one + 1, 500) if hands.car(n).id % buckets == first % buckets)


def test_how_long_the_law_keeps_it_is_told_by_ones_own_rows(hands):
    floored(hands)
    hands.drive(1)
    own = hands.now
    other = neighbours(hands)
    hands.now += 5 * DAY
    hands.drive(other)
    cases.opened(hands.site, hands.car(other), "erase", "officer")
    mine = cases.opened(hands.site, hands.car(1), "erase", "officer")
    assert carry_out(hands.site) == {}
    (kept,) = certificate(hands.site, cases.find(hands.site, mine.id))["receipt"]["kept"]
    assert 30 * DAY <= kept["until"] - own <= 31 * DAY, "not until the other car's may go"
    assert cases.find(hands.site, mine.id).held_until == kept["until"]


def test_a_clock_that_runs_wrong_in_another_car_hides_nothing_of_this_one(hands):
    floored(hands)
    hands.drive(1)
    ahead(hands, 2, 400 * DAY)
    cases.opened(hands.site, hands.car(2), "erase", "officer")
    mine = cases.opened(hands.site, hands.car(1), "erase", "officer")
    assert carry_out(hands.site) == {}
    found = cases.find(hands.site, mine.id)
    assert (found.state, found.wish.scope.until) == ("held", hands.now + 1)


def ahead(hands, number, by):
    """Let a car drive whose clock is so many milliseconds ahead of ours."""
    now = hands.now
    hands.drive(number, start=now + by)
    hands.now = now + 60_000


def test_when_the_one_before_drove_is_not_the_next_owners_to_see(hands):
    persons.add_driver(hands.site, hands.car().id, name="Cleo", mark="card 7")
    agreed(hands, hands.car())
    said(hands, (10.0, "card 7"), (20.0, ""), (30.0, "card 7"))
    old = hands.car().owner
    sell(hands.site, hands.car(), "officer", Choice(), owner="Bo")
    hands.now += 60_000
    assert access(hands.site, hands.car(), "officer")["drives"] == {"said": 0, "first": None, "last": None}
    assert access(hands.site, hands.car(), "officer", person=old)["drives"]["said"] == 1


def test_no_number_left_here_points_at_the_entry_of_a_certificate_that_was_handed_out(hands):
    hands.allow()
    hands.drive(1)
    hands.now += 60_000
    case = erase(hands.site, hands.car(), "officer")
    (told,) = (e for e in map(read_entry, hands.site.ledger.entries()) if e["t"] == "erase")
    hand_out(hands.site, case)
    left = cases.find(hands.site, case.id)
    assert left.certificate is not None
    assert not [name for name, value in left.certificate.items() if value in (told["rows"], told["at"])]
    assert left.done != told["at"]
    assert "keys_destroyed" not in left.certificate
    assert left.asked <= left.done


@pytest.mark.parametrize("chosen", [Choice(), Choice(erase=True)], ids=["kept", "erased"])
def test_a_sale_is_not_undone_by_a_backup_of_before(hands, chosen):
    kept(hands)
    hands.allow()
    hands.drive(1)
    car = hands.car()
    backed_up(hands)
    sell(hands.site, car, "officer", chosen, owner="Bo")
    sold = hands.now
    hands.site.settle()
    there, _ = restored(hands)
    assert hidden(there.engine).holds(Scope(car.id, until=sold))
    assert carry_on(there) == {}
    assert (persons.name_of(there, car.owner) == "") == chosen.erase


def test_a_copy_that_was_asked_for_in_a_sale_is_known_to_a_site_restored_from_before(hands, tmp_path):
    kept(hands)
    hands.allow()
    hands.drive(1)
    car = hands.car()
    backed_up(hands)
    along = Choice(erase=True, take=(tmp_path / "anna", recipient_of(new_identity())))
    sell(hands.site, car, "officer", along, owner="Bo")
    there, _ = restored(hands)
    assert resume(there) == {}
    assert {case.kind: case.state for case in cases.of_vehicle(there, car.id)}["sale"] == "done"


@pytest.mark.sqlite
def test_the_sealed_name_of_who_sold_and_had_all_erased_is_in_no_byte_of_the_papers(hands):
    hands.drive(1)
    old, names = hands.car().owner, papers.persons.c
    with papers.reading(hands.site.engine) as conn:
        sealed = conn.execute(select(names.name_sealed, names.contact_sealed).where(names.id == old)).one()
    sell(hands.site, hands.car(), "officer", Choice(erase=True), owner="Bo")
    raw = b"".join(path.read_bytes() for path in hands.site.folder.glob("papers.sqlite*"))
    assert [box in raw for box in sealed] == [False, False]


def test_what_is_asked_again_while_it_is_erased_takes_what_arrived_until_then(hands, monkeypatch):
    hands.allow()
    hands.drive(1)
    whole = erasing.erase_scopes

    def meanwhile(*args, **more):
        if len(cases.of_vehicle(hands.site, hands.car().id)) == 1:
            hands.allow()
            with monkeypatch.context() as patch:
                patch.setattr(Site, "drain", lambda _site: [])
                hands.drive(1)
            cases.opened(hands.site, hands.car(), "erase", "officer")
        return whole(*args, **more)

    monkeypatch.setattr(erasing, "erase_scopes", meanwhile)
    first = erase(hands.site, hands.car(), "officer")
    assert (first.state, hands.car().restricted is None) == ("done", False)
    assert carry_out(hands.site) == {}
    states = [case.state for case in cases.of_vehicle(hands.site, hands.car().id)]
    assert (states, hands.car().restricted) == (["done", "done"], None)
    assert access(hands.site, hands.car(), "officer")["held"] == []


@pytest.mark.parametrize(
    ("stays", "narrower", "name"), [(False, {}, ""), (True, {}, "Cleo"), (False, {"categories": ("track",)}, "Cleo")]
)
def test_who_drives_the_car_no_more_and_has_all_erased_is_not_known_by_name(hands, stays, narrower, name):
    cleo = persons.add_driver(hands.site, hands.car().id, name="Cleo", mark="card 7")
    said(hands, (10.0, "card 7"))
    if not stays:
        handover.dismiss(hands.site, hands.car(), cleo)
    hands.now += 60_000
    erase(hands.site, hands.car(), "officer", wish(hands.site, hands.car(), person=cleo, **narrower))
    assert persons.name_of(hands.site, cleo) == name


def test_who_sold_and_has_all_erased_later_is_not_known_by_name(hands):
    hands.drive(1)
    old = hands.car().owner
    sell(hands.site, hands.car(), "officer", Choice(), owner="Bo")
    hands.now += 60_000
    erase(hands.site, hands.car(), "officer", wish(hands.site, hands.car(), person=old))
    assert (persons.name_of(hands.site, old), persons.name_of(hands.site, hands.car().owner)) == ("", "Bo")
