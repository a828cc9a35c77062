"""How wide a restriction or an erasure is: one person of several, a category, some days; and nothing beside it."""

import json
import struct

import pytest
from sqlalchemy import select

from databases import papers_in
from onshore.cli.serve import Keeper
from onshore.consent.records import FOREVER
from onshore.register import consents, persons
from onshore.rights import cases
from onshore.rights.access import access
from onshore.rights.certificates import certificate, hand_out
from onshore.rights.erase import carry_out, erase
from onshore.rights.whose import wish
from onshore.vault.opening import open_papers
from onshore.vault.papers import rights_cases
from onshore.vault.read import read
from onshore.words.errors import Malformed, Refusal
from rights_makers import agreed, opened, said, standing, verified

OWNERS, CLEOS = 33.515625, 77.140625  # speeds that nothing else has


def seen_rows(hands, person=None):
    held = access(hands.site, hands.car(), "officer", person=person)["held"]
    return {(h["category"], h["ground"]): h["rows"] for h in held}


def readable(hands):
    site = hands.site
    tables = read(
        site.engine, site.root, site.vault, site.id, use="warranty-analysis", categories=["driving-behaviour"], start=0,
        until=FOREVER,
    )  # fmt: skip
    return sorted(speed for table in tables for speed in table.column("Vehicle.Speed").to_pylist())


@pytest.fixture
def cleo(hands):
    person = persons.add_driver(hands.site, hands.car().id, name="Cleo", mark="card 7")
    agreed(hands, hands.car())
    agreed(hands, hands.car(), driver=person)
    agreed(hands, hands.car(2))
    said(hands, (OWNERS, None), (CLEOS, "card 7"), (CLEOS, "card 7"), (OWNERS, ""))
    return person


def test_one_driver_of_several_is_erased_and_no_row_of_another(hands, cleo):
    said(hands, (OWNERS, None), number=2)
    assert opened(hands.site).count(struct.pack("<f", CLEOS)) == 2
    case = erase(hands.site, hands.car(), "anna", wish(hands.site, hands.car(), person=cleo))
    assert certificate(hands.site, case)["receipt"]["rows"] == 2
    raw = opened(hands.site)
    assert struct.pack("<f", CLEOS) not in raw
    assert raw.count(struct.pack("<f", OWNERS)) == 3
    assert seen_rows(hands, cleo) == {}
    assert seen_rows(hands) == {("driving-behaviour", "consent"): 2}
    assert readable(hands) == [OWNERS] * 3


def test_the_owner_alone_is_erased_too(hands, cleo):
    erase(hands.site, hands.car(), "anna", wish(hands.site, hands.car(), person=hands.car().owner))
    assert opened(hands.site).count(struct.pack("<f", CLEOS)) == 2
    assert struct.pack("<f", OWNERS) not in opened(hands.site)


def test_a_restricted_driver_is_read_by_nobody_and_the_owner_is(hands, cleo):
    assert readable(hands) == [OWNERS, OWNERS, CLEOS, CLEOS]
    mine = wish(hands.site, hands.car(), person=cleo)
    cases.opened(hands.site, hands.car(), "restrict", "anna", mine)
    assert readable(hands) == [OWNERS, OWNERS]
    said(hands, (CLEOS, "card 7"))  # what comes later is restricted as well
    assert readable(hands) == [OWNERS, OWNERS]
    with pytest.raises(Refusal) as refused:
        cases.end_restriction(hands.site, hands.car(), wish(hands.site, hands.car()).scope)
    assert refused.value.reason == "not-restricted"
    cases.end_restriction(hands.site, hands.car(), mine.scope)
    assert readable(hands) == [OWNERS, OWNERS, CLEOS, CLEOS, CLEOS]


def test_a_category_goes_with_its_consents_and_the_others_stay(hands):
    hands.allow(1)
    hands.drive(1, 2)
    case = erase(hands.site, hands.car(), "anna", wish(hands.site, hands.car(), categories=["track"]))
    assert certificate(hands.site, case)["receipt"]["rows"] == 40
    assert {category for category, _ in seen_rows(hands)} == {"driving-behaviour", "vehicle-operation"}
    assert {c.category: c.withdrawn is None for c in consents.of_vehicle(hands.site, hands.car().id)} == {
        "track": False,
        "vehicle-operation": True,
    }
    other = access(hands.site, hands.car(2), "officer")["held"]
    assert "track" in {h["category"] for h in other}


def test_some_days_go_and_no_consent_with_them(hands):
    hands.allow(1)
    hands.drive(1)
    first = hands.site.today()
    hands.now += 86_400_000
    hands.drive(1)
    days = wish(hands.site, hands.car(), first=first.isoformat(), last=first.isoformat())
    case = erase(hands.site, hands.car(), "anna", days)
    assert certificate(hands.site, case)["receipt"]["rows"] == 100
    assert set(seen_rows(hands).values()) == {20}
    assert all(c.withdrawn is None for c in consents.of_vehicle(hands.site, hands.car().id))


def test_what_is_no_scope_is_refused(hands):
    for said_ in ({"categories": ["gossip"]}, {"first": "soon"}, {"first": "2026-02-02", "last": "2026-02-01"}):
        with pytest.raises(Malformed):
            wish(hands.site, hands.car(), **said_)
    with pytest.raises(Malformed, match="short code"):
        wish(hands.site, hands.car(), identity="ID 1234567")
    with pytest.raises(Refusal) as refused:
        wish(hands.site, hands.car(), person=5)
    assert refused.value.reason == "no-keeper"


def test_many_erasures_cost_one_rewrite_of_what_holds_them(hands, monkeypatch):
    cars = list(range(1, 9))
    hands.drive(*cars, 9)
    written = []
    from onshore.vault import rewrite

    real = rewrite.write_tables
    monkeypatch.setattr(rewrite, "write_tables", lambda *a, **k: written.append(a[1]) or real(*a, **k))
    before = {(s.place.category, s.place.ground, s.place.day, s.place.bucket) for s in standing(hands.site)}
    for number in cars:
        cases.opened(hands.site, hands.car(number), "erase", "anna")
    assert carry_out(hands.site) == {}
    assert len(written) <= len(before)
    done = [case for number in cars for case in cases.of_vehicle(hands.site, hands.car(number).id)]
    assert {case.state for case in done} == {"done"}
    papers = [certificate(hands.site, case) for case in done]
    assert all(verified(hands.site, paper) for paper in papers)
    assert {paper["receipt"]["rows"] for paper in papers} == {60}
    assert len({paper["proof"] for paper in papers}) == len(cars), "each has its own entry"
    assert access(hands.site, hands.car(9), "officer")["held"]


@pytest.mark.sqlite
def test_what_links_a_certificate_goes_once_nobody_is_in_the_way(hands):
    case = erase(hands.site, hands.car(), "anna")
    salt = certificate(hands.site, case)["receipt"]["salt"].encode()
    reader = open_papers(papers_in(hands.site.folder)).connect()
    reader.execute(select(rights_cases)).all()
    hand_out(hands.site, case)
    keeper, where = Keeper(hands.site, [].append), list(hands.site.folder.glob("papers.sqlite*"))
    keeper.look()
    assert any(salt in path.read_bytes() for path in where), "the control: who reads still sees the row of before"
    reader.close()
    for _ in range(50):
        keeper.look()
    assert not any(salt in path.read_bytes() for path in where)


def test_a_certificate_that_was_handed_out_can_be_linked_by_nobody_here(hands):
    hands.allow(1)
    hands.drive(1, 2)
    case = erase(hands.site, hands.car(), "anna")
    paper = certificate(hands.site, case)
    told = b"".join(hands.site.ledger.entry_at(i) for i in range(hands.site.ledger.size))
    for secret in (case.id, f"{case.vehicle:016x}", paper["receipt"]["salt"]):
        assert secret.encode() not in told, "the log holds H(salt, id) alone"
    struck = hand_out(hands.site, case)
    assert (struck.entry, struck.struck) == (None, hands.now)
    left = certificate(hands.site, struck)
    assert (left["proof"], left["struck"]) == (None, hands.now)
    assert "salt" not in left["receipt"]
    assert hand_out(hands.site, struck) == struck
    if hands.site.engine.dialect.name == "sqlite":
        raw = b"".join(p.read_bytes() for p in hands.site.folder.glob("papers.sqlite*"))
        assert paper["receipt"]["salt"].encode() not in raw
        assert paper["receipt"]["segments_old"][0].encode() not in raw
    assert json.loads(json.dumps(left)) == left
