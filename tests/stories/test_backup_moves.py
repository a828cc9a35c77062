"""A backup moves a site to the other database, with all that was decided since; what it cannot know it says."""

from contextlib import contextmanager, nullcontext

import pytest
from sqlalchemy import select

import bytescan
from backup_makers import backed_up, kept, restored
from databases import held, let
from onshore.cli.deep import damage
from onshore.cli.drives import computed
from onshore.cli.forwarding import drop
from onshore.desk.looks.platforms import troubles
from onshore.gate.upload.shelf import Shelf
from onshore.register import consents, handover
from onshore.rights.erase import erase
from onshore.rights.whose import wish
from onshore.site import open_site
from onshore.vault import lanes, papers
from onshore.vault.read import read_all_of
from onshore.words.errors import Refusal
from rights_makers import opened

DAY = 86_400_000
CARS = (1, 2, 3)
PLATFORM = """
[forward.national]
host = "127.0.0.1"
port = 1
jurisdiction = "CN"
code = "ONSHORE"
user = "onshore"
password = "platform.password"
"""


@pytest.fixture
def site(hands):
    return kept(hands)


def kinds_of(here, vehicle):
    """Rows by category and ground."""
    found = read_all_of(here.engine, here.root, here.vault, here.id, vehicle.id, even_restricted=True)
    return sorted((one.place.category, one.place.ground, table.num_rows) for one, table in found)


def wrapped(site):
    """The wrapped keys of all files that stand."""
    with papers.reading(site.engine) as conn:
        return {bytes(row.wrapped) for row in conn.execute(select(papers.segments.c.wrapped))}


@contextmanager
def restored_elsewhere(site, database, databases):
    """The site restored into the other kind of database, what was told, and every byte in which it may lie."""
    with databases.used() if database == "sqlite" else nullcontext():
        if database == "sqlite":
            let(site.site.folder.parent / "new")
        new, done = restored(site, **({} if database == "sqlite" else {"papers": ""}))
        assert {new.engine.dialect.name, database} == {"sqlite", "postgresql"}
        there = held(new.folder) if database == "sqlite" else b""
        yield new, done, there + b"".join(path.read_bytes() for path in new.folder.rglob("*") if path.is_file())


def decided_since(site):
    """One car is erased, of another its track, of the third the consents are withdrawn."""
    assert erase(site.site, site.car(1), "owner").state == "done"
    track = wish(site.site, site.car(2), identity="id-card", categories=["track"])
    assert erase(site.site, site.car(2), "officer", track).state == "done"
    consents.withdraw(site.site, site.car(3))
    site.site.settle()


def test_into_the_other_database_comes_nothing_that_was_erased_since(site, database, databases):
    for car in CARS:
        site.allow(car)
    site.drive(*CARS)
    first, second, third = map(site.car, CARS)
    old, gone, before = wrapped(site.site), first.id.to_bytes(8, "little"), held(site.site.folder)
    assert all(key[12:28] in before for key in old), "the control: they are there"
    assert gone in opened(site.site)
    backed_up(site)
    decided_since(site)
    struck = old - wrapped(site.site)
    assert struck
    with restored_elsewhere(site, database, databases) as (new, done, there):
        assert done.erased == 2
        assert list(damage(new)) == []
        assert kinds_of(new, first) == []
        assert kinds_of(new, second) == kinds_of(site.site, second) != []
        assert all(category != "track" for category, _, _ in kinds_of(new, second))
        assert kinds_of(new, third) == kinds_of(site.site, third) != []
        assert all(consent.withdrawn for consent in consents.of_vehicle(new, third.id))
        assert not any(key[12:28] in there for key in struck)
        assert gone not in opened(new)
        needles = bytescan.Needles([site.vin(car).decode() for car in CARS], fixes())
        assert list(needles.search(there)) == []
        assert list(needles.search(there + site.vin(1))), "the control: it would be found"


def fixes():
    said = (m.units["position"] for car in CARS for m in computed(car, 20))
    return sorted({(one["longitude"], one["latitude"]) for one in said})


def test_a_file_that_came_when_the_car_was_sold_goes_on_for_nobody(site):
    shelf, until = Shelf(site.site), site.now + 30 * DAY
    sold, other = (shelf.add(site.car(car).id, b"what it holds", 100, until).id for car in (1, 2))
    over = shelf.add(site.car(1).id, b"what it held", 100, until).id
    shelf.end(over, "done", until)
    backed_up(site)
    handover.sell(site.site, site.car(1), owner="Bo")
    site.site.settle()
    assert shelf.find(sold) is None
    new, _ = restored(site)
    there = Shelf(new)
    assert there.find(sold) is None
    assert (there.find(over).fate, there.find(other).fate) == ("done", "coming")
    assert list(damage(new)) == []


def test_rows_that_a_person_gave_up_wait_again_and_are_given_up_again(site):
    """As docs/backup.md says."""
    (site.site.folder / "platform.password").write_text("secret\n")
    plain = (site.site.folder / "site.toml").read_text()
    (site.site.folder / "site.toml").write_text(plain + PLATFORM)
    site.site = open_site(site.site.folder, clock=lambda: site.now)
    site.drive(1)
    waits = lanes.backlog(site.site.engine, "national")
    assert waits > 0
    backed_up(site)
    (site.site.folder / "site.toml").write_text(plain)
    site.site = open_site(site.site.folder, clock=lambda: site.now)
    assert drop(site.site, "national", "unlisted") == waits
    site.site.settle()

    new, _ = restored(site)
    assert lanes.backlog(new.engine, "national") == waits
    assert list(damage(new)) == []
    with pytest.raises(Refusal, match="names this platform"):
        drop(new, "national", "unlisted")
    (new.folder / "site.toml").write_text((new.folder / "site.toml").read_text().replace(PLATFORM, ""))
    new = open_site(new.folder, clock=lambda: site.now)
    assert [str(waits) in told for told in troubles(new)] == [True]
    assert drop(new, "national", "unlisted") == waits
    new.settle()
    assert lanes.backlog(new.engine, "national") == 0
