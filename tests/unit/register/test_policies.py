"""Policies at a real site: made when something stands otherwise, signed, counted; and what cars say that they obey."""

import json
from dataclasses import replace

import pytest

from onshore.ledger.note import open_note
from onshore.register import consents, handover, policies
from onshore.words.errors import Malformed, Refusal

HOUR = 3_600_000
DAY = 24 * HOUR


def key_of(hands) -> str:
    return (hands.site.folder / "ledger" / "vkey").read_text().split("\n")[0]


def signals(issued) -> set[str]:
    return {name for line in issued.said["collect"] if line["ground"] == "consent" for name in line["signals"]}


def test_a_car_without_consents_is_told_what_the_law_has_it_send(hands):
    car = hands.car()
    issued = policies.current(hands.site, car.id)
    assert issued.version == 1
    assert signals(issued) == set()
    assert {line["ground"] for line in issued.said["collect"]} == {"statutory"}
    assert {line["door"] for line in issued.said["collect"]} == {"gb32960"}


def test_the_policy_is_a_note_that_the_sites_key_signed_and_the_ledger_counts(hands):
    issued = policies.current(hands.site, hands.car().id)
    note = open_note(issued.note, [key_of(hands)])
    head, text, rest = note.text.split("\n")
    assert (head, rest) == ("onshore policy", "")
    assert json.loads(text) == issued.said
    hands.site.settle()
    entries = [json.loads(hands.site.ledger.entry_at(i)) for i in range(hands.site.ledger.size)]
    said = [e for e in entries if e["t"] == "policy"]
    assert len(said) == 1
    assert said[0]["purposes"] == 1
    assert issued.said["vehicle"] not in json.dumps(entries)


def test_it_is_made_anew_when_consents_change_and_only_then(hands):
    car = hands.car()
    first = policies.current(hands.site, car.id)
    assert policies.current(hands.site, car.id) == first
    hands.allow()
    second = policies.current(hands.site, car.id)
    assert second.version == 2
    assert "Vehicle.CurrentLocation.Longitude" in signals(second)
    consents.withdraw(hands.site, car)
    third = policies.current(hands.site, car.id)
    assert third.version == 3
    assert signals(third) == set()
    assert third.content == first.content


def test_it_is_renewed_at_half_of_its_time(hands):
    car = hands.car()
    first = policies.current(hands.site, car.id)
    assert first.until == hands.now + 7 * DAY
    hands.now += 3 * DAY
    assert policies.current(hands.site, car.id) == first
    hands.now += DAY
    assert policies.current(hands.site, car.id).version == 2


def test_it_ends_with_the_first_consent_and_what_is_left_is_told_then(hands):
    car = hands.car()
    policies.current(hands.site, car.id)
    hands.allow(until=hands.now + HOUR)
    short = policies.current(hands.site, car.id)
    assert short.until == hands.now - 1000 + HOUR
    hands.now += HOUR
    assert signals(policies.current(hands.site, car.id)) == set()


def test_a_clock_set_back_brings_no_withdrawn_consent_back(hands):
    hands.allow()
    hands.now += HOUR
    consents.withdraw(hands.site, hands.car())
    hands.now -= HOUR
    assert signals(policies.current(hands.site, hands.car().id)) == set()


def with_settings(hands, **said):
    from onshore.site import open_site

    site = open_site(hands.site.folder, clock=lambda: hands.now)
    return replace(site, settings=_replaced(site.settings, said))


def _replaced(settings, said):
    import msgspec

    return msgspec.structs.replace(settings, policy=msgspec.structs.replace(settings.policy, **said))


def test_a_host_abroad_or_unknown_makes_no_policy(hands):
    from onshore.words.settings import PolicyHost

    car = hands.car()
    abroad = with_settings(hands, host="gate.example", hosts={"gate.example": PolicyHost(jurisdiction="DE")})
    with pytest.raises(Refusal) as refused:
        policies.current(abroad, car.id)
    assert refused.value.reason == "host-abroad"
    assert refused.value.article == abroad.pack.transfer.vehicle_may_not_send_abroad.article
    with pytest.raises(Refusal, match="nobody set down"):
        policies.current(with_settings(hands, host="gate.example"), car.id)
    home = with_settings(hands, host="gate.example", hosts={"gate.example": PolicyHost(jurisdiction="CN")})
    assert policies.current(home, car.id).said["host"] == {"name": "gate.example", "jurisdiction": "CN"}


def test_a_retired_car_has_none(hands):
    car = hands.car()
    handover.retire(hands.site, car)
    assert policies.current(hands.site, car.id) is None
    assert policies.Policies(hands.site).policy(car.id) is None
    assert policies.Policies(hands.site).untold(car.id) is None


def test_a_car_says_what_it_obeys(hands):
    car = hands.car()
    door = policies.Policies(hands.site)
    assert policies.obeyed(hands.site, car.id) is None
    assert door.untold(car.id) is None  # what the law has sent needs no telling
    version, said = door.policy(car.id) and door.untold(car.id)
    assert (version, said["version"]) == (1, 1)
    door.checked_in(car.id, 1, hands.now)
    door.checked_in(car.id, 1, hands.now + 1)  # a moment later it is no news
    assert policies.obeyed(hands.site, car.id) == policies.Obeyed(1, hands.now, hands.now)
    door.checked_in(car.id, 1, hands.now + HOUR)
    assert policies.obeyed(hands.site, car.id) == policies.Obeyed(1, hands.now, hands.now + HOUR)
    assert door.untold(car.id) is None
    with pytest.raises(Malformed):
        door.checked_in(car.id, 2, hands.now)


def test_cars_that_lag_are_seen_after_a_while(hands):
    car, other = hands.car(1), hands.car(2)
    for one in (car, other):
        policies.current(hands.site, one.id)
        policies.check_in(hands.site, one.id, 1, hands.now)
    hands.allow(until=hands.now + 2 * HOUR)
    policies.current(hands.site, car.id)
    assert policies.lagging(hands.site) == []
    since = hands.now
    hands.now += HOUR
    assert policies.lagging(hands.site) == [policies.Lag(car.id, since, 2, 1, ended=False)]
    hands.now += 7 * DAY
    assert policies.lagging(hands.site) == [policies.Lag(car.id, since, 2, 1, ended=True)]
    policies.check_in(hands.site, car.id, 2, hands.now)
    assert policies.lagging(hands.site) == []


def test_a_gate_hears_of_new_policies_of_the_cars_that_are_there(hands):
    car, other = hands.car(1), hands.car(2)
    door = policies.Policies(hands.site)
    for one in (car, other):
        door.policy(one.id)
    assert door.changed([car.id, other.id]) == []
    hands.allow(1)
    hands.allow(2)
    told = dict(door.changed([car.id]))
    assert set(told) == {car.id}
    assert told[car.id] == policies.current(hands.site, car.id).note.encode()
    assert door.changed([car.id]) == []
    hands.now += 4 * DAY
    assert [vehicle for vehicle, _ in door.changed([car.id])] == [car.id]


def test_papers_that_do_not_answer_are_an_oserror(hands, monkeypatch):
    from sqlalchemy.exc import OperationalError

    door = policies.Policies(hands.site)

    def broken(*_):
        raise OperationalError("", {}, Exception("disk"))

    monkeypatch.setattr(policies, "current", broken)
    with pytest.raises(OSError, match="papers"):
        door.policy(hands.car().id)


def test_papers_that_answer_again_have_every_car_told_that_waited(hands, monkeypatch):
    from sqlalchemy.exc import OperationalError

    cars = [hands.car(n).id for n in (1, 2, 3)]
    door = policies.Policies(hands.site)
    for car in cars:
        door.policy(car)
    for n in (1, 2, 3):
        hands.allow(n)
    real, asked = policies.current, []

    def broken(site, vehicle):
        asked.append(vehicle)
        if len(asked) in {1, 3}:
            raise OperationalError("", {}, Exception("disk"))
        return real(site, vehicle)

    monkeypatch.setattr(policies, "current", broken)
    with pytest.raises(OSError, match="papers"):
        door.changed(cars)
    told = [vehicle for _ in range(2) for vehicle, _ in door.changed(cars)]
    assert sorted(told) == sorted(cars)


def test_no_policy_outlives_the_law_of_its_day(hands):
    """A pack that ends, and one that another follows: the car is told only up to the day on which that happens."""
    from datetime import timedelta

    import msgspec

    from onshore.ledger.law import Law

    site, today = hands.site, hands.site.today()
    version = site.law.on(today)

    def until(*versions):
        law = Law(versions, site.catalogue, site.settings.rules.signers, site.folder / "packs")
        return policies.compiled(replace(site, law=law), hands.car().id).until - hands.now

    def ending(days):
        return replace(version, pack=msgspec.structs.replace(version.pack, valid_until=today + timedelta(days=days)))

    def beginning(days):
        return replace(version, pack=msgspec.structs.replace(version.pack, valid_from=today + timedelta(days=days)))

    assert until(version) == 7 * DAY
    assert DAY < until(ending(1)) <= 2 * DAY
    assert 2 * DAY < until(version, beginning(3)) <= 3 * DAY
    over = replace(site, law=Law([ending(-1)], site.catalogue, site.settings.rules.signers, site.folder / "packs"))
    assert policies.Policies(over).policy(hands.car().id) is None
