"""The meter counts distinct persons exactly, whatever is reserved, given back, raced for or restored."""

import os
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import select, update
from test_border_permit import PERMIT, changed

from databases import papers_in
from onshore.border import grants
from onshore.border.metering import meter
from onshore.border.metering.meter import Load
from onshore.border.underway import resume
from onshore.vault import papers
from onshore.vault.lock import hold
from onshore.vault.opening import open_papers
from onshore.vault.papers import reading, writing
from onshore.words.errors import Refusal
from waiting import until

YEAR, ARTICLE = 2026, "Art. 1"


def paper_of(conn, permit, recipient="stuttgart"):
    body = f'{{"recipient":"{recipient}"}}'
    conn.execute(papers.transfers.insert().values(id=permit.transfer, state="permitted", asked=1, body=body))
    conn.execute(papers.permits.insert().values(id=permit.id, transfer=permit.transfer, note="", granted=1))


def reserve(conn, permit, parcel, load, *, year=YEAR, at=1):
    values = {"id": parcel, "transfer": permit.transfer, "permit": permit.id, "state": "reserved", "reserved": at}
    conn.execute(papers.parcels.insert().values(**values))
    meter.reserve(conn, parcel=parcel, permit=permit, article=ARTICLE, year=year, load=load)


def give_back(conn, parcel):
    conn.execute(update(papers.parcels).where(papers.parcels.c.id == parcel).values(state="unsent"))
    meter.give_back(conn, parcel)


def of(*persons, sensitive=(), ordinary=(), vehicles=(), rows=0):
    return Load(frozenset(persons), frozenset(sensitive), frozenset(ordinary), frozenset(vehicles), rows)


@pytest.fixture
def engine(tmp_path):
    return open_papers(papers_in(tmp_path))


@pytest.fixture
def two(engine):
    """Two permits, of two requests and two recipients."""
    first, second = (changed(PERMIT, id=f"p{n}", transfer=f"t{n}", persons=100, rows=50) for n in (1, 2))
    with writing(engine) as conn:
        paper_of(conn, first)
        paper_of(conn, second, "munich")
    return first, second


def test_a_person_counts_once_under_a_permit_in_a_year_and_across_recipients(engine, two):
    first, second = two
    with writing(engine) as conn:
        reserve(conn, first, "a", of(1, 2, 3, sensitive=(1,), ordinary=(2, 3)))
        reserve(conn, first, "b", of(2, 3, 4, ordinary=(2, 3, 4)))
        reserve(conn, second, "c", of(3, 5, ordinary=(3, 5)))
        assert (meter.used(conn, "p1"), meter.used(conn, "p2")) == (4, 2)
        assert meter.exported(conn, YEAR) == meter.Exported(sensitive=1, ordinary=4)
        assert meter.wrong(conn) == []


def test_a_person_who_was_ordinary_first_and_sensitive_later_counts_in_both_classes(engine, two):
    with writing(engine) as conn:
        reserve(conn, two[0], "a", of(1, ordinary=(1,)))
        assert meter.exported(conn, YEAR) == meter.Exported(sensitive=0, ordinary=1)
        assert meter.most_new(conn, YEAR, of(1, ordinary=(1,))) == 0
        assert meter.most_new(conn, YEAR, of(1, sensitive=(1,), ordinary=(1,))) == 1
        reserve(conn, two[0], "b", of(1, sensitive=(1,)))
        assert meter.exported(conn, YEAR) == meter.Exported(sensitive=1, ordinary=1)
        assert meter.used(conn, "p1") == 1


def test_each_year_counts_for_itself_and_a_permit_over_all_of_them(engine, two):
    with writing(engine) as conn:
        reserve(conn, two[0], "a", of(1, 2, ordinary=(1, 2)), year=YEAR)
        reserve(conn, two[0], "b", of(2, 3, ordinary=(2, 3)), year=YEAR + 1)
        assert [meter.exported(conn, y).ordinary for y in (YEAR - 1, YEAR, YEAR + 1)] == [0, 2, 2]
        assert meter.used(conn, "p1") == 3
        meter.refuse_turned(conn, "a", YEAR)
        meter.refuse_turned(conn, "nobody's", YEAR + 1)
        with pytest.raises(Refusal, match=r"counted in 2026, and what is still to go of it .* in 2027") as turned:
            meter.refuse_turned(conn, "a", YEAR + 1)
        assert turned.value.reason == "year-turned"
        assert meter.new_in_year(conn, YEAR, {1, 2, 3}, sensitive=False) == 1
        assert meter.new_under(conn, "p1", {1, 2, 3, 4}) == 1


def test_what_would_pass_the_permit_is_refused_whole(engine):
    permit = changed(PERMIT, persons=3, rows=10)
    with writing(engine) as conn:
        paper_of(conn, permit)
        reserve(conn, permit, "a", of(1, 2, rows=6))
    for load, says in ((of(2, 3, 4), "distinct persons is 3; with this parcel it would be 4"), (of(1, rows=5), "11")):
        with pytest.raises(Refusal, match=says) as refused, writing(engine) as conn:
            reserve(conn, permit, "b", load)
        assert (refused.value.reason, refused.value.article) == ("outside-permit", ARTICLE)
    with writing(engine) as conn:
        assert (meter.used(conn, permit.id), meter.rows_used(conn, permit.id), meter.wrong(conn)) == (2, 6, [])
        reserve(conn, permit, "b", of(2, 3, rows=4))
        assert (meter.used(conn, permit.id), meter.rows_used(conn, permit.id)) == (3, 10)


def test_rows_are_counted_again_once_they_are_sealed(engine, two):
    with writing(engine) as conn:
        reserve(conn, two[0], "a", of(1, rows=30))
        reserve(conn, two[0], "b", of(1, rows=10))
        meter.reserve_rows(conn, parcel="b", permit=two[0], article=ARTICLE, rows=20)
        assert meter.rows_used(conn, "p1") == 50
        with pytest.raises(Refusal, match="rows is 50; with this parcel it would be 51"):
            meter.reserve_rows(conn, parcel="b", permit=two[0], article=ARTICLE, rows=21)
        give_back(conn, "a")
        assert meter.rows_used(conn, "p1") == 20


def test_what_is_given_back_is_what_no_other_parcel_holds(engine, two):
    first, second = two
    with writing(engine) as conn:
        reserve(conn, first, "a", of(1, 2, 3, sensitive=(1, 2), ordinary=(3,), vehicles=(7, 8)))
        reserve(conn, first, "b", of(2, 3, sensitive=(2,), ordinary=(3,), vehicles=(8,)))
        reserve(conn, second, "c", of(1, ordinary=(1,)))
        give_back(conn, "a")
        assert (meter.used(conn, "p1"), meter.used(conn, "p2")) == (2, 1)
        assert meter.exported(conn, YEAR) == meter.Exported(sensitive=1, ordinary=2)
        assert (meter.of_parcel(conn, "a"), meter.of_parcel(conn, "b")) == (0, 2)
        assert (meter.devices_since(conn, 0), meter.wrong(conn)) == (1, [])
        give_back(conn, "a")  # once more takes nothing more away
        assert meter.used(conn, "p1") == 2


def test_devices_and_persons_count_in_a_window_by_recipient(engine, two):
    first, second = two
    with writing(engine) as conn:
        reserve(conn, first, "a", of(1, vehicles=(7, 8)), at=1000)
        reserve(conn, first, "b", of(1, 2, vehicles=(8, 9)), at=2000)
        reserve(conn, second, "c", of(1, 4, vehicles=(10,)), at=3000)
        conn.execute(update(papers.parcels).where(papers.parcels.c.id == "a").values(state="left", left=2500))
        assert [meter.devices_since(conn, at) for at in (0, 1001, 2501, 3001)] == [4, 4, 1, 0]
        assert [meter.devices_since(conn, 0, r) for r in ("stuttgart", "munich", "nobody")] == [3, 1, 0]
        assert [meter.persons_since(conn, 0, r) for r in ("", "stuttgart", "munich")] == [3, 2, 2]
        assert [meter.new_devices(conn, at, "stuttgart", (7, 8, 9, 11)) for at in (0, 2501, 3001)] == [1, 4, 4]
        assert meter.new_devices(conn, 0, "munich", (7, 10)) == 1


def test_others_of_a_window_are_counted_by_class_and_without_those_who_are_asked_about(engine, two):
    first, second = two
    with writing(engine) as conn:
        many = range(1, 801)
        reserve(conn, changed(first, persons=1000), "a", of(*many, sensitive=range(1, 601), ordinary=many), at=2000)
        reserve(conn, second, "b", of(900, ordinary=(900,)), at=2000)
        assert meter.others_since(conn, 0, "stuttgart", ()) == meter.Exported(600, 800)
        assert meter.others_since(conn, 0, "stuttgart", range(21, 1000)) == meter.Exported(20, 20)
        assert meter.others_since(conn, 2001, "stuttgart", ()) == meter.Exported(0, 0)
        assert meter.others_since(conn, 0, "munich", {1, 2}) == meter.Exported(0, 1)


def test_counts_are_what_a_plain_set_of_persons_makes(engine, two):
    rng = random.Random(7)
    parcels: dict[str, tuple] = {}
    with writing(engine) as conn:
        for step in range(60):
            if parcels and rng.random() < 0.3:
                gone = rng.choice(sorted(parcels))
                del parcels[gone]
                give_back(conn, gone)
                continue
            permit, year = rng.choice(two), rng.choice((YEAR, YEAR + 1))
            some = frozenset(rng.sample(range(1, 25), rng.randint(0, 6)))
            load = Load(some, frozenset(p for p in some if p % 2), frozenset(p for p in some if p % 3))
            name = f"parcel{step}"
            parcels[name] = (permit.id, year, load)
            reserve(conn, permit, name, load, year=year)
        compare(conn, parcels)
        meter.recount(conn)
        compare(conn, parcels)


def compare(conn, parcels):
    under, sensitive, ordinary = (defaultdict(set) for _ in range(3))
    for permit, year, load in parcels.values():
        under[permit] |= load.persons
        sensitive[year] |= load.sensitive
        ordinary[year] |= load.ordinary
    assert {p: meter.used(conn, p) for p in ("p1", "p2")} == {p: len(under[p]) for p in ("p1", "p2")}
    for year in (YEAR, YEAR + 1):
        assert meter.exported(conn, year) == meter.Exported(len(sensitive[year]), len(ordinary[year]))
        asked = set(range(30))
        assert meter.new_in_year(conn, year, asked, sensitive=True) == len(asked - sensitive[year])
    assert meter.wrong(conn) == []


def test_a_total_that_somebody_lowered_is_found(engine, two):
    with writing(engine) as conn:
        reserve(conn, two[0], "a", of(1, 2, ordinary=(1, 2)))
        conn.execute(update(papers.meter_totals).where(papers.meter_totals.c.name == "permit/p1").values(persons=1))
        assert meter.wrong(conn) == ["permit/p1"]
        meter.recount(conn)
        assert meter.wrong(conn) == []
        conn.execute(papers.counted.delete())
        assert len(meter.wrong(conn)) == 2


RACER = """
import os, random, sys
from pathlib import Path
from onshore.border import grants, requests
from onshore.border.metering import meter
from onshore.border.metering.meter import Load
from onshore.site import open_site
from onshore.vault.papers import writing
from onshore.words.errors import Refusal
from sqlalchemy.exc import OperationalError
from test_meter import ARTICLE, LIMIT, YEAR, begun, ended

me, crashes, now = int(sys.argv[2]), sys.argv[4] == "crashes", int(sys.argv[5])
site = open_site(Path(sys.argv[1]), clock=lambda: now)
permit = grants.in_force(site, requests.find(site, sys.argv[3]).transfer)
rng = random.Random(me)
full = 0
for turn in range(10_000):
    load = Load(frozenset(rng.sample(range(1, 400), 3)), rows=1)  # racers share persons, so they count once
    name = f"{me}-{turn}"
    try:
        with writing(site.engine) as conn:
            grants.refuse_revoked(site, conn, permit.id)
            begun(conn, permit, name)
            meter.reserve(conn, parcel=name, permit=permit, article=ARTICLE, year=YEAR, load=load)
            assert meter.used(conn, permit.id) <= LIMIT, "passed"
            if crashes and turn % 2:
                os._exit(9)  # in mid-transaction, and a parcel of an earlier turn is still reserved
        if not crashes:
            with writing(site.engine) as conn:
                ended(conn, name, left=rng.random() < 0.8)
    except OperationalError:
        continue  # SQLite has no queue of writers: with eight at once, one may wait its ten seconds in vain
    except Refusal as refusal:
        if refusal.reason == "permit-revoked":
            print(full)
            break
        full += 1
        site.folder.with_name("full").touch()
"""
LIMIT = 100


def begun(conn, permit, parcel):
    values = {"id": parcel, "transfer": permit.transfer, "permit": permit.id, "state": "reserved", "reserved": 1}
    conn.execute(papers.parcels.insert().values(**values))


def ended(conn, parcel, *, left):
    if left:
        conn.execute(update(papers.parcels).where(papers.parcels.c.id == parcel).values(state="left", left=1))
    else:
        give_back(conn, parcel)


def test_eight_processes_race_while_one_revokes_and_one_crashes(border):
    """They race for the last persons of a permit until it is revoked; the limit is never passed, all is returned."""
    border.hands.allow(1)
    border.hands.drive(1)
    request, granted = border.permitted(persons=LIMIT)
    site, here = border.site, Path(__file__)
    path = os.pathsep.join([str(Path(meter.__file__).parents[3]), str(here.parent), str(here.parents[2])])
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(site.folder), str(n), request.id, how, str(border.hands.now)],
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n, how in enumerate(["races"] * 8 + ["crashes"])
    ]
    until(lambda: racers[8].poll() is not None and site.folder.with_name("full").exists(), seconds=120)
    grants.revoke(site, granted.id)
    after = used(site, granted)
    told = [racer.communicate() for racer in racers]
    assert [racer.returncode for racer in racers] == [0] * 8 + [9], told
    assert sum(int(out) for out, _ in told[:8]) > 0, "nobody came to the limit"
    assert used(site, granted) <= after <= LIMIT
    with hold(site.folder / "locks" / "border", "border"):
        resume(site)
    with reading(site.engine) as conn:
        assert meter.wrong(conn) == []
        t, p = papers.meter.c, papers.parcels.c
        left = conn.execute(select(t.person).distinct().join(papers.parcels, p.id == t.parcel).where(p.state == "left"))
        assert meter.used(conn, granted.id) == len(left.all()) > 0
        assert set(conn.execute(select(p.state)).scalars()) == {"left", "unsent"}
        assert meter.rows_used(conn, granted.id) == len(conn.execute(select(p.id).where(p.state == "left")).all())


def used(site, granted):
    with reading(site.engine) as conn:
        return meter.used(conn, granted.id)
