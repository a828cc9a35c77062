"""A site over New Year: its log is closed, the next goes on from it, and everything reads both as one."""

import json
from datetime import datetime

import pytest
from click.testing import CliRunner

from backup_makers import backed_up, kept, restored
from onshore.cli.deep import damage
from onshore.cli.verifying import verify
from onshore.vault.papers import writing

EVE = int(datetime.fromisoformat("2027-12-31T23:59:30+08:00").timestamp() * 1000)


def told(site, n=1):
    """Entries handed in and settled; the number of the last one's row."""
    with writing(site.engine) as conn:
        for _ in range(n):
            number = site.hand_in(conn, site.entry("take", obj=f"sha256:{n:064x}", rows=1, parts=1, bytes=1))
    site.settle(number)
    return number


@pytest.fixture
def over(hands):
    """A site whose clock went over New Year, its proof of an entry of the old year taken before."""
    hands.now = EVE
    hands.old = told(hands.site, 300)
    hands.proof = hands.site.proof(hands.old)
    hands.now = EVE + 60_000
    hands.new = told(hands.site, 2)
    return hands


def verified(path, key):
    run = CliRunner().invoke(verify, [str(path), "--key", str(key)])
    assert run.exit_code == 0, run.output
    return run.stdout


def test_the_old_year_and_the_new_verify_as_one(over, tmp_path):
    site, log = over.site, over.site.folder / "ledger"
    kinds = [json.loads(body)["t"] for body in site.ledger.entries()]
    assert kinds[-4:] == ["log", "log", "take", "take"]
    assert "goes on" in verified(log, log / "vkey")
    for number in (over.old, over.new):
        for key in (log / "vkey", log / "2027" / "vkey"):
            (tmp_path / "p.tlog-proof").write_text(site.proof(number))
            assert "verified" in verified(tmp_path / "p.tlog-proof", key)
    (tmp_path / "old.tlog-proof").write_text(over.proof)
    assert "verified" in verified(tmp_path / "old.tlog-proof", log / "vkey")
    assert list(damage(site)) == []
    over.now = EVE
    told(site)
    assert site.ledger.log.origin.endswith("/2028")


def test_what_is_wrong_in_a_closed_year_is_named(over):
    bundle = next((over.site.folder / "ledger" / "2027" / "tile" / "entries").glob("000*"))
    raw = bundle.read_bytes()
    bundle.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    assert [name for name, _ in damage(over.site)] == ["ledger/2027/tile/entries/000"]


def test_a_backup_of_the_old_year_is_restored_in_the_new(hands):
    hands.now = EVE - 86_400_000
    kept(hands)
    told(hands.site, 3)
    backed_up(hands)
    hands.now = EVE + 60_000
    told(hands.site)
    new, _ = restored(hands)
    assert new.ledger.log.origin.endswith("/2028")
    held = list(hands.site.ledger.entries())
    assert list(new.ledger.entries())[: len(held)] == held
    list(new.ledger.fsck())


def test_a_backup_of_the_new_year_has_both(hands):
    hands.now = EVE
    kept(hands)
    told(hands.site, 300)
    backed_up(hands)
    hands.now = EVE + 60_000
    told(hands.site, 300)
    backed_up(hands)
    new, _ = restored(hands)
    list(new.ledger.fsck())
    assert list(new.ledger.closed)[-1] == 2027
