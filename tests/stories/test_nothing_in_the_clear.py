"""After a day of driving no file of the site holds a VIN or a coordinate that anybody could read."""

import json
import re
import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select

import bytescan
from onshore.cli.drives import computed
from onshore.consent.drives import SUBJECT
from onshore.gate.gb32960.known import Known
from onshore.register import certificates, chips, consents, handover, persons
from onshore.register.consents import receipt
from onshore.register.drives import Standing as Drives
from onshore.rights.access import access
from onshore.site import open_site
from onshore.vault.papers import drives, reading

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


SECRETS = (
    "Cleopatra Beispiel",
    "cleo@example.org",
    "card7-of-Cleo",
    "CHIP-OF-CAR-0001",
    "Ptolemy Auletes",
    "pass-of-delta",
)


def test_who_a_car_is_stands_nowhere_in_the_clear(hands, caplog):
    site, car = hands.site, hands.car(1)
    toml = site.folder / "site.toml"
    toml.write_text(f'{toml.read_text()}\n[gate.platforms.delta]\nuser = "delta"\npassword = "../delta"\n')
    (site.folder.parent / "delta").write_text("pass-of-delta\n")
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hands.vin(1).decode())])
    request = x509.CertificateSigningRequestBuilder().subject_name(named).sign(key, hashes.SHA256())
    done = certificates.certify(site, car.id, request.public_bytes(serialization.Encoding.PEM))
    certificates.revoke(site, car.id, done.serial)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    chips.expect(site, car.id, "CHIP-OF-CAR-0001")
    assert chips.activate(site, car.id, b"CHIP-OF-CAR-0001", public) == chips.Info.KEPT
    person = persons.add_driver(site, car.id, name=SECRETS[0], contact=SECRETS[1], mark=SECRETS[2])
    said = {"vehicle": [car.id], "time": [hands.now], SUBJECT: [SECRETS[2]]}
    Drives(site).hear(pa.RecordBatch.from_pydict(said))
    hands.drive(1)
    with reading(site.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(drives)) == 1
    handover.dismiss(site, car, person)
    handover.sell(site, car, owner=SECRETS[4])
    known = Known(open_site(site.folder), lambda _vin: None, certificates.Standing(site))
    assert known.platform(b"delta", b"pass-of-delta") == "delta"
    handover.retire(site, hands.car(1))
    site.settle()
    hits = bytescan.find(site.folder, [hands.vin(1).decode(), *SECRETS], sorted(set(fixes())))
    assert hits == []
    papers = b"".join(path.read_bytes() for path in site.folder.glob("papers.sqlite*"))
    assert public not in papers
    assert not re.search("LTEST|" + "|".join(SECRETS), caplog.text + str(list(site.ledger.entries())))


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
