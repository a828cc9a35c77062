"""A site is backed up while it runs, lost, and restored: what was erased, restricted or withdrawn since stays so."""

import json
import shutil
import threading

import pytest
from sqlalchemy import select

import bytescan
from backup_makers import DAYS, asked, backed_up, kept, restored
from databases import papers_url
from onshore.cli import backing_up
from onshore.cli.deep import damage
from onshore.cli.drives import computed
from onshore.cli.key_rounds import round_of
from onshore.desk.looks import backups
from onshore.ledger.entry import read
from onshore.ledger.log import Log
from onshore.register import acts, chips, consents, handover, vehicles
from onshore.rights import cases
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.vault import papers, recall
from onshore.vault.keeping import suppress_taken
from onshore.vault.read import read_all_of
from onshore.vault.restrictions import hidden
from onshore.words.errors import Broken, Malformed, Refusal
from rights_makers import opened

DAY = 86_400_000


@pytest.fixture
def site(hands):
    return kept(hands)


def rows(here, vehicle):
    found = read_all_of(here.engine, here.root, here.vault, here.id, vehicle.id, even_restricted=True)
    return sum(table.num_rows for _, table in found)


def kinds(here):
    return [read(body)["t"] for body in here.ledger.entries()]


def refused(act):
    with pytest.raises(Refusal) as why:
        act()
    return why.value.reason


def test_a_site_comes_back_and_remembers_what_it_decided_since(site):
    site.allow(1)
    site.drive(1, 2, 3, 4)
    fifth = site.car(5).id
    backed_up(site)
    consents.withdraw(site.site, site.car(1))
    assert erase(site.site, site.car(2), "owner").state == "done"
    cases.opened(site.site, site.car(3), "restrict", "owner")
    handover.sell(site.site, site.car(4), owner="Bo")
    handover.retire(site.site, site.car(5))
    site.site.settle()
    new, done = restored(site)
    assert (done.recalled, done.erased) == (5, 1)
    assert [c.withdrawn is not None for c in consents.of_vehicle(new, site.car(1).id)] == [True] * 2
    assert (rows(new, site.car(1)), rows(new, site.car(2))) == (rows(site.site, site.car(1)), 0)
    assert hidden(new.engine).holds(cases.of_vehicle(new, site.car(3).id)[0].wish.scope)
    assert vehicles.owner_name(new, vehicles.find(new, site.vin(4).decode()).owner) == "Bo"
    with papers.reading(new.engine) as conn:
        assert conn.scalars(select(papers.retirements.c.vehicle)).all() == [fifth]
    assert list(damage(new)) == []
    assert kinds(new)[: len(kinds(site.site))] == kinds(site.site)
    assert kinds(new)[-2:] == ["erase", "restore"]


def test_a_restored_site_goes_on(site):
    site.drive(1)
    backed_up(site)
    erase(site.site, site.car(1), "owner")
    site.site, _ = restored(site)
    assert site.drive(1, 2)
    assert rows(site.site, site.car(1)) == rows(site.site, site.car(2)) == 60
    erase(site.site, site.car(1), "owner")
    assert rows(site.site, site.car(1)) == 0
    backed_up(site)
    newer, _ = restored(site, "newer")
    assert rows(newer, site.car(2)) == 60
    assert list(damage(newer)) == []


def test_what_was_erased_is_in_no_byte_of_the_restored_site(site):
    site.drive(1, 2)
    backed_up(site)
    erased = site.car(1).id
    assert erased.to_bytes(8, "little") in opened(site.site)
    erase(site.site, site.car(1), "owner")
    new, _ = restored(site)
    assert erased.to_bytes(8, "little") not in opened(new)
    assert site.car(2).id.to_bytes(8, "little") in opened(new)


def test_nothing_in_a_backup_can_be_read_and_no_key_of_it_opens_without_the_root(site):
    site.drive(1, 2, seconds=120)
    backed_up(site)
    erase(site.site, site.car(1), "owner")
    backed_up(site)
    folder = site.site.folder.parent / "backup"
    places = {(m.units["position"]["longitude"], m.units["position"]["latitude"]) for m in computed(1, 120)}
    assert bytescan.find(folder, [site.vin(1).decode(), site.vin(2).decode()], sorted(places)) == []
    secrets = [(site.site.folder / "keys" / "root.key").read_bytes(), b"owner1@example.org", b"owner 1"]
    secrets += [site.site.key(name) for name in ("column", "lookup", "ledger")]
    with papers.reading(site.site.engine) as conn:
        for row in conn.execute(select(papers.segments.c.id, papers.segments.c.wrapped)).all():
            secrets += [bytes(row.wrapped), site.site.root.unwrap(row.wrapped, f"segment/{row.id}")]
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not any(secret in data for secret in secrets for data in files)


def test_a_second_backup_copies_what_is_new_and_drops_what_is_gone(site):
    site.drive(1, 2)
    first = backed_up(site)
    again = backed_up(site)
    segments = {name for name in again.manifest.files if name.startswith("vault/segments/")}
    assert again.files < first.files - len(segments) + 4
    old = {first.manifest.files[name].sha256 for name in segments}
    erase(site.site, site.car(1), "owner")
    last = backed_up(site).manifest
    now = {stored.sha256 for name, stored in last.files.items() if name.startswith("vault/segments/")}
    folder = site.site.folder.parent / "backup"
    there = {path.name for path in (folder / "data").glob("*/*")}
    assert there == {stored.sha256 for stored in last.files.values()} | {last.papers.sha256}
    assert old - now
    assert not (old - now) & there


def test_a_backup_is_of_one_instant_though_gates_write_and_the_keeper_drains(site):
    site.drive(1)
    stop, told = threading.Event(), []

    def driving():
        try:
            while not stop.is_set():
                with suppress_taken():  # what the other's road holds up is drained with the next
                    site.drive(1, 2, seconds=2)
        except Exception as error:  # noqa: BLE001 (the test's own thread tells it)
            told.append(error)

    other = threading.Thread(target=driving)
    other.start()
    here = open_site(site.site.folder, clock=lambda: site.now)
    try:
        made = [backing_up.back_up(here, here.folder.parent / "backup") for _ in range(5)]
    finally:
        stop.set()
        other.join()
    assert told == []
    least = made[-1].manifest.rows
    new, _ = restored(site)
    total = rows(new, site.car(1)) + rows(new, site.car(2))
    assert total * 2 >= least > 0  # a row in the car's time is a row in each of two categories
    assert list(damage(new)) == []


def test_an_open_journal_comes_back_with_what_was_acknowledged(site, monkeypatch):
    monkeypatch.setattr(type(site.site), "drain", lambda _site, before=None: [])
    site.drive(1)
    monkeypatch.undo()
    backed_up(site)
    new, _ = restored(site)
    assert rows(new, site.car(1)) == 60


def test_without_the_later_ledger_nothing_is_restored(site):
    site.drive(1)
    backed_up(site)
    assert refused(lambda: restored(site, ledger=None)) == "no-later-ledger"
    assert not (site.site.folder.parent / "new").exists()


def test_a_ledger_that_does_not_know_of_the_backup_is_too_old(site, tmp_path):
    site.drive(1)
    site.site.settle()
    shutil.copytree(site.site.folder / "ledger", tmp_path / "old")
    (tmp_path / "older").mkdir()
    made = backed_up(site).manifest
    for name, stored in made.files.items():
        if name.startswith("ledger/"):
            target = tmp_path / "older" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(backing_up.Deposit(tmp_path / "backup").path(stored), target)
    assert refused(lambda: restored(site, ledger=tmp_path / "older" / "ledger")) == "ledger-too-old"


def test_a_ledger_that_is_cut_forked_or_altered_is_believed_by_nobody(site, tmp_path):
    site.drive(1)
    site.site.settle()
    shutil.copytree(site.site.folder, tmp_path / "twin")
    backed_up(site)
    for _ in range(3):
        site.allow(1)
        site.site.settle()
    ledger = tmp_path / "ledger"
    shutil.copytree(site.site.folder / "ledger", ledger)
    tile = max((ledger / "tile" / "entries").rglob("*.p/*"), key=lambda path: int(path.name))
    tile.write_bytes(tile.read_bytes().replace(b"consent", b"consens"))
    with pytest.raises(Broken, match="goes on from"):
        restored(site, ledger=ledger)
    with pytest.raises(Broken, match="no ledger"):
        restored(site, ledger=tmp_path / "twin" / "vault")
    fork = Log(tmp_path / "twin" / "ledger", site.site.key("ledger"), site.site.settings.site.origin)
    fork.append([site.site.entry("recall", obj=f"sha256:{n:064x}") for n in range(9)])
    with pytest.raises(Broken, match="goes on from"):
        restored(site, ledger=tmp_path / "twin" / "ledger", since=site.site.folder / "ledger" / "checkpoint")
    seen = tmp_path / "seen"
    seen.write_bytes((site.site.folder / "ledger" / "checkpoint").read_bytes())
    new, _ = restored(site, since=seen)
    assert kinds(new)[-1] == "restore"


def test_a_ledger_shorter_than_a_checkpoint_that_somebody_saw_is_not_enough(site, tmp_path):
    site.drive(1)
    backed_up(site)
    shutil.copytree(site.site.folder / "ledger", tmp_path / "stale")
    site.allow(1)
    site.site.settle()
    with pytest.raises(Broken, match="not one that goes on"):
        restored(site, ledger=tmp_path / "stale", since=site.site.folder / "ledger" / "checkpoint")


def test_a_record_that_is_missing_or_altered_is_missed(site):
    site.allow(1)
    backed_up(site)
    consents.withdraw(site.site, site.car(1))
    site.site.settle()
    record = next((site.site.folder / recall.FOLDER).iterdir())
    raw = record.read_bytes()
    record.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(Broken, match="not the record"):
        restored(site)
    record.unlink()
    assert refused(lambda: restored(site)) == "recall-missing"
    record.write_bytes(raw)
    new, _ = restored(site)
    assert all(c.withdrawn for c in consents.of_vehicle(new, site.car(1).id))


def test_a_key_part_ends(site):
    site.drive(1)
    until = backed_up(site).manifest.until
    folder = site.site.folder.parent / "backup"
    part = next((folder / "keys").iterdir())
    part.rename(folder.parent / "elsewhere")
    assert refused(lambda: restored(site)) == "key-part-missing"
    (folder.parent / "other").write_text(json.dumps({"site": "x", "until": until, "rows": []}))
    assert refused(lambda: restored(site, key_part=folder.parent / "other")) == "key-part-other"
    (folder.parent / "other").write_text("no key part")
    with pytest.raises(Malformed):
        restored(site, key_part=folder.parent / "other")
    site.now = until - 2 * DAY
    restored(site, key_part=folder.parent / "elsewhere")
    assert backups.told(site.site)[0]
    site.now = until
    assert refused(lambda: restored(site, "again", key_part=folder.parent / "elsewhere")) == "key-part-ended"
    assert not backups.told(site.site)[0]


def test_with_the_key_part_go_the_key_of_the_records_and_the_records(site):
    site.allow(1)
    backed_up(site)
    consents.withdraw(site.site, site.car(1))
    site.site.settle()
    assert list((site.site.folder / recall.FOLDER).iterdir())
    site.now += (DAYS + 1) * DAY
    round_of(site.site)
    backed_up(site)
    assert list((site.site.folder / recall.FOLDER).iterdir()) == []
    with papers.reading(site.site.engine) as conn:
        names = conn.scalars(select(papers.site_keys.c.name).where(papers.site_keys.c.name.like("recall/%"))).all()
    assert len(names) == 1
    assert int(names[0].partition("/")[2]) > site.now


def test_a_chip_and_a_certificate_taken_back_since_stay_taken_back(site):
    chips.expect(site.site, site.car(1).id, "chip-1")
    backed_up(site)
    chips.forget(site.site, site.car(1).id)
    site.site.settle()
    new, _ = restored(site)
    with papers.reading(new.engine) as conn:
        assert conn.execute(select(papers.chips)).all() == []
    assert [act.paper["state"] for act in acts.of_vehicle(new, site.car(1).id)] == ["awaited"]


def test_what_concerns_a_car_registered_since_is_left_out(site):
    backed_up(site)
    site.allow(7)
    erase(site.site, site.car(7), "owner")
    new, done = restored(site)
    assert (done.recalled, done.erased) == (2, 0)
    assert vehicles.look_up(new, site.vin(7)) is None
    assert list(damage(new)) == []


def test_papers_go_into_the_other_database(site, database, databases, tmp_path):
    site.drive(1)
    backed_up(site)
    erase(site.site, site.car(1), "owner")
    url = "" if database == "postgresql" else databases.server.url(databases.server.new())
    new, _ = restored(site, papers=url)
    assert {new.engine.dialect.name, database} == {"sqlite", "postgresql"}
    assert rows(new, site.car(1)) == 0
    assert list(damage(new)) == []
    site.site = new
    assert site.drive(1)
    new.engine.dispose()


def test_a_backup_finds_its_place_or_says_why_not(site, hands, tmp_path):
    assert refused(lambda: backing_up.back_up(site.site, site.site.folder / "backup")) == "backup-inside"
    backed_up(site)
    raw = (tmp_path / "backup" / "manifest").read_bytes()
    (tmp_path / "backup" / "manifest").write_bytes(raw.replace(site.site.id.encode(), b"0" * 16, 1))
    assert refused(lambda: backed_up(site)) == "backup-of-another"
    (tmp_path / "backup" / "manifest").write_bytes(b"nonsense")
    with pytest.raises(Malformed):
        backed_up(site)
    (tmp_path / "backup" / "manifest").unlink()
    with pytest.raises(Malformed):
        restored(site)


def test_whatever_is_wrong_with_a_backup_is_named(site, tmp_path):
    site.drive(1)
    made = backed_up(site).manifest
    deposit = backing_up.Deposit(tmp_path / "backup")
    name, stored = next((n, s) for n, s in made.files.items() if n.startswith("vault/segments/"))
    raw = deposit.path(stored).read_bytes()
    deposit.path(stored).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(Broken, match=name):
        restored(site)
    deposit.path(stored).unlink()
    with pytest.raises(Broken, match=name):
        restored(site)
    deposit.path(stored).write_bytes(raw)
    manifest = tmp_path / "backup" / "manifest"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole.replace(b'"segments":', b'"segments":1', 1))
    with pytest.raises(Broken, match="manifest"):
        restored(site)
    manifest.write_bytes(whole)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert refused(lambda: restored(site, "full")) == "not-empty"
    other = tmp_path / "other.key"
    other.write_bytes(b"k" * 32)
    other.chmod(0o600)
    with pytest.raises(Broken, match="segments with"):
        restored(site, root_key=other)
    now, site.now = site.now, made.at - 5000
    assert refused(lambda: restored(site)) == "clock-behind"
    site.now = now
    restored(site)


def test_papers_that_are_somebodys_are_left_alone(site, database, tmp_path):
    backed_up(site)
    if database == "sqlite":
        pytest.skip("a file of a new folder is nobody's")
    assert refused(lambda: restored(site, papers=papers_url(site.site.folder))) == "papers-there"
    assert asked(site).target.name == "new"
