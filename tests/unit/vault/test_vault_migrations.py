"""Papers of an older release open in this one with all that they hold; those of a newer one are refused."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, inspect, select, text

import schema
from databases import papers_in, papers_url
from onshore.vault import counts, papers
from onshore.vault.client import opened
from onshore.vault.keeping import keeping
from onshore.vault.lock import hold
from onshore.vault.migrations import FIRST, HEAD, upgrading
from onshore.vault.migrations.versions import released
from onshore.vault.opening import open_papers
from onshore.vault.restrictions import Scope, hidden
from onshore.vault.transactions import made_strict
from onshore.words.errors import Broken, Refusal

CAR, OTHER, THIRD = 7, 8, 9


def bare(folder):
    """Papers that nothing was laid out in, whichever database they are for."""
    where = papers_in(folder)
    engine = made_strict(create_engine(where)) if isinstance(where, str) else opened(where)
    with papers.writing(engine) as conn:
        papers.metadata.drop_all(conn)
        conn.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    return engine


@pytest.fixture
def old(tmp_path):
    """Papers as release 0.1.0 laid them out, with two restricted cars."""
    engine = bare(tmp_path)
    tables = released.metadata.tables
    with papers.writing(engine) as conn:
        released.metadata.create_all(conn)
        for car, restricted in ((CAR, 5), (OTHER, None), (THIRD, 3)):
            row = {"id": car, "vin_mac": bytes([car]) * 32, "vin_sealed": b"sealed", "added": 1}
            conn.execute(insert(tables["vehicles"]).values(**row, restricted=restricted))
        conn.execute(insert(tables["site_keys"]).values(name="lookup", wrapped=b"wrapped"))
        case = {"vehicle": CAR, "asked_by": "owner", "state": "asked"}
        conn.execute(insert(tables["rights_cases"]).values(**case, id="c1", kind="restrict", asked=5))
        conn.execute(insert(tables["rights_cases"]).values(**case, id="c2", kind="erase", asked=6))
        conn.execute(insert(tables["journals"]).values(id="1/1", wrapped=b"w", opened=1, turn=0))
    return engine


@pytest.fixture
def exported(old):
    """The same, of which parcels left under two permits, one is on its way, and nothing of one left."""
    t = released.metadata.tables
    with papers.writing(old) as conn:
        for number in (1, 2):
            request = {"id": f"t{number}", "state": "permitted", "asked": 1, "body": "{}"}
            conn.execute(insert(t["transfers"]).values(**request))
            conn.execute(insert(t["permits"]).values(id=f"p{number}", transfer=f"t{number}", note="", granted=1))
        for at, (parcel, permit, state, persons) in enumerate(PARCELS):
            row = {"id": parcel, "transfer": f"t{permit[1]}", "permit": permit, "state": state, "reserved": at}
            conn.execute(insert(t["parcels"]).values(**row))
            for person in persons:
                counted = {"parcel": parcel, "person": person, "permit": permit, "year": 2026}
                conn.execute(insert(t["meter"]).values(**counted, sensitive=person % 2 == 1))
    return old


PARCELS = (
    ("a", "p1", "left", (1, 2, 3)),
    ("b", "p1", "leaving", (3, 4)),
    ("c", "p2", "left", (1, 5)),
    ("d", "p2", "unsent", (6, 7)),
    ("e", "p2", "reserved", (4, 5, 8)),
)


def test_whom_parcels_counted_goes_on_to_count(exported, tmp_path):
    engine = open_papers(papers_in(tmp_path))
    with papers.writing(engine) as conn:
        assert counts.wrong(conn) == []
        totals = {row.name: row.persons for row in conn.execute(select(papers.meter_totals))}
        assert totals == {"permit/p1": 4, "permit/p2": 4, "2026/ordinary": 6, "2026/sensitive": 3}
        assert list(counts.new(conn, "permit/p2", counts.ids((4, 6, 8)))) == [6]
        counts.give_back(conn, "b")
        conn.execute(papers.meter.delete().where(papers.meter.c.parcel == "b"))
        assert counts.wrong(conn) == []
        assert [counts.total(conn, name) for name in ("permit/p1", "2026/ordinary")] == [3, 6], "e holds 4 as well"
        counts.add(conn, "permit/p9", "c", counts.ids((1, 5)))
        assert counts.total(conn, "permit/p9") == 2


def stamp(engine, number):
    with papers.writing(engine) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})


def test_the_first_format_is_what_the_release_made(vectors, database):
    with (vectors / f"papers_0001.{database}.sql").open() as file:
        assert schema.statements(released.metadata, database) == file.read()


def test_the_head_is_the_newest_format():
    script = ScriptDirectory(str(upgrading.FOLDER))
    assert script.get_current_head() == HEAD
    assert script.get_bases() == [FIRST]
    assert not any(hasattr(step.module, "downgrade") for step in script.walk_revisions()), "none goes back"


def test_papers_that_were_upgraded_are_papers_that_were_laid_out(old, tmp_path):
    upgraded = schema.found(open_papers(papers_in(tmp_path)))
    (tmp_path / "new").mkdir()
    laid_out = schema.found(open_papers(papers_in(tmp_path / "new")))
    assert upgraded == laid_out
    assert set(upgraded) == {table.name for table in papers.metadata.sorted_tables}


def test_nothing_is_left_to_migrate(old, tmp_path):
    with open_papers(papers_in(tmp_path)).connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, papers.metadata) == []


def test_a_restricted_car_stays_restricted_by_each_of_its_cases(old, tmp_path):
    engine = open_papers(papers_in(tmp_path))
    t = papers.restrictions.c
    with papers.reading(engine) as conn:
        rows = conn.execute(select(t.vehicle, t.since, t.case).order_by(t.vehicle, t.since)).all()
        assert [tuple(row) for row in rows] == [(CAR, 5, "c1"), (CAR, 6, "c2"), (THIRD, 3, None)]
        hides = hidden(conn)
        assert [hides.holds(Scope(car)) for car in (CAR, OTHER, THIRD)] == [True, False, True]
        assert conn.execute(select(papers.vehicles.c.vin_sealed)).scalars().all() == [b"sealed"] * 3
        assert conn.execute(select(papers.journals.c.id)).scalars().all() == ["1/1"]


def test_papers_that_are_up_to_date_open_without_what_upgrades_them(tmp_path, database):
    open_papers(papers_in(tmp_path)).dispose()
    said = "import sys; from onshore.vault.opening import *; from onshore.vault.client import named; "
    where = papers_url(tmp_path)
    asked = f"named({where!r})" if where else f"sqlite_url(Path({str(tmp_path / 'papers.sqlite')!r}))"
    said += f"open_papers({asked}); print(*sorted({{'alembic', 'pg8000'}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", said], capture_output=True, text=True, check=True)
    assert done.stdout.split() == (["pg8000"] if where else [])


def test_papers_are_upgraded_once(old, tmp_path):
    with papers.reading(open_papers(papers_in(tmp_path))) as conn:
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
    with papers.reading(open_papers(papers_in(tmp_path))) as conn:
        assert len(conn.execute(select(papers.restrictions.c.id)).all()) == 3


def test_papers_of_a_newer_release_are_refused(tmp_path):
    stamp(open_papers(papers_in(tmp_path)), "0099")
    with pytest.raises(Refusal, match=f"format 0099, and this release .* formats up to {HEAD}") as refused:
        open_papers(papers_in(tmp_path))
    assert refused.value.reason == "papers-newer"
    assert "newer release" in refused.value.remedy


def test_papers_of_no_release_are_refused_and_stay(old, tmp_path):
    with papers.writing(old) as conn:
        conn.exec_driver_sql("ALTER TABLE heard RENAME COLUMN digests TO sums")
    with pytest.raises(Refusal, match="the table 'heard'") as refused:
        open_papers(papers_in(tmp_path))
    assert refused.value.reason == "papers-unknown"
    assert "restrictions" not in inspect(old).get_table_names()


def test_an_upgrade_that_fails_changes_nothing(old, tmp_path):
    with papers.writing(old) as conn:
        conn.exec_driver_sql("CREATE TABLE wishes (somebody INTEGER)")  # in the way, when much is done already
    before = schema.found(old)
    with pytest.raises(Broken, match=f"stay as they are, at format {FIRST}"):
        open_papers(papers_in(tmp_path))
    assert schema.found(old) == before
    assert not inspect(old).has_table("alembic_version")


@pytest.mark.parametrize("road", ["keep", "gate", "journal"])
def test_papers_that_an_older_release_still_uses_are_not_upgraded(old, tmp_path, road):
    lock = tmp_path / ("vault/journal/1/lock" if road == "journal" else f"locks/{road}")
    with hold(lock, road), pytest.raises(Refusal, match="another process already runs"):
        open_papers(papers_in(tmp_path), folder=tmp_path)
    assert "restrictions" not in inspect(old).get_table_names()
    open_papers(papers_in(tmp_path), folder=tmp_path)
    assert "restrictions" in inspect(old).get_table_names()


def test_whoever_keeps_the_site_may_upgrade_it(old, tmp_path):
    with keeping(tmp_path):
        open_papers(papers_in(tmp_path), folder=tmp_path)
    assert "restrictions" in inspect(old).get_table_names()


def test_a_database_serves_one_site(tmp_path, database):
    open_papers(papers_in(tmp_path), site="one")
    open_papers(papers_in(tmp_path), site="one")
    if database == "sqlite":  # the file lies in the site's own folder
        open_papers(papers_in(tmp_path), site="two")
        return
    with pytest.raises(Refusal, match="another site"):
        open_papers(papers_in(tmp_path), site="two")
