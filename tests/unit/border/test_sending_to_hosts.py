"""Parcels of a real site go to servers of other makes over TLS, which are killed in mid-upload, as is the border."""

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from onshore.border import grants
from onshore.border.metering import meter
from onshore.border.send import _Line
from onshore.border.sending import accounts, destinations, reconciling
from onshore.border.sending.messages import Request
from onshore.border.transfer import ship
from onshore.border.underway import resume
from onshore.site import open_site
from onshore.vault.papers import parcels, reading, sendings
from onshore.words.errors import Refusal
from receiving import Authority, Swift, Tus, why_no_swift, why_no_tus

pytestmark = pytest.mark.sqlite  # the servers are slow to start; test_accounts.py has both
needs_tus = pytest.mark.skipif(bool(why_no_tus()), reason=why_no_tus() or "it can")
needs_swift = pytest.mark.skipif(bool(why_no_swift()), reason=why_no_swift() or "it can")

PART = 4096


class Away:
    """A site whose recipient has a server, and a request that is permitted."""

    def __init__(self, border, folder, said, server):
        self.border, self.hands, self.server = border, border.hands, server
        self.hands.now = int(time.time() * 1000)
        with (folder / "site.toml").open("a") as file:
            file.write("\n[recipients.stuttgart.send]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in said.items()))
        self.site = border.site = self.hands.site = open_site(folder, clock=lambda: self.hands.now)
        for car in range(1, 4):
            self.hands.allow(car)
        self.hands.drive(1, 2, 3, seconds=200)
        self.request, self.permit = border.permitted(persons=3)

    def row(self, table=sendings):
        with reading(self.site.engine) as conn:
            return conn.execute(select(table)).one()

    def said(self):
        with reading(self.site.engine) as conn:
            return accounts.total(conn)

    def entries(self, *kinds):
        self.site.settle()
        return [e for e in map(json.loads, self.site.ledger.entries()) if e["t"] in kinds]

    def looks(self):
        return {what: (good, says) for what, good, says in reconciling.looks(self.site)}


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of a few KiB, as storage takes them from 5 MiB on and a test's parcel is smaller."""
    of = destinations.of
    monkeypatch.setattr(destinations, "of", lambda *said: replace(of(*said), part=PART))


@pytest.fixture
def tus(tmp_path, border, small_parts):
    authority = Authority(tmp_path / "ca")
    server = Tus(tmp_path, authority)
    url = f"https://localhost:{server.port}/files"
    said = {"how": "https", "url": url, "jurisdiction": "DE", "ca": str(authority.file)}
    try:
        yield Away(border, tmp_path / "site", said, server)
    finally:
        server.program.kill()


@pytest.fixture(scope="module")
def swift(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storage")
    server = Swift(folder, Authority(folder / "ca"))
    yield server
    server.kill()


@pytest.fixture
def bucket(tmp_path, border, small_parts, swift):
    (tmp_path / "keys").write_text(f"{swift.ACCESS}\n{swift.SECRET}\n")
    url = f"https://localhost:{swift.port}/parcels/{os.urandom(4).hex()}"
    said = {"how": "s3", "url": url, "jurisdiction": "DE", "ca": str(swift.folder.parent / "ca" / "ca.pem")}
    away = Away(border, tmp_path / "site", said | {"keys": str(tmp_path / "keys"), "region": swift.REGION}, swift)
    asked(away, Request("PUT", "/parcels"))
    return away


class Uncounted:
    """An account of what a test itself asks a server."""

    def now(self):
        return int(time.time() * 1000)

    def goes(self, _count):
        pass

    def took(self, _wire, _kernel):
        pass


def asked(away, request):
    with _Line(destinations.of(away.site, "stuttgart"), Uncounted()) as line:
        return line.ask_signed(request)


@pytest.fixture
def at_part(monkeypatch):
    """Does something before the n-th part of a parcel goes (from 1), each n once."""
    real = grants.in_force
    acts = {}

    def looked(site, transfer, permit=None):
        with reading(site.engine) as conn:
            going = conn.execute(select(sendings.c.parcel)).scalar()
            sent = accounts.handed_over(conn, going) // PART
        act = acts.pop(sent + 1, None) if sent else None
        if act is not None:
            act()
        return real(site, transfer, permit)

    monkeypatch.setattr(grants, "in_force", looked)
    return acts


def digests(folder):
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder}


@needs_tus
def test_a_parcel_is_uploaded_with_its_proof_and_every_byte_explained(tus):
    shipped = ship(tus.site, tus.request.id)
    parcel = tus.row(parcels)
    assert shipped.where.startswith(f"https://localhost:{tus.server.port}/files/")
    assert parcel.state == "left"
    assert parcel.sha256 in digests(tus.server.files)
    assert any(b"c2sp.org/tlog-proof" in path.read_bytes() for path in tus.server.files)
    assert not list((tus.site.folder / "outbox").glob("*"))
    assert not list((tus.site.folder / "staging").glob("*"))
    row, sums = tus.row(), tus.said()
    assert row.payload == row.most == row.bytes == tus.entries("release")[0]["bytes"]
    assert sums.wire == row.kernel > row.bytes
    assert sums.to == {"DE": sums.wire}
    last = tus.entries("egress")[-1]
    assert (last["total"], last["payload"], last["unexplained"]) == (sums.wire, row.bytes, 0)
    assert tus.looks()["unexplained bytes"][0]


@needs_tus
def test_a_server_killed_in_mid_upload_goes_on_where_it_was(tus, at_part):
    at_part[3] = tus.server.program.kill
    with pytest.raises(Refusal) as refused:
        ship(tus.site, tus.request.id)
    assert refused.value.reason == "not-reached"
    assert tus.row(parcels).state == "sending"
    before = tus.row()
    assert 0 < before.payload <= before.most < before.bytes
    with reading(tus.site.engine) as conn:
        assert meter.used(conn, tus.permit.id) == 3, "what may have arrived stays counted"
    tus.server.program.start()
    ship(tus.site, tus.request.id)
    parcel, row = tus.row(parcels), tus.row()
    assert parcel.state == "left"
    assert parcel.sha256 in digests(tus.server.files)
    assert row.wire < 1.5 * row.bytes + 40_000, "what was there was not sent again"
    assert tus.looks()["unexplained bytes"][0]


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from onshore.border.sending import accounts, destinations
from onshore.border import fallen
from onshore.border.transfer import ship
from onshore.site import open_site
of, real = destinations.of, fallen.refuse
destinations.of = lambda *said: replace(of(*said), part=int(sys.argv[4]))
def looked(site, conn, transfer, parcel):
    if accounts.handed_over(conn, parcel) >= 2 * int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
    real(site, conn, transfer, parcel)
fallen.refuse = looked
ship(open_site(Path(sys.argv[1]), clock=lambda: int(sys.argv[3])), sys.argv[2])
"""


def killed(away):
    source = Path(accounts.__file__).parents[3]
    said = [str(away.site.folder), away.request.id, str(away.hands.now), str(PART)]
    env = os.environ | {"PYTHONPATH": str(source)}
    done = subprocess.run([sys.executable, "-c", KILLED, *said], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr


@needs_tus
def test_a_border_killed_in_mid_upload_sends_the_rest_and_nothing_twice(tus):
    killed(tus)
    row = tus.row()
    assert row.payload <= row.most < row.bytes
    resume(tus.site)
    assert tus.row(parcels).state == "left"
    assert tus.row(parcels).sha256 in digests(tus.server.files)
    assert len(tus.server.files) == 2, "one proof, one parcel"


@needs_tus
def test_after_a_crash_a_revoked_permit_stops_the_rest_and_what_left_stays_counted(tus):
    killed(tus)
    grants.revoke(tus.site, tus.permit.id)
    most = tus.row().most
    resume(tus.site)
    assert tus.row(parcels).state == "cut"
    cut = tus.entries("release")[-1]
    assert (cut["state"], cut["bytes"]) == ("cut", most)
    with reading(tus.site.engine) as conn:
        assert meter.used(conn, tus.permit.id) == 3
    assert tus.server.files == [], "the server was asked to do away with it"


@needs_tus
def test_a_revocation_in_mid_shipment_stops_it_at_the_next_part(tus, at_part):
    at_part[3] = lambda: grants.revoke(tus.site, tus.permit.id)
    with pytest.raises(Refusal) as refused:
        ship(tus.site, tus.request.id)
    assert refused.value.reason == "permit-revoked"
    assert tus.row(parcels).state == "cut"
    assert tus.row().most == 2 * PART
    assert tus.looks()["unexplained bytes"][0]


@needs_tus
def test_a_host_that_is_away_before_the_first_byte_leaves_nothing_behind(tus):
    tus.server.program.kill()
    with pytest.raises(Refusal) as refused:
        ship(tus.site, tus.request.id)
    assert refused.value.reason == "not-reached"
    assert tus.row(parcels).state == "unsent"
    with reading(tus.site.engine) as conn:
        assert meter.used(conn, tus.permit.id) == 0
    tus.server.program.start()
    assert ship(tus.site, tus.request.id).persons == 3


@needs_swift
def test_a_parcel_is_put_into_storage_part_by_part(bucket):
    shipped = ship(bucket.site, bucket.request.id)
    parcel = bucket.row(parcels)
    path = shipped.where.partition(f":{bucket.server.port}")[2]
    assert asked(bucket, Request("HEAD", path)).headers["content-length"] == str(bucket.row().bytes)
    body = asked(bucket, Request("GET", path)).body
    assert hashlib.sha256(body).hexdigest() == parcel.sha256
    proof = asked(bucket, Request("GET", path.replace(".parcel", ".tlog-proof")))
    assert proof.body.startswith(b"c2sp.org/tlog-proof")
    assert bucket.row().wire == bucket.row().kernel
    assert bucket.looks()["unexplained bytes"][0]


@needs_swift
def test_storage_takes_no_signature_of_another_key(bucket):
    keys = bucket.site.folder.parent / "keys"
    keys.write_text(f"{bucket.server.ACCESS}\nanother-secret\n")
    with pytest.raises(Refusal) as refused:
        ship(bucket.site, bucket.request.id)
    assert refused.value.reason == "not-taken"
    assert "403" in refused.value.says
    assert bucket.row(parcels).state == "unsent"


@needs_swift
def test_parts_that_storage_has_are_not_put_again(bucket):
    killed(bucket)
    before = bucket.row()
    resume(bucket.site)
    parcel, row = bucket.row(parcels), bucket.row()
    assert parcel.state == "left"
    assert row.wire - before.wire < row.bytes - before.payload + 20_000
    path = json.loads(row.remote)["object"]
    assert hashlib.sha256(asked(bucket, Request("GET", path)).body).hexdigest() == parcel.sha256


@needs_swift
def test_a_cut_parcel_leaves_no_parts_in_storage(bucket):
    killed(bucket)
    grants.revoke(bucket.site, bucket.permit.id)
    resume(bucket.site)
    assert bucket.row(parcels).state == "cut"
    remote = json.loads(bucket.row().remote)
    assert asked(bucket, Request("HEAD", remote["object"])).status == 404
    assert asked(bucket, Request("GET", remote["object"], query={"uploadId": remote["upload"]})).status == 404
