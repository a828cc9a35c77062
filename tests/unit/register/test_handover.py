import pytest

from onshore.register import acts, consents, handover, persons, vehicles
from onshore.rights.access import access
from onshore.words.errors import Malformed, Refusal


def reason(act):
    with pytest.raises(Refusal) as refused:
        act()
    return refused.value.reason


def rows(held):
    return sum(place["rows"] for place in held["held"])


def test_at_a_sale_all_consents_end_and_the_new_owner_has_given_none(hands):
    hands.allow()
    car = hands.car()
    done = handover.sell(hands.site, car, owner="Bo", contact="bo@example.org")
    new, act = done.owner, done.act
    sold = hands.car()
    assert (sold.id, sold.owner) == (car.id, new)
    assert vehicles.owner_name(hands.site, new) == "Bo"
    assert [c.withdrawn for c in consents.of_vehicle(hands.site, car.id)] == [hands.now] * 2
    assert {c.person for c in consents.of_vehicle(hands.site, car.id)} == {car.owner}
    assert [(k.person, k.role, k.until) for k in persons.of_vehicle(hands.site, car.id)] == [
        (car.owner, "owner", hands.now),
        (new, "owner", None),
    ]
    assert vehicles.owners(hands.site) == {car.id: new}
    assert act.paper["consents_ended"] == 2
    assert "Bo" not in str(act.paper)


def test_what_the_old_owner_drove_does_not_show_to_the_new_one(hands):
    hands.allow()
    hands.drive(1, seconds=20)
    old = hands.car()
    before = access(hands.site, old, "owner")
    hands.now += 60_000
    handover.sell(hands.site, old, owner="Bo")
    empty = access(hands.site, hands.car(), "owner")
    assert rows(before) > 0
    assert (rows(empty), empty["consents"], empty["received_by"]) == (0, [], [])
    hands.now += 60_000
    hands.allow()
    hands.drive(1, seconds=20)
    after = access(hands.site, hands.car(), "owner")
    assert rows(after) == rows(before)
    assert min(place["first"] for place in after["held"]) > max(place["last"] for place in before["held"])
    assert len(after["consents"]) == 2


def test_a_late_row_of_before_the_sale_is_nobodys_to_allow(hands):
    car, begin = hands.car(), hands.now
    hands.now += 60_000
    handover.sell(hands.site, car, owner="Bo")
    hands.allow()
    [drained] = hands.drive(1, seconds=20, start=begin)
    assert {why for why in drained.tallies["cn/2026-02"].cells if why[2] == "consented"} == set()


def test_a_retired_vehicle_is_shut_out_and_stays_seen(hands):
    hands.allow()
    hands.drive(1, seconds=20)
    car = hands.car()
    act = handover.retire(hands.site, car)
    assert vehicles.look_up(hands.site, hands.vin()) is None
    assert vehicles.retired(hands.site, car.id) == hands.now
    assert rows(access(hands.site, vehicles.find(hands.site, hands.vin().decode()), "owner")) > 0
    assert [a.entry for a in acts.of_vehicle(hands.site, car.id)] == [act.entry]
    assert reason(lambda: handover.retire(hands.site, car)) == "retired"
    assert reason(lambda: handover.sell(hands.site, car, owner="Bo")) == "retired"
    assert reason(lambda: vehicles.add(hands.site, hands.vin().decode())) == "vehicle-known"


def test_drivers_come_and_go(hands):
    car = hands.car()
    cleo = persons.add_driver(hands.site, car.id, name="Cleo", contact="cleo@example.org", mark="card 7")
    assert reason(lambda: persons.add_driver(hands.site, car.id, name="Dora", mark="card 7")) == "mark-in-use"
    persons.add_driver(hands.site, hands.car(2).id, name="Dora", mark="card 7")
    assert persons.name_of(hands.site, cleo) == "Cleo"
    assert hands.car().owner == car.owner
    hands.now += 1000
    handover.dismiss(hands.site, car, cleo)
    assert [(k.role, k.until) for k in persons.of_vehicle(hands.site, car.id)] == [
        ("owner", None),
        ("driver", hands.now),
    ]
    assert reason(lambda: handover.dismiss(hands.site, car, cleo)) == "no-driver"
    assert reason(lambda: handover.dismiss(hands.site, car, car.owner)) == "no-driver"
    persons.add_driver(hands.site, car.id, name="Dora", mark="card 7")


@pytest.mark.parametrize("mark", ["", "x" * 256])
def test_a_mark_has_a_length(hands, mark):
    with pytest.raises(Malformed, match="1 to 255"):
        persons.add_driver(hands.site, hands.car().id, name="Cleo", mark=mark)


def test_a_driver_consents_for_themselves_and_their_consents_end_with_them(hands):
    hands.allow()
    car = hands.car()
    cleo = persons.add_driver(hands.site, car.id, name="Cleo", mark="card 7")
    wish = consents.Wish(("warranty-analysis",), ("track",), "2026-11", separate=True)
    [given] = consents.give(hands.site, car, wish, driver=cleo)
    assert given.consent.person == cleo
    assert reason(lambda: consents.give(hands.site, car, wish, driver=car.owner)) == "no-driver"
    assert [g.consent.id for g in consents.withdraw(hands.site, car, driver=cleo)] == [given.consent.id]
    assert reason(lambda: consents.withdraw(hands.site, car, driver=cleo)) == "no-consent"
    consents.give(hands.site, car, wish, driver=cleo)
    handover.dismiss(hands.site, car, cleo)
    standing = [c.person for c in consents.of_vehicle(hands.site, car.id) if c.holds(hands.now)]
    assert standing == [car.owner] * 2


def test_drivers_stand_in_no_clear_text(hands):
    persons.add_driver(hands.site, hands.car().id, name="Cleopatra Beispiel", contact="cleo@example.org", mark="card7Z")
    raw = b"".join(path.read_bytes() for path in hands.site.folder.glob("papers.sqlite*"))
    for secret in (b"Cleopatra", b"cleo@example.org", b"card7Z"):
        assert secret not in raw
