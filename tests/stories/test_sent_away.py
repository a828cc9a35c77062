"""From the command line: a parcel goes to the recipient's server, who signs for it; the site checks itself after."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onshore.border import approvals, grants, requests
from onshore.cli.init import regulator_key
from onshore.ledger.signer import Signer
from onshore.site import open_site
from onshore.words.permit import Transfer
from receiving import Authority
from sending_makers import Honest, Talker, answer

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")
SOURCE = Path(requests.__file__).parents[2]
RECIPIENT = Signer("stuttgart.example/parcels", b"r" * 32)


class Told(Honest):
    """A server that the site's command line is sent to, through the real hook."""


def onshore(*said, site=None):
    """Run the command, hook and all, in a process of its own."""
    where = [] if site is None else ["--site", str(site)]
    command = [sys.executable, "-c", "from onshore.cli.main import main; main()", *said, *where]
    env = os.environ | {"PYTHONPATH": str(SOURCE)}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def permitted(hands, tmp_path):
    """A request that is permitted, and a server of its recipient; the clock is the machine's."""
    hands.now = int(time.time() * 1000) - 60_000  # cars drive until then; the command has the machine's clock
    folder, authority, server = hands.site.folder, Authority(tmp_path / "ca"), Told()
    with Talker(authority, server) as talker:
        settings = folder / "site.toml"
        url = f"https://localhost:{talker.port}/files"
        said = f'how = "https"\nurl = "{url}"\njurisdiction = "DE"\nca = "{authority.file}"\n'
        text = settings.read_text().replace(
            "[recipients.stuttgart]\n", f'[recipients.stuttgart]\nvkey = "{RECIPIENT.vkey}"\n'
        )
        settings.write_text(f"{text}\n[recipients.stuttgart.send]\n{said}")
        site = hands.site = open_site(folder, clock=lambda: hands.now)
        hands.allow(1)
        hands.drive(1)
        request = Transfer(
            "t1", "warranty-analysis", ("track",), "stuttgart", hands.now - 86_400_000, hands.now + 86_400_000
        )
        requests.ask(site, request)
        for kind in PAPERS:
            requests.file_paper(site, request, kind, number="1", by="officer", until=None, sha256=None)
        for name in ("officer", "deputy"):
            approvals.approve(site, request.id, name)
        signer, today = Signer("shanghai/regulator", regulator_key(folder).read_bytes()), site.today()
        route = "contract-or-certificate"
        drafted = grants.draft(site, request, persons=1, start=today, until=today, by="regulator", route=route)
        grants.grant(site, drafted, signer)
        yield folder, server, talker


def test_a_parcel_is_sent_signed_for_and_accounted_for(permitted, tmp_path):
    folder, server, talker = permitted
    done = onshore("transfer", "ship", "t1", "--as", "officer", site=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"https://localhost:{talker.port}/files/1"
    proof, parcel = server.files.values()
    assert proof.startswith(b"c2sp.org/tlog-proof")

    (tmp_path / "t1-1.parcel").write_bytes(parcel)
    (tmp_path / "t1-1.tlog-proof").write_bytes(proof)
    verified = onshore("verify", str(tmp_path / "t1-1.parcel"), "--key", str(folder / "ledger" / "vkey"))
    assert verified.returncode == 0, verified.stdout + verified.stderr

    (tmp_path / "key").write_text(RECIPIENT.skey)
    signed = onshore("receipt", "write", str(tmp_path / "t1-1.parcel"), "--key", str(tmp_path / "key"))
    assert signed.returncode == 0, signed.stderr
    (tmp_path / "receipt").write_text(signed.stdout)
    taken = onshore("transfer", "receipt", "t1", str(tmp_path / "receipt"), "--as", "officer", "--json", site=folder)
    assert json.loads(taken.stdout) == {"parcel": "t1-1", "state": "closed"}, taken.stderr

    shown = json.loads(onshore("egress", "show", "--json", site=folder).stdout)
    assert shown["total"] > shown["payload"] == len(parcel)
    assert shown["unexplained"] == 0
    lines = {line["what"]: line for line in json.loads(onshore("check", "--json", site=folder).stdout)}
    assert lines["unexplained bytes"]["good"]
    assert "attempt" not in lines
    assert "receipts" not in lines
    plain = onshore("egress", "show", site=folder).stdout
    assert f"DE  {shown['total']} bytes" in plain
    assert hashlib.sha256(parcel).hexdigest() in signed.stdout


def test_a_server_that_says_yes_and_has_nothing_closes_no_case(permitted):
    """Only the recipient's receipt does: until it is there, `check` says that one is awaited."""
    folder, server, _ = permitted
    taken = {}

    def swallow(asked):
        taken[asked.path] = taken.get(asked.path, 0) + len(asked.body)
        return b"HTTP/1.1 204 X\r\nUpload-Offset: %d\r\n\r\n" % taken[asked.path]

    server.patch = swallow
    server.head = lambda asked: (
        b"HTTP/1.1 200 X\r\nUpload-Offset: %d\r\nUpload-Length: %d\r\n\r\n" % (taken[asked.path], taken[asked.path])
    )
    assert onshore("transfer", "ship", "t1", "--as", "officer", site=folder).returncode == 0
    assert json.loads(onshore("transfer", "show", "t1", "--json", site=folder).stdout)["state"] == "left"
    lines = {line["what"]: line["says"] for line in json.loads(onshore("check", "--json", site=folder).stdout)}
    assert "1 parcels left, and their recipients have not said that they have them" in lines["receipts"]


def test_a_redirect_leads_nowhere_and_nothing_left(permitted):
    folder, server, talker = permitted
    server.post = lambda _: answer(307, "Location: https://elsewhere.example/files")
    done = onshore("transfer", "ship", "t1", "--as", "officer", site=folder)
    assert done.returncode == 1
    assert "refused (redirected)" in done.stderr
    assert [asked.method for asked in talker.heard] == ["POST"]
    assert json.loads(onshore("egress", "show", "--json", site=folder).stdout)["payload"] == 0


def test_what_was_tried_is_bad_until_an_officer_has_looked(hands):
    from onshore.border.sending import attempts

    attempts.note(hands.site, [("onshore.gate.door", "connect", 0)])
    folder = hands.site.folder
    bad = onshore("check", site=folder)
    assert bad.returncode == 1
    assert "onshore.gate.door tried to open a connection outwards, and was stopped" in bad.stdout
    assert onshore("egress", "acknowledge", "--as", "anna", site=folder).returncode == 1, "an owner is no officer"
    done = onshore("egress", "acknowledge", "--as", "officer", site=folder)
    assert (done.returncode, done.stderr.strip()) == (0, "1 acknowledged; the ledger keeps that they were")
    assert "onshore.gate.door" not in onshore("check", site=folder).stdout
