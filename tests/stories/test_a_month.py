"""A month of a site: what should be readable is, to the row, and no byte of what should not be is found anywhere."""

import json
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

import bytescan
import databases
from backup_makers import backed_up, kept, restored
from month_makers import OWNER, USE, Month
from onshore.cli.deep import damage
from onshore.ledger import __main__ as verifier
from onshore.ledger.entry import read as read_entry
from onshore.register import handover, persons
from onshore.rights import cases, certificates
from onshore.rights.sale import Choice, sell
from onshore.words.vocabulary import STATUTORY
from rights_makers import opened, verified

CARS = range(1, 8)
MEMORY = Path("/dev/shm")
MARK = "card-of-Cleopatra"
NAMES = ("Cleopatra Beispiel", "cleo@example.org", MARK, "Ptolemy Auletes", "ptolemy@example.org", "Berenike Tryphaina")
NAMES += tuple(f"owner{car}@example.org" for car in CARS)


def drives(month, *days):
    """Every car drives on the morning and on the evening of these days; each night the site is kept."""
    for day in days:
        for hour in (1, 11):
            month.day(day, hour)
            month.drive()
        month.day(day, 14)
        month.night()


def until_the_backup(month):
    """People allow, withdraw and ask; one car has two drivers."""
    hands = month.hands
    for car in CARS[:-1]:
        month.allow(car, "track", "vehicle-operation")
    second = persons.add_driver(hands.site, hands.car(2).id, name=NAMES[0], contact=NAMES[1], mark=MARK)
    month.allow(2, "driving-behaviour", "vehicle-operation", who=second)
    drives(month, 0, 1)
    month.day(2, 1)
    month.at_the_wheel(2, MARK, second)
    month.drive()
    month.at_the_wheel(2, "", OWNER)
    month.drive()
    month.night()
    month.withdraw(3, "track", "vehicle-operation")
    drives(month, 3, 4)
    month.day(5, 1)
    month.ask(2, lambda row: row.who == second, person=second)  # one of two drivers
    month.allowed.pop((2, second))
    month.ask(4, lambda row: row.category == "track", categories=["track"])
    month.allowed[4, OWNER] -= {"track"}
    month.drive()
    month.night()
    month.day(6, 1)
    month.allow(3, "vehicle-operation")
    drives(month, 6, 8)
    start = month.local_midnight(1)
    month.ask(
        5, lambda row: start <= row.time < start + 3 * 86_400_000, first=month.local_date(1), last=month.local_date(3)
    )
    drives(month, 9)


def backup_loss_and_restore(month):
    """What is decided between a backup and the loss of the disk is not forgotten."""
    hands = month.hands
    month.day(10, 1)
    month.night()
    backed_up(hands)
    month.ask(1)
    month.allowed.pop((1, OWNER))
    month.night()
    month.withdraw(6, "track")
    lost = hands.site.folder
    hands.site.settle()
    new, done = restored(hands)
    assert done.recalled == 3  # the wish, the consents that end with it, the withdrawal
    assert done.erased == 1
    hands.site.engine.dispose()
    shutil.rmtree(lost)
    hands.site = new
    month.keys.clear()
    assert month.found() == month.expected()
    drives(month, 11, 12)


def sales(month):
    """One car is sold and all of before erased, another one and nothing; both go on with people who know nothing."""
    hands, site = month.hands, month.site
    month.day(16, 1)
    month.drive()
    sold = sell(site, hands.car(4), "officer", Choice(erase=True), owner=NAMES[3], contact=NAMES[4])
    assert sold.case.state == "done"
    month.forget(lambda row: row.car == 4)
    sold = sell(site, hands.car(5), "officer", Choice(), owner=NAMES[5])
    month.hide(lambda row: row.car == 5)
    for car in (4, 5):
        month.allowed.pop((car, OWNER))
    hands.now += 1000
    month.drive()
    month.night()
    month.day(17, 1)
    month.allow(4, "vehicle-operation")
    drives(month, 17, 20)


def to_its_end(month):
    """A night with several wishes at once, a month's end, the last erasure; each person has a certificate."""
    month.day(22, 1)
    start = month.local_midnight(6)
    asked = [
        month.ask(3, lambda row: row.category == "vehicle-operation", categories=["vehicle-operation"]),
        month.ask(
            3, lambda row: start <= row.time < start + 86_400_000, first=month.local_date(6), last=month.local_date(6)
        ),
        month.ask(7),
    ]
    month.allowed[3, OWNER] -= {"vehicle-operation"}
    month.night()
    drives(month, 26, 29)
    asked.append(month.ask(6))
    month.allowed.pop((6, OWNER))
    month.day(29, 18)
    month.night()
    handover.retire(month.site, month.hands.car(6))
    month.night()
    return asked


def handed_out(site, asked, folder):
    """Each certificate, as the person keeps it; the site then cannot link it to the ledger any more."""
    folder.mkdir()
    for case in (cases.find(site, one) for one in asked):
        paper = certificates.certificate(site, case)
        assert verified(site, paper)
        (folder / f"{case.id}.json").write_text(json.dumps(paper))
        certificates.hand_out(site, case)


def places(site):
    """Every folder in which a byte of the site lies: its own, the backup, what people were handed, the database."""
    yield site.folder.parent
    if databases._here:
        server = databases._here[-1].server
        server.ask("CHECKPOINT")
        name = databases.papers_url(site.folder).partition("?")[0].rpartition("/")[2]
        ((oid,),) = server.ask(f"SELECT oid FROM pg_database WHERE datname = '{name}'")
        yield from (server.data / "base" / str(oid), server.data / "pg_wal")


def holds(folder: Path, needles) -> bool:
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert files
    return any(needle in data for data in files for needle in needles)


@pytest.fixture
def tmp_path(tmp_path):
    """In memory where there is room: a month syncs thousands of times."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
def month(hands):
    return Month(kept(hands), CARS)


def test_a_month(month, caplog):
    until_the_backup(month)
    assert month.found() == month.expected()
    backup_loss_and_restore(month)
    sales(month)
    asked = to_its_end(month)
    site = month.site

    assert month.found() == month.expected()
    for use in (USE, STATUTORY):
        assert month.readable(use) == month.allowed_to(use) != set()
    assert month.unseen
    there = opened(site)
    assert [car for car, id_ in month.ids.items() if id_.to_bytes(8, "little") in there] == [1, 2, 3, 4, 5, 7]

    handed_out(site, asked, site.folder.parent / "handed")
    backed_up(month.hands)
    site.settle()
    kinds = [read_entry(body)["t"] for body in site.ledger.entries()]
    assert {"ingest", "consent", "erase", "compact", "retire", "key", "backup", "restore"} <= set(kinds)
    assert list(damage(site)) == []
    trust = verifier.trust(str(site.folder / "ledger" / "vkey"), None, None)
    assert any(found.says.startswith("root: ") for found in verifier.examine(site.folder / "ledger", trust))
    for folder in places(site):
        assert bytescan.find(folder, [*month.vins, *NAMES], month.fixes()) == []
        assert not holds(folder, [site.key("column"), site.key("ledger")])
    assert month.gone - month.keys
    assert not holds(site.folder, month.gone - month.keys)
    secrets = (*month.vins, *NAMES)
    assert not any(secret in caplog.text + str(list(site.ledger.entries())) for secret in secrets)


def test_the_search_finds_what_is_planted(month):
    """In each folder that the month is searched in."""
    month.allow(2, "track")
    drives(month, 0)
    backed_up(month.hands)
    site = month.site
    key = site.key("column")
    for folder in (site.folder, site.folder.parent / "backup"):
        assert bytescan.find(folder, [*month.vins, *NAMES], month.fixes()) == []
        some = next(folder.rglob("*.parquet"), None) or next(path for path in folder.rglob("data/*/*"))
        for secret in (month.vins[0].encode(), NAMES[0].encode(), f"{month.fixes()[3][0]:.6f}".encode()):
            data = some.read_bytes()
            some.write_bytes(data + secret)
            assert bytescan.find(folder, [*month.vins, *NAMES], month.fixes())
            some.write_bytes(data)
        assert not holds(folder, [key])
        (folder / "left").write_bytes(b"before" + key)
        assert holds(folder, [key])
        (folder / "left").unlink()


def test_a_row_too_many_or_too_few_is_seen(month):
    month.allow(2, "track")
    drives(month, 0)
    assert month.found() == month.expected()
    some = min(month.there)
    month.there.remove(some)
    assert month.found() != month.expected()
    month.there |= {some, replace(some, time=some.time + 1)}
    assert month.found() != month.expected()
