"""The account of what leaves, held against the kernel's count and the ledger; and whoever sends past it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, select, update

from onshore.border.sending import accounts, attempts, reconciling
from onshore.border.sending.accounts import Account
from onshore.border.transfer import ship
from onshore.cli.deep import damage
from onshore.cli.verifying import verify
from onshore.vault.papers import entries, meta, reading, sendings, writing
from onshore.words.errors import Broken
from receiving import Authority
from sending_makers import Honest, Talker


@pytest.fixture
def left(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request, _ = border.permitted()
    return border.site, ship(border.site, request.id).id


def sums(site):
    with reading(site.engine) as conn:
        return accounts.total(conn)


def egress(site):
    site.settle()
    return [e for e in map(json.loads, site.ledger.entries()) if e["t"] == "egress"]


def looked(site):
    return {what: (good, says) for what, good, says in reconciling.looks(site)}


def test_nothing_left_and_nothing_is_stated(hands):
    assert sums(hands.site) == accounts.Total(0, 0, {}, 0)
    assert looked(hands.site)["unexplained bytes"][0]
    assert egress(hands.site) == []


def test_a_parcel_in_the_outbox_is_payload_that_no_socket_took(left):
    site, _ = left
    release = next(e for e in map(json.loads, site.ledger.entries()) if e["t"] == "release")
    assert sums(site) == accounts.Total(0, release["bytes"], {"DE": 0}, 0)
    assert [(e["total"], e["payload"], e["to"]) for e in egress(site)] == [(0, release["bytes"], [["DE", 0]])]
    good, says = looked(site)["unexplained bytes"]
    assert good, says
    assert looked(site)["receipts"][1].startswith("1 parcels left")


def test_the_ledger_is_told_when_totals_change_and_only_then(left):
    site, parcel = left
    account = Account(site, parcel)
    account.took(100, 100)
    account.took(0, 0)
    account.there(1)
    account.begun(1)
    account.took(50, 50)
    assert [e["total"] for e in egress(site)] == [0, 100, 150]
    assert sums(site).to == {"DE": 150}


def test_each_checkpoint_covers_the_totals_as_of_it(left):
    site, parcel = left
    for more in range(1, 4):
        Account(site, parcel).took(more, more)
        site.settle()
        entries = [json.loads(e) for e in site.ledger.entries()]
        assert [e["total"] for e in entries if e["t"] == "egress"][-1] == sums(site).wire


def test_what_the_kernel_took_beyond_the_account_is_unexplained(left):
    site, parcel = left
    Account(site, parcel).took(100, 142)
    good, says = looked(site)["unexplained bytes"]
    assert not good
    assert says.startswith("42, of 100")
    assert egress(site)[-1]["unexplained"] == 42


TAMPERED = {
    "the ledger states": {"wire": 1, "kernel": 1},
    "is not what its release": {"bytes": 1, "payload": 1, "most": 1},
    "does not add up": {"most": 0},
}


@pytest.mark.parametrize("why", TAMPERED)
def test_an_account_that_was_changed_beside_the_ledger_is_seen(left, why):
    site, _ = left
    with writing(site.engine) as conn:
        conn.execute(update(sendings).values(**TAMPERED[why]))
    good, says = looked(site)["unexplained bytes"]
    assert not good
    assert why in says


def rewritten(conn, kind, change):
    """Rewrites the papers' copy of an entry of the log."""
    for row in conn.execute(select(entries)).all():
        said = json.loads(row.body)
        if said["t"] == kind:
            body = json.dumps(said | change(said), sort_keys=True, separators=(",", ":")).encode()
            conn.execute(update(entries).where(entries.c.id == row.id).values(body=body))


def test_a_hand_that_also_rewrites_the_papers_copy_of_the_log_is_seen(left):
    """An account made smaller, with the release and the totals as the papers keep them: the log itself has others."""
    site, _ = left
    site.settle()
    with writing(site.engine) as conn:
        conn.execute(update(sendings).values(bytes=1, payload=1, most=1))
        rewritten(conn, "release", lambda _: {"bytes": 1})
        rewritten(conn, "egress", lambda _: {"payload": 1})
    good, says = looked(site)["unexplained bytes"]
    assert not good
    assert "the accounts were changed beside it" in says
    assert "is not what its release" in says


def test_an_account_that_was_struck_with_what_the_papers_say_of_it_is_seen(left):
    site, parcel = left
    site.settle()
    with writing(site.engine) as conn:
        conn.execute(delete(sendings))
        rewritten(conn, "egress", lambda _: {"payload": 0})
    good, says = looked(site)["unexplained bytes"]
    assert not good
    assert "the accounts were changed beside it" in says
    assert f"{parcel} is out, and has no account" in says


def test_an_entry_of_totals_that_was_left_out_is_seen(left):
    """Between the bytes and the next checkpoint: what waits to be written is taken away."""
    site, parcel = left
    Account(site, parcel).took(700, 700)
    with writing(site.engine) as conn:
        waits = entries.c.leaf.is_(None) & (entries.c.id == select(func.max(entries.c.id)).scalar_subquery())
        assert conn.execute(delete(entries).where(waits)).rowcount == 1
    site.settle()
    good, says = looked(site)["unexplained bytes"]
    assert not good
    assert "the ledger states 0 and" in says


def lowered(site, **values):
    with writing(site.engine) as conn:
        conn.execute(update(sendings).values(**values))


def test_nothing_leaves_on_accounts_that_were_made_smaller_and_the_ledger_takes_nothing_back(left, border):
    site, parcel = left
    Account(site, parcel).took(700, 700)
    said = egress(site)
    lowered(site, wire=5, kernel=5)
    border.hands.drive(1)
    with pytest.raises(Broken, match=r"total: 5 after 700"):
        ship(site, parcel.rpartition("-")[0])
    Account(site, parcel).took(1, 1)
    assert egress(site) == said, "less than before is not stated"
    assert "the ledger stated more before" in looked(site)["unexplained bytes"][1]
    lowered(site, wire=700, kernel=700)
    assert ship(site, parcel.rpartition("-")[0]).persons == 1
    assert looked(site)["unexplained bytes"][0]


@pytest.mark.parametrize("mark", [None, "[0, 0, {}, ''", "before"])
def test_a_hand_that_has_the_ledger_take_totals_back_is_found_and_stopped(left, border, mark):
    """Smaller accounts, with an entry that states them handed in as if by us; the log itself says so from then on."""
    site, parcel = left
    with reading(site.engine) as conn:
        old = conn.scalar(select(meta.c.value).where(meta.c.name == "egress-most"))
    Account(site, parcel).took(700, 700)
    lowered(site, wire=5, kernel=5)
    with writing(site.engine) as conn:
        site.hand_in(conn, site.entry("egress", **accounts.fields(accounts.total(conn))))
        conn.execute(delete(meta).where(meta.c.name == "egress-most"))
        if mark:
            conn.execute(meta.insert().values(name="egress-most", value=old if mark == "before" else mark))
    for _ in range(2):
        good, says = looked(site)["unexplained bytes"]
        assert not good
        assert "total: 5 after 700" in says
        site.settle()
    assert [says for _, says in damage(site) if "fewer bytes" in says]
    border.hands.drive(1)
    with pytest.raises(Broken, match=r"total: 5 after 700"):
        ship(site, parcel.rpartition("-")[0])
    found = CliRunner().invoke(verify, [str(site.folder / "ledger"), "--key", str(site.folder / "ledger" / "vkey")])
    assert found.exit_code == 3
    assert "states fewer bytes than one before it" in found.stdout


def test_totals_are_found_behind_many_other_entries(left):
    site, parcel = left
    Account(site, parcel).took(9, 9)
    with writing(site.engine) as conn:
        for number in range(1100):
            site.hand_in(conn, site.entry("attempt", what="start", bytes=number))
    assert looked(site)["unexplained bytes"][0], "while they wait"
    site.settle()
    assert looked(site)["unexplained bytes"][0]


def test_bytes_that_went_while_a_process_died_are_counted_by_the_next(left):
    """Killed between the socket and the account: what was about to go counts as gone, never as not."""
    site, parcel = left
    account = Account(site, parcel)
    account.goes(5000)
    assert sums(site).wire == 0
    good, says = looked(site)["unexplained bytes"]
    assert good
    assert "up to 5000 more are going just now" in says
    account.goes(300)
    account.took(200, 200)
    assert sums(site).wire == 5200
    assert egress(site)[-1]["total"] == 5200
    account.goes(7)
    with writing(site.engine) as conn:
        accounts.whole(site, conn, parcel)
    assert sums(site) == accounts.Total(5207, sums(site).payload, {"DE": 5207}, 0)


def test_an_account_never_goes_back(left):
    site, parcel = left
    account = Account(site, parcel)
    before = account.most()
    account.begun(1)
    account.there(1)
    assert account.most() == before
    account.remember(upload="/files/1", proof="/files/0")
    account.remember(proof="")
    assert account.remote() == {"upload": "/files/1"}


# ---- past the account ----

ROGUE = """
import sys
from pathlib import Path
from onshore.cli.egress import record, shut_the_border
from onshore.border.sending import destinations
from onshore.site import open_site
shut_the_border(sys.addaudithook)
site = open_site(Path(sys.argv[1]))
destinations.of(site, "stuttgart")
body = '''
import socket
with socket.create_connection(("localhost", {port})) as sock:
    sock.sendall(b"x" * 5000)
'''
try:
    exec(compile(body, "<module>", "exec"), {{"__name__": "{module}"}})
finally:
    record(site)
"""


@pytest.fixture
def rogue(border, tmp_path):
    """Runs a module that sends 5,000 bytes on its own, in a process where the hook watches; what it said."""

    def run(module, *, listed=True):
        with Talker(Authority(tmp_path / "ca"), Honest()) as talker:
            port = talker.port if listed else 1
            said = f'how = "https"\nurl = "https://localhost:{port}/"\njurisdiction = "DE"\n'
            with (border.site.folder / "site.toml").open("a") as file:
                file.write(f"\n[recipients.stuttgart.send]\n{said}")
            env = os.environ | {"PYTHONPATH": str(Path(accounts.__file__).parents[3])}
            body = ROGUE.format(port=talker.port, module=module)
            command = [sys.executable, "-c", body, str(border.site.folder)]
            return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    return run


def test_whoever_sends_past_the_account_on_an_allowed_road_is_seen(border, rogue):
    done = rogue("onshore.border.send")
    assert done.returncode == 0, done.stderr
    looks = looked(border.site)
    good, says = looks["unexplained bytes"]
    assert not good
    assert says.startswith("5000, of 0")
    assert "onshore.border.send" in looks["attempt"][1]
    assert "5000 bytes past the account" in looks["attempt"][1]
    assert egress(border.site)[-1]["unexplained"] == 5000
    assert attempts.acknowledge(border.site, "officer") == 1
    assert looked(border.site)["unexplained bytes"][0]
    said = [e for e in map(json.loads, border.site.ledger.entries()) if e["t"] == "attempt"]
    assert [(e["what"], e["module"], e["bytes"]) for e in said] == [("uncounted", "onshore.border.send", 5000)]


@pytest.mark.parametrize(
    ("module", "listed", "what"),
    [
        ("onshore.border.send", False, "reach a place that site.toml does not list"),
        ("onshore.border.client", True, "open a connection outwards"),
        ("onshore.gate.client", True, "open a connection outwards"),
        ("onshore.border.transfer", True, "open a connection outwards"),
        ("somebody_else", True, "code that is not Onshore's tried to open a connection outwards"),
    ],
)
def test_a_connection_that_was_stopped_is_written_down_until_somebody_looked(border, rogue, module, listed, what):
    done = rogue(module, listed=listed)
    assert "it was stopped" in done.stderr
    good, says = looked(border.site)["attempt"]
    assert not good
    assert what in says
    assert "localhost" not in says
    assert looked(border.site)["unexplained bytes"][0], "not a byte went"
    attempts.acknowledge(border.site, "officer")
    assert "attempt" not in looked(border.site)
    assert attempts.acknowledge(border.site, "officer") == 0
