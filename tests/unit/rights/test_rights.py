import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from databases import papers_in
from onshore.register import consents
from onshore.rights import cases
from onshore.rights.access import access
from onshore.rights.certificates import certificate
from onshore.rights.erase import carry_out, erase
from onshore.vault.journal import Journal
from onshore.vault.lock import hold
from onshore.vault.opening import open_papers
from onshore.vault.papers import reading, segments, site_keys, vehicles, writing
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
    monkeypatch.setattr("onshore.rights.erase.erase_scopes", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
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
    again = cases.opened(hands.site, hands.car(1), "erase", "anna")
    assert again == replace(first, turn=first.turn + 1), "what arrived in between goes too"
    assert cases.of_vehicle(hands.site, hands.car(1).id) == [again]


def test_a_restriction_that_was_asked_for_survives_an_erasure(hands):
    hands.drive(1)
    cases.opened(hands.site, hands.car(1), "restrict", "anna")
    since = hands.car(1).restricted
    hands.now += 5000
    erase(hands.site, hands.car(1), "anna")
    assert hands.car(1).restricted == since


def test_a_keeper_that_does_nothing_is_told(hands, monkeypatch):
    monkeypatch.setattr("onshore.vault.patience.LOOKS", 2)
    with hold(hands.site.folder / "locks" / "keep", "keep"), pytest.raises(Broken, match="stay restricted"):
        erase(hands.site, hands.car(1), "anna")


def test_a_gate_that_never_closes_its_file_stops_the_erasure(hands, monkeypatch):
    monkeypatch.setattr("onshore.vault.patience.LOOKS", 2)
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


def test_it_is_restricted_and_withdrawn_at_one_instant_or_not_at_all(hands, monkeypatch):
    hands.allow(1)
    with monkeypatch.context() as patched:
        patched.setattr("onshore.rights.cases.raise_counter", lambda *_: (_ for _ in ()).throw(KeyError("cut short")))
        with pytest.raises(KeyError):
            cases.opened(hands.site, hands.car(1), "erase", "anna")
    assert cases.of_vehicle(hands.site, hands.car(1).id) == []
    assert hands.car(1).restricted is None
    assert {c.withdrawn for c in consents.of_vehicle(hands.site, hands.car(1).id)} == {None}
    case = cases.opened(hands.site, hands.car(1), "erase", "anna")
    assert {c.withdrawn for c in consents.of_vehicle(hands.site, hands.car(1).id)} == {case.asked}
    assert hands.car(1).restricted == case.asked


def test_a_clock_that_was_set_back_leaves_no_row(hands):
    hands.allow(1)
    hands.now += 2000
    hands.drive(1)
    hands.now -= 3_600_000
    paper = certificate(hands.site, erase(hands.site, hands.car(1), "anna"))["receipt"]
    assert paper["rows"] == 100
    assert held(hands, 1) == {}


@pytest.mark.sqlite
def test_no_certificate_while_a_reader_may_keep_the_old_keys_alive(hands, monkeypatch):
    hands.allow(1)
    hands.drive(1, 2)
    site, old = hands.site, [s.wrapped for s in standing(hands.site)]
    monkeypatch.setattr("onshore.vault.patience.LOOKS", 2)
    reader = open_papers(papers_in(site.folder)).connect()
    reader.execute(select(segments)).all()
    with pytest.raises(Broken, match="rows are erased, but"):
        erase(site, hands.car(1), "anna")
    (case,) = cases.of_vehicle(site, hands.car(1).id)
    assert (case.state, case.certificate, case.draft["rows"]) == ("asked", None, 100)
    assert hands.car(1).restricted is not None
    assert held(hands, 1) == {}
    size = site.ledger.size
    assert carry_out(site) == {}
    assert site.ledger.size == size, "nothing is certified"
    later = erase_asked_again(hands)
    reader.close()
    carry_out(site)
    assert {c.id: c.state for c in cases.of_vehicle(site, hands.car(1).id) if c.kind == "erase"} == {
        case.id: "done",
        later: "done",
    }
    assert certificate(site, cases.find(site, case.id))["receipt"]["rows"] == 100
    assert hands.car(1).restricted is None
    raw = b"".join(p.read_bytes() for p in site.folder.glob("papers.sqlite*"))
    standing_now = {s.wrapped for s in standing(site)}
    assert not any(key[12:28] in raw for key in old if key not in standing_now)


def erase_asked_again(hands):
    """Rows of that car are gone already: what is asked now is another case, with what came since."""
    again = cases.opened(hands.site, hands.car(1), "erase", "anna")
    assert again.draft is None
    return again.id


def test_a_damaged_segment_stops_its_own_erasure_alone(hands):
    hands.drive(1, 2)
    site = hands.site
    mine, other = (hands.car(n).id % site.settings.site.buckets for n in (1, 2))
    number = 2
    while other == mine:
        number += 1
        hands.drive(number)
        other = hands.car(number).id % site.settings.site.buckets
    bad = next(s for s in standing(site) if s.place.bucket == mine)
    path = next(site.vault.rglob(f"{bad.id}.parquet"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    waits = cases.opened(site, hands.car(1), "erase", "anna")
    goes = cases.opened(site, hands.car(number), "erase", "anna")
    failed = carry_out(site)
    assert set(failed) == {waits.id}
    assert bad.id in str(failed[waits.id])
    assert cases.find(site, waits.id).state == "asked"
    assert cases.find(site, goes.id).state == "done"
    assert hands.car(1).restricted is not None
    with pytest.raises(Broken, match="was altered"):
        erase(site, hands.car(1), "anna")
    assert carry_out(site, later=failed) == {}
    path.write_bytes(whole)
    assert carry_out(site) == {}
    assert cases.find(site, waits.id).state == "done"
