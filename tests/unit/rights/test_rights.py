import json
from dataclasses import replace

import pytest

from onshore.register import consents
from onshore.rights import cases
from onshore.rights.access import access
from onshore.rights.erase import carry_out, certificate, erase
from onshore.vault.journal import Journal
from onshore.vault.lock import hold
from onshore.vault.papers import reading, site_keys, vehicles, writing
from onshore.vault.segments import Shelf, open_segment, segments_where
from onshore.words.errors import Broken, OnshoreError, Refusal


def standing(site):
    with reading(site.engine) as conn:
        return segments_where(conn)


def held(hands, number):
    return {(h["category"], h["ground"]): h["rows"] for h in access(hands.site, hands.car(number), "officer")["held"]}


def test_a_person_sees_what_is_held_and_why(hands):
    hands.allow(1)
    hands.drive(1, 2)
    seen = access(hands.site, hands.car(1), "anna")
    assert held(hands, 1) == {
        ("driving-behaviour", "statutory"): 20,
        ("track", "consent"): 20,
        ("track", "statutory"): 20,
        ("vehicle-operation", "consent"): 20,
        ("vehicle-operation", "statutory"): 20,
    }
    consented = next(h for h in seen["held"] if (h["category"], h["ground"]) == ("track", "consent"))
    assert consented["purposes"] == ["warranty-analysis"]
    assert "Vehicle.CurrentLocation.Latitude" in consented["signals"]
    assert consented["last"] - consented["first"] == 19_000
    assert {c["category"] for c in seen["consents"]} == {"track", "vehicle-operation"}
    assert seen["received_by"] == []
    assert json.loads(json.dumps(seen)) == seen


def test_an_erased_car_is_gone_and_the_others_stay(hands):
    hands.allow(1)
    hands.drive(1, 2)
    before = standing(hands.site)
    case = erase(hands.site, hands.car(1), "anna")
    assert case.state == "done"
    assert held(hands, 1) == {}
    assert held(hands, 2)
    assert not [c for c in consents.of_vehicle(hands.site, hands.car(1).id) if c.holds(hands.now)]
    paper = certificate(hands.site, case)["receipt"]
    assert paper["rows"] == 100
    assert paper["keys_destroyed"] == len(paper["segments_old"]) > 0
    assert f"{hands.car(1).id:016x}" == paper["vehicle"]
    after = {s.id for s in standing(hands.site)}
    assert [s for s in before if s.id not in after]
    entry = json.loads(hands.site.ledger.entry_at(hands.site.ledger.size - 1))
    assert (entry["t"], entry["rows"], entry["segments_old"]) == ("erase", 100, paper["keys_destroyed"])
    assert hands.car(1).restricted is None


def test_old_copies_open_nothing_with_all_that_is_left(hands, tmp_path):
    hands.allow(1)
    hands.drive(1, 2)
    site = hands.site
    old = standing(site)
    copies = {s.id: next(site.vault.rglob(f"{s.id}.parquet")).read_bytes() for s in old}
    erase(site, hands.car(1), "anna")
    with reading(site.engine) as conn:
        keys = [row.wrapped for row in conn.execute(site_keys.select())]
    keys += [s.wrapped for s in standing(site)]
    gone = [s for s in old if s.id not in {n.id for n in standing(site)}]
    assert gone
    for segment in gone:
        path = tmp_path / "segments" / segment.place.category / segment.place.day / str(segment.place.bucket)
        path.mkdir(parents=True, exist_ok=True)
        (path / f"{segment.id}.parquet").write_bytes(copies[segment.id])
        for wrapped in keys:
            with pytest.raises(OnshoreError):
                open_segment(replace(segment, wrapped=wrapped), Shelf(site.root, tmp_path, site.id))
        raw = b"".join(p.read_bytes() for p in site.folder.glob("papers.sqlite*"))
        assert segment.wrapped not in raw


def test_what_arrives_after_the_request_is_kept_as_the_law_demands(hands):
    hands.drive(1)
    erase(hands.site, hands.car(1), "anna")
    hands.now += 1000
    hands.drive(1)
    assert set(held(hands, 1)) == {(c, "statutory") for c in ("driving-behaviour", "track", "vehicle-operation")}


def test_rows_still_in_the_journal_are_erased_with_the_rest(hands, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(type(hands.site), "drain", lambda _site: [])
        hands.drive(1, 2)
    erase(hands.site, hands.car(1), "anna")
    assert held(hands, 1) == {}
    assert held(hands, 2)


def test_from_the_request_on_nobody_reads_it_even_if_the_work_is_cut_short(hands, monkeypatch):
    hands.allow(1)
    hands.drive(1)
    monkeypatch.setattr("onshore.rights.erase.erase_vehicle", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        erase(hands.site, hands.car(1), "anna")
    monkeypatch.undo()
    assert hands.car(1).restricted == hands.now
    assert [c.state for c in cases.of_vehicle(hands.site, hands.car(1).id)] == ["asked"]
    carry_out(hands.site)  # whoever keeps the site takes it up again
    (case,) = cases.of_vehicle(hands.site, hands.car(1).id)
    assert case.state == "done"
    assert hands.car(1).restricted is None


def test_asking_twice_is_one_case(hands):
    first = cases.opened(hands.site, hands.car(1), "erase", "anna")
    assert cases.opened(hands.site, hands.car(1), "erase", "anna") == first


def test_a_restriction_that_was_asked_for_survives_an_erasure(hands):
    hands.drive(1)
    cases.opened(hands.site, hands.car(1), "restrict", "anna")
    since = hands.car(1).restricted
    hands.now += 5000
    erase(hands.site, hands.car(1), "anna")
    assert hands.car(1).restricted == since


def test_a_keeper_that_does_nothing_is_told(hands, monkeypatch):
    monkeypatch.setattr("onshore.rights.erase._LOOKS", 2)
    with hold(hands.site.folder / "locks" / "keep", "keep"), pytest.raises(Broken, match="stay restricted"):
        erase(hands.site, hands.car(1), "anna")


def test_a_gate_that_never_closes_its_file_stops_the_erasure(hands, monkeypatch):
    monkeypatch.setattr("onshore.rights.erase._LOOKS", 2)
    site = hands.site
    with Journal(
        site.engine, site.root, site.vault, site=site.id, gate="0", clock=site.clock, randomness=site.randomness
    ) as journal:
        from onshore.words.tally import Sieved, Tally

        journal.append(Sieved(None, Tally(1)), pack="cn/2026-02")
        with pytest.raises(Refusal) as refused:
            erase(site, hands.car(1), "anna")
    assert refused.value.reason == "journal-undrained"


def test_cases_are_found_or_said_to_be_unknown(hands):
    with pytest.raises(Refusal) as refused:
        cases.find(hands.site, "0")
    assert refused.value.reason == "case-unknown"
    case = cases.opened(hands.site, hands.car(1), "restrict", "anna")
    with pytest.raises(Refusal) as refused:
        certificate(hands.site, case)
    assert refused.value.reason == "not-done"


def test_erasure_under_a_clock_that_stands_still_takes_the_last_row_too(hands):
    hands.drive(1)
    with writing(hands.site.engine) as conn:
        assert conn.execute(vehicles.select()).all()
    case = erase(hands.site, hands.car(1), "anna")  # asked in the millisecond of the last row
    assert certificate(hands.site, case)["receipt"]["rows"] == 60
