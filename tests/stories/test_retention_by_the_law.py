"""Weeks of a site with its clock in hand: what the law lets lie stays, the rest goes, and the ledger says so."""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from bytescan import find
from onshore.cli import serve
from onshore.cli.drives import computed
from onshore.cli.main import cli
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.decode import decode
from onshore.gate.intake import Intake
from onshore.ledger import packs
from onshore.ledger.packs import PackFile, shipped
from onshore.ledger.signer import Signer
from onshore.rights.retention import Limits
from onshore.rights.retiring import looked, overdue, turn
from onshore.rules.local import local_midnight
from onshore.site import open_site
from onshore.vault import papers
from onshore.vault.journal import Journal
from onshore.vault.papers import reading
from onshore.vault.segments import Shelf, open_segment, path_of, segments_where
from onshore.words.batch import with_exception

DAY = 86_400_000
ANNA = Signer("counsel.example/anna", b"a" * 32)
ZONE = "Asia/Shanghai"


def midnight(year, month, day):
    return local_midnight(date(year, month, day), ZONE)


def held(site):
    """(category, ground, exception) to the times of the rows that lie."""
    found = {}
    shelf = Shelf(site.root, site.vault, site.id)
    with reading(site.engine) as conn:
        listed = segments_where(conn)
    for one in listed:
        times = open_segment(one, shelf).read(columns=["time"]).column("time").cast("int64").to_pylist()
        found.setdefault((one.place.category, one.place.ground, one.place.exception), []).extend(times)
    return {kind: sorted(times) for kind, times in found.items()}


def tagged(hands, exception, seconds=5):
    """A drive of the first car whose file said that it is an exception, as the door hands it to the intake."""
    site = hands.site
    frames = [encode.realtime(hands.vin(1), hands.now + m.offset, m.units) for m in computed(1, seconds)]
    batch = decode(frames, [hands.car(1).id] * len(frames), hands.now + seconds * 1000).batch
    hands.now += seconds * 1000
    said = {"site": site.id, "gate": "0", "clock": site.clock, "randomness": site.randomness}
    with Journal(site.engine, site.root, site.vault, **said) as journal:
        Intake(site, journal).take_in(with_exception(batch, exception))
    return site.drain()


def retired(site):
    site.write_ledger()
    return [entry for entry in map(json.loads, site.ledger.entries()) if entry["t"] == "retire"]


def run(site):
    done = []
    while some := turn(site):
        done += some
    return done


def keys_of(site, kind):
    with reading(site.engine) as conn:
        listed = segments_where(conn)
    return [one for one in listed if (one.place.category, one.place.ground, one.place.exception) == kind]


def papers_bytes(site):
    site.engine.dispose()
    return b"".join(path.read_bytes() for path in sorted(site.folder.glob("papers.sqlite*")))


CONSENTED, STATUTORY, TEST = ("track", "consent", ""), ("track", "statutory", ""), ("track", "consent", "road-test")


def test_weeks_of_a_site(hands):
    site = hands.site
    hands.allow(1)
    first = midnight(2026, 9, 22) + 12 * 3_600_000
    starts = []
    for day in range(20):
        hands.now = first + day * DAY
        starts.append(hands.now)
        hands.drive(1, seconds=5)
        if day in (0, 1):
            tagged(hands, "road-test")
        if day < 14:
            assert run(site) == []
        else:
            (gone,) = run(site)
            assert gone.kind == CONSENTED
        assert all(hands.now - time <= 14 * DAY + 1000 for time in held(site)[CONSENTED])
    left = held(site)
    times = [time for start in starts for time in range(start, start + 5000, 1000)]
    assert left[CONSENTED] == [time for time in times if hands.now - time < 14 * DAY + 1000]
    assert len(left[STATUTORY]) == 110, "the law itself has it kept: every instant of twenty days, and two tests"
    assert len(left[TEST]) == 10, "a licensed road test is outside the cap"
    said = retired(site)
    assert {(e["category"], e["ground"], tuple(e["articles"])) for e in said} == {
        ("track", "consent", ("TC260-001 (2021)",))
    }
    assert sum(e["rows"] for e in said) == 100 - len(left[CONSENTED])
    looks = CliRunner().invoke(cli, ["check", "--site", str(site.folder), "--deep", "--json"], catch_exceptions=False)
    (deep,) = [line for line in json.loads(looks.stdout) if line["what"] == "deep"]
    assert deep["good"], deep


def test_keys_and_files_of_what_went_are_nowhere(hands):
    site = hands.site
    hands.allow(1)
    hands.drive(1, seconds=5)
    old = keys_of(site, CONSENTED)
    fixes = [(m.units["position"]["longitude"], m.units["position"]["latitude"]) for m in computed(1, 5)]
    hands.now += 16 * DAY
    assert [(one.kind, one.rows, one.new) for one in run(site)] == [(CONSENTED, 5, ())]
    held_bytes = papers_bytes(site)
    for one in old:
        assert not (site.vault / path_of(one.place, one.id)).exists()
        assert one.wrapped[12:28] not in held_bytes
    assert list(find(site.folder, [hands.vin(1).decode()], fixes)) == []


def test_of_a_day_that_is_not_over_the_older_rows_go_and_the_others_stay(hands):
    site = hands.site
    hands.allow(1)
    start = midnight(2026, 10, 1) + 3_600_000
    hands.now = start
    hands.drive(1, seconds=20)
    (before,) = keys_of(site, CONSENTED)
    hands.now = start + 14 * DAY + 11_000
    (gone,) = run(site)
    assert (gone.rows, [s.rows for s in gone.new]) == (11, [9])
    assert held(site)[CONSENTED] == [start + 1000 * n for n in range(11, 20)]
    assert before.wrapped[12:28] not in papers_bytes(site)
    assert run(site) == []
    hands.now += 10_000
    assert [one.rows for one in run(site)] == [9]
    assert CONSENTED not in held(site)


class House:
    """A site whose law changes on a day: the pack that follows has another cap."""

    def __init__(self, hands, cap):
        self.hands, self.folder = hands, hands.site.folder
        toml = self.folder / "site.toml"
        text = toml.read_text().replace("signers = [", f'signers = ["{ANNA.vkey}", ', 1)
        toml.write_text(text.replace('pack = "cn/2026-02"', 'pack = "cn/2026-03"\nlater = ["cn/2026-10"]', 1))
        self.own("cn/2026-03", ("valid_from = 2026-01-30\n", "valid_from = 2026-01-30\nvalid_until = 2026-09-30\n"))
        self.own("cn/2026-10", ("valid_from = 2026-01-30\n", "valid_from = 2026-10-01\n"), ('max = "14d"', cap))
        self.site = hands.site = open_site(self.folder, clock=lambda: hands.now)

    def own(self, name, *changes):
        text = shipped("cn/2026-02").text.replace('id = "cn/2026-02"', f'id = "{name}"', 1)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        folder = self.folder / "packs" / name
        folder.mkdir(parents=True)
        (folder / "pack.toml").write_text(text)
        (folder / "pack.note").write_text(packs.signed(PackFile(text, None, None, name), ANNA))


def test_a_law_that_begins_on_a_day_is_obeyed_from_that_day_on(hands):
    site = House(hands, 'max = "3d"').site
    hands.allow(1)
    changes = midnight(2026, 10, 1)
    hands.now = changes - 5 * DAY
    hands.drive(1, seconds=5)
    told = json.loads(shown(site, "--json", "--at", "2026-09-26"))
    kinds = {(s["category"], s["ground"]): s for s in told["segments"]}
    assert kinds["track", "consent"]["may"]["until"] == "2026-09-30T16:00:00Z", "its first day: it is older by then"
    hands.now = changes - 1000
    assert run(site) == []
    hands.now = changes
    assert [one.kind for one in run(site)] == [CONSENTED]
    assert retired(site)[-1]["packs"] == [f"sha256:{Limits(site, changes).digest}"]


def test_a_law_without_a_cap_lets_it_lie(hands):
    site = House(hands, 'max = "400d"').site
    hands.allow(1)
    hands.now = midnight(2026, 9, 25)
    hands.drive(1, seconds=5)
    hands.now = midnight(2026, 12, 1)
    assert run(site) == []


def shown(site, *more):
    done = CliRunner().invoke(cli, ["retention", "--site", str(site.folder), *more], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_dry_run_says_what_would_go_and_touches_nothing(hands):
    site = hands.site
    hands.allow(1)
    hands.drive(1, seconds=5)
    before = {path: path.read_bytes() for path in sorted(site.vault.rglob("*.parquet"))}
    told = json.loads(shown(site, "--at", "2026-12-01", "--json"))
    kinds = {(s["category"], s["ground"]): s for s in told["segments"]}
    track = kinds["track", "consent"]
    assert (track["rows"], track["due"]["rows"], track["due"]["whole"]) == (5, 5, 1)
    assert track["may"]["article"] == "TC260-001 (2021)"
    assert (kinds["track", "statutory"]["may"], kinds["track", "statutory"]["due"]["rows"]) == (None, 0)
    assert kinds["vehicle-operation", "consent"]["may"] is None, "no law here says until when"
    text = shown(site, "--at", "2026-12-01")
    assert "over: 5 rows go, 1 files as a whole, 0 rewritten" in text
    assert {path: path.read_bytes() for path in sorted(site.vault.rglob("*.parquet"))} == before
    assert retired(site) == []


def test_it_is_done_by_hand_too_by_whoever_may(hands, monkeypatch):
    site = hands.site
    hands.allow(1)
    hands.drive(1, seconds=5)
    hands.now += 20 * DAY
    monkeypatch.setitem(open_site.__kwdefaults__, "clock", site.clock)
    ask = ["retention", "run", "--site", str(site.folder), "--as"]
    refused = CliRunner().invoke(cli, [*ask, "anna"])
    assert refused.exit_code == 1
    done = CliRunner().invoke(cli, [*ask, "officer"], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, "track, consent: 5 rows of 1 files went\n")
    again = CliRunner().invoke(cli, [*ask, "officer", "--json"], catch_exceptions=False)
    assert (again.exit_code, json.loads(again.stdout)) == (0, [])
    assert CONSENTED not in held(site)


def test_whoever_keeps_the_site_does_it_every_hour(hands, monkeypatch):
    site = hands.site
    hands.allow(1)
    hands.drive(1, seconds=5)
    monkeypatch.setattr(serve, "_OVER", 3)
    keeper = serve.Keeper(site)
    with site.keeping():
        keeper.look()
        hands.now += 20 * DAY
        looked(site)  # a person said that the clock is right
        keeper.look()
        assert CONSENTED in held(site), "not before its time"
        for _ in range(4):
            keeper.look()
    assert CONSENTED not in held(site)
    assert len(retired(site)) == 1


@pytest.mark.parametrize(("days", "late"), [(14.5, False), (15.5, True)])
def test_check_is_bad_when_something_is_over_for_more_than_a_day(hands, days, late):
    site = hands.site
    hands.allow(1)
    hands.drive(1, seconds=5)
    hands.now += int(days * DAY)
    assert bool(overdue(site)) is late
    assert run(site)
    assert overdue(site) == []


def test_an_upload_that_expired_is_forgotten(hands):
    site = hands.site
    row = {"id": "a" * 32, "vehicle": 1, "size": 1, "manifest": b"m", "offset": 0, "step": 0, "state": b"s"}
    with papers.writing(site.engine) as conn:
        conn.execute(papers.uploads.insert().values(**row, until=hands.now + 1000, open=False, fate="done"))
    assert turn(site) == ()
    with papers.reading(site.engine) as conn:
        assert conn.execute(papers.uploads.select()).first() is not None
    hands.now += 1000
    turn(site)
    with papers.reading(site.engine) as conn:
        assert conn.execute(papers.uploads.select()).first() is None
