"""After a day of driving no file of the site holds a VIN or a coordinate that anybody could read."""

import json
import sqlite3
from pathlib import Path

import pytest

import bytescan
from onshore.cli.drives import computed
from onshore.register import consents
from onshore.register.consents import receipt
from onshore.rights.access import access

CARS = (1, 2, 3)
SECONDS = 1200  # of each of four drives over the day


def fixes():
    for car in CARS:
        for moment in computed(car, SECONDS):
            position = moment.units["position"]
            yield position["longitude"], position["latitude"]


def test_no_file_holds_a_vin_or_a_coordinate_in_the_clear(hands):
    site = hands.site
    for part in range(4):
        hands.drive(*CARS, seconds=SECONDS)
        hands.now += 4 * 3_600_000
        if part == 0:
            paper = receipt(site, hands.allow(1)[0])
            assert hands.vin(1).decode() not in json.dumps(paper)
        if part == 2:
            consents.withdraw(site, hands.car(1))
    access(site, hands.car(2), "officer")
    site.settle()
    assert sum(1 for _ in site.vault.rglob("*.parquet")) > 10
    hits = bytescan.find(site.folder, [hands.vin(n).decode() for n in CARS], sorted(set(fixes())))
    assert hits == []


def test_an_undrained_journal_is_no_clearer(hands, monkeypatch):
    monkeypatch.setattr(type(hands.site), "drain", lambda _site: [])
    hands.drive(*CARS, seconds=SECONDS)
    assert list(hands.site.vault.rglob("*.journal"))
    hits = bytescan.find(hands.site.folder, [hands.vin(n).decode() for n in CARS], sorted(set(fixes())))
    assert hits == []


def _in_papers(folder: Path, secret: bytes) -> None:
    conn = sqlite3.connect(folder / "papers.sqlite")
    conn.execute("INSERT INTO meta VALUES ('planted', ?)", (secret,))
    conn.commit()
    conn.close()


def _appended(pattern: str):
    def plant(folder: Path, secret: bytes) -> None:
        path = next(folder.rglob(pattern))
        path.write_bytes(path.read_bytes() + secret)

    return plant


def _put(name: str):
    def plant(folder: Path, secret: bytes) -> None:
        (folder / name).write_bytes(b"before" + secret + b"after")

    return plant


@pytest.mark.parametrize(
    "plant",
    [
        _in_papers,
        _appended("*.parquet"),
        _appended("tile/**/1"),
        _appended("site.toml"),
        _put("papers.sqlite-journal"),
        _put("new.tmp"),
    ],
    ids=["papers", "segment", "ledger", "settings", "journal of papers", "temporary file"],
)
def test_the_search_finds_what_is_planted(hands, plant):
    hands.drive(1)
    vin = hands.vin(1).decode()
    assert bytescan.find(hands.site.folder, [vin], []) == []
    plant(hands.site.folder, vin.encode())
    assert bytescan.find(hands.site.folder, [vin], [])
