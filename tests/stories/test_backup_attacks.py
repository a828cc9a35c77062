"""What may go wrong between a backup and its restore: what left, what was taken back, wrong folders, stale ledgers."""

import shutil
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from backup_makers import backed_up, kept, restored
from onshore.border import grants, requests, transfer, underway
from onshore.border.sending import accounts, attempts, reconciling
from onshore.cli import backing_up
from onshore.cli.deep import damage
from onshore.cli.init import regulator_key
from onshore.cli.key_rounds import round_of
from onshore.ledger.entry import read
from onshore.ledger.signer import Signer
from onshore.register import policies, zones
from onshore.rights import cases
from onshore.rights.certificates import certificate, hand_out
from onshore.rights.erase import erase
from onshore.vault.lock import hold
from onshore.vault.papers import meter, parcels, permits, reading, segments, transfers, writing
from onshore.words.errors import Broken, Refusal
from onshore.words.permit import Transfer

DAY = 86_400_000
PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")
SQUARE = """{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry":
{"type": "Polygon", "coordinates": [[[121.4, 31.2], [121.5, 31.2], [121.5, 31.3], [121.4, 31.3], [121.4, 31.2]]]}}]}"""


@pytest.fixture
def site(hands):
    return kept(hands)


def permitted(hands):
    """A request of two cars' rows and the regulator's permit for it."""
    site = hands.site
    for number in (1, 2):
        hands.allow(number)
    hands.drive(1, 2)
    request = Transfer(
        id=site.randomness(8).hex(),
        purpose="warranty-analysis",
        categories=("track", "vehicle-operation"),
        recipient="stuttgart",
        start=hands.now - DAY,
        until=hands.now + DAY,
        asked_by="engineer",
    )
    requests.ask(site, request)
    for kind in PAPERS:
        requests.file_paper(site, request, kind, number="1", by="officer", until=None, sha256=None)
    hands.approve(request.id)
    today = site.today()
    draft = grants.draft(
        site, request, persons=2, start=today, until=today, by="regulator", route="contract-or-certificate"
    )
    signer = Signer("shanghai/regulator", regulator_key(site.folder).read_bytes())
    return request, grants.grant(site, draft, signer)


def states(site):
    with reading(site.engine) as conn:
        return list(conn.scalars(select(parcels.c.state).order_by(parcels.c.id)))


def counted(site):
    with reading(site.engine) as conn:
        return conn.scalar(select(func.count()).select_from(meter))


def refused(act):
    with pytest.raises(Refusal) as why:
        act()
    return why.value


def kinds(site):
    return [read(body)["t"] for body in site.ledger.entries()]


def test_a_permit_revoked_since_stays_revoked(site):
    request, permit = permitted(site)
    backed_up(site)
    grants.revoke(site.site, permit.id)
    new, done = restored(site)
    assert done.recalled == 2, "the permit, and the request that it takes along"
    assert refused(lambda: transfer.ship(new, request.id)).reason == "permit-revoked"
    with reading(new.engine) as conn:
        assert conn.scalar(select(permits.c.revoked)) is not None
        assert conn.scalar(select(transfers.c.state)) == "revoked"
    assert list(damage(new)) == []


def test_a_parcel_that_left_since_is_counted_and_not_sent_again(site):
    request, _ = permitted(site)
    backed_up(site)
    transfer.ship(site.site, request.id)
    there = counted(site.site)
    new, _ = restored(site)
    assert (states(new), counted(new)) == (["left"], there)
    assert there > 0
    underway.resume(new)
    assert (states(new), counted(new)) == (["left"], there)
    assert list(damage(new)) == []


def test_the_bytes_that_left_since_stand_in_the_accounts_again(site):
    """The ledger goes on, and states no fewer than it did: accounts since then are made anew from the releases."""
    request, _ = permitted(site)
    transfer.ship(site.site, request.id)
    backed_up(site)
    site.drive(1)
    second = transfer.ship(site.site, request.id).id
    accounts.Account(site.site, second).took(700, 701)
    site.site.settle()
    before = sums(site.site)
    new, _ = restored(site)
    assert sums(new) == before
    assert [(what, good) for what, good, _ in reconciling.looks(new)] == [
        ("unexplained bytes", False),
        ("attempt", False),
        ("receipts", True),
    ], "one byte was unexplained, and is"
    attempts.acknowledge(new, "officer")
    assert all(good for _, good, _ in reconciling.looks(new))
    assert list(damage(new)) == []
    site.site = new
    site.drive(1)
    assert transfer.ship(new, request.id).persons > 0
    assert sums(new).payload > before.payload
    assert list(damage(new)) == []


def test_a_parcel_that_came_to_nothing_since_counts_nobody_after_the_restore(site, monkeypatch):
    """The ledger says that it was never sent; only of what it does not say that it counts as gone."""
    request, _ = permitted(site)
    backed_up(site)
    monkeypatch.setattr(underway, "send", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        transfer.ship(site.site, request.id)
    monkeypatch.undo()
    site.site.settle()
    assert states(site.site) == ["unsent"]
    new, _ = restored(site)
    assert (states(new), counted(new)) == (["unsent"], 0)
    assert all(good for _, good, _ in reconciling.looks(new))
    assert list(damage(new)) == []
    assert transfer.ship(new, request.id).persons == 2


def test_a_parcel_that_was_cut_since_counts_with_what_may_be_abroad(site):
    request, _ = permitted(site)
    backed_up(site)
    shipped = transfer.ship(site.site, request.id)
    there = counted(site.site)
    with writing(site.site.engine) as conn:  # as the border ends it between two parts
        conn.execute(parcels.update().values(state="cut"))
        sha256 = conn.scalar(select(parcels.c.sha256))
        site.site.hand_in(conn, site.site.entry("release", obj=f"sha256:{sha256}", state="cut", bytes=7))
    site.site.settle()
    new, _ = restored(site)
    assert (states(new), counted(new)) == (["cut"], there)
    with reading(new.engine) as conn:
        assert accounts.handed_over(conn, shipped.id) == 7


def sums(here):
    with reading(here.engine) as conn:
        return accounts.total(conn)


def test_a_permit_of_since_is_not_there_and_nothing_says_that_papers_were_forged(site):
    backed_up(site)
    permitted(site)
    site.site.settle()
    new, _ = restored(site)
    assert list(damage(new)) == []
    with reading(new.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(permits)) == 0


def test_a_parcel_that_left_since_under_a_permit_of_since_is_counted_too(site):
    site.allow(1)
    backed_up(site)
    request, permit = permitted(site)
    transfer.ship(site.site, request.id)
    grants.revoke(site.site, permit.id)
    there = counted(site.site)
    new, _ = restored(site)
    assert states(new) == ["left"]
    assert 0 < counted(new) <= there


def test_a_parcel_about_to_leave_when_it_was_backed_up_counts_as_gone(site, monkeypatch):
    request, _ = permitted(site)
    real = underway.send

    def backed_up_first(*said, **more):
        with writing(site.site.engine) as conn:  # as it stood a moment ago
            conn.execute(parcels.update().values(state="leaving"))
        backed_up(site)
        with writing(site.site.engine) as conn:
            conn.execute(parcels.update().values(state="sending"))
        return real(*said, **more)

    monkeypatch.setattr(underway, "send", backed_up_first)
    transfer.ship(site.site, request.id)
    monkeypatch.undo()
    there = counted(site.site)
    new, _ = restored(site)
    underway.resume(new)
    assert (states(site.site), states(new)) == (["left"], ["left"])
    assert counted(new) == there > 0


def test_zones_imported_since_stand_and_open(site):
    backed_up(site)
    zones.put_on_file(site.site, SQUARE, zones.Origin("base", "the list of today", "military", "WGS-84", 0), "officer")
    site.site.settle()
    new, _ = restored(site)
    assert [one.removed for one in zones.listed(new)] == [None]
    site.site = new
    site.drive(1)


def test_a_ledger_is_not_taken_for_the_newest_by_silence(site):
    backed_up(site)
    erase(site.site, site.car(1), "owner")
    why = refused(lambda: restored(site, newest=False))
    assert (why.reason, "--since" in why.remedy, "--newest" in why.remedy) == ("newest-unknown", True, True)
    new, _ = restored(site)
    said = read(list(new.ledger.entries())[-1])
    assert said["t"] == "restore"
    assert (said["newest"], "seen" in said) == ("stated", False)
    seen = site.site.folder / "ledger" / "checkpoint"
    newer, _ = restored(site, "newer", newest=False, since=seen)
    said = read(list(newer.ledger.entries())[-1])
    assert (said["newest"], said["seen"]) == ("shown", site.site.ledger.size)


def test_a_checkpoint_from_before_the_backup_shows_nothing(site, tmp_path):
    site.drive(1)
    site.site.settle()
    shutil.copy(site.site.folder / "ledger" / "checkpoint", tmp_path / "seen")
    backed_up(site)
    why = refused(lambda: restored(site, newest=False, since=tmp_path / "seen"))
    assert why.reason == "newest-unknown"


def test_a_folder_that_holds_other_things_is_left_alone(site, tmp_path):
    mine = tmp_path / "mine"
    (mine / "keys").mkdir(parents=True)
    (mine / "data" / "photos").mkdir(parents=True)
    files = [mine / "keys" / "root.key", mine / "data" / "photos" / "one.jpg", mine / "site.toml"]
    for path in files:
        path.write_bytes(b"x")
    assert refused(lambda: backing_up.back_up(site.site, mine)).reason == "not-a-backup"
    assert all(path.exists() for path in files)
    assert not (mine / "lock").exists()
    backed_up(site)
    copy = tmp_path / "backup"
    more = [copy / "keys" / "root.key", copy / "data" / "photos" / "one.jpg", copy / "keys" / "other.json"]
    for path in more:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    backed_up(site)
    assert all(path.exists() for path in more)


def test_a_folder_that_is_beside_by_chance_is_left_alone(site, tmp_path):
    backed_up(site)
    (tmp_path / "new.part" / "photos").mkdir(parents=True)
    (tmp_path / "new.part" / "photos" / "one.jpg").write_bytes(b"x")
    assert refused(lambda: restored(site)).reason == "not-empty"
    assert (tmp_path / "new.part" / "photos" / "one.jpg").exists()


def test_a_site_is_restored_into_a_folder_alone(site, tmp_path):
    backed_up(site)
    (tmp_path / "file").touch()
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert refused(lambda: restored(site, "file")).reason == "not-empty"
    assert refused(lambda: restored(site, "link")).reason == "not-empty"
    assert refused(lambda: restored(site, "site")).reason == "not-empty"


def test_a_copy_that_rotted_is_copied_anew_when_asked_to_look(site, tmp_path):
    site.drive(1)
    made = backed_up(site).manifest
    deposit = backing_up.Deposit(tmp_path / "backup")
    stored = next(one for name, one in made.files.items() if name.startswith("vault/segments/"))
    raw = deposit.path(stored).read_bytes()
    deposit.path(stored).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    backed_up(site, look=True)
    assert deposit.path(stored).read_bytes() == raw
    restored(site)


def test_versions_of_a_policy_are_never_told_twice(site):
    site.allow(1)
    car = site.car(1).id
    first = policies.current(site.site, car).version
    site.car(2)
    backed_up(site)
    site.allow(1, categories=("driving-behaviour",))
    told = [policies.current(site.site, one).version for one in (car, site.car(2).id)]
    assert told[0] > first
    new, _ = restored(site)
    again = [policies.current(new, one).version for one in (car, site.car(2).id)]
    assert min(again) > max(told)
    assert [policies.current(new, one).version for one in (car, site.car(2).id)] == again


def test_a_salt_struck_since_stays_struck(site):
    site.drive(1)
    case = erase(site.site, site.car(1), "owner")
    backed_up(site)
    hand_out(site.site, case)
    site.site.settle()
    new, _ = restored(site)
    paper = certificate(new, cases.find(new, case.id))
    assert paper["proof"] is None
    assert "salt" not in paper["receipt"]


def test_a_case_done_and_handed_out_since_is_done_anew(site):
    site.drive(1)
    backed_up(site)
    case = erase(site.site, site.car(1), "owner")
    hand_out(site.site, case)
    site.site.settle()
    new, done = restored(site)
    assert done.erased == 1
    assert cases.find(new, case.id).state == "done"
    with reading(new.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(segments)) == 0
    assert list(damage(new)) == []


def test_an_erasure_asked_before_and_done_after_is_done_anew(site):
    site.drive(1)
    case = cases.opened(site.site, site.car(1), "erase", "owner")
    backed_up(site)
    erase(site.site, site.car(1), "owner")
    new, done = restored(site)
    assert done.erased >= 1
    assert cases.find(new, case.id).state == "done"


def test_restored_twice_it_is_the_same_and_goes_on(site):
    site.drive(1, 2)
    backed_up(site)
    erase(site.site, site.car(1), "owner")
    new, first = restored(site)
    newer, second = restored(site, "newer", ledger=new.folder / "ledger")
    assert (first.recalled, first.erased) == (second.recalled, second.erased) == (1, 1)
    assert kinds(newer)[: len(kinds(new))] == kinds(new)
    assert list(damage(newer)) == []


def test_rows_over_by_the_law_of_the_day_are_gone_before_anybody_is_served(site):
    site.allow(1)
    site.drive(1)
    site.now += 10 * DAY
    round_of(site.site)
    backed_up(site)
    site.now += 5 * DAY
    new, _ = restored(site)
    with reading(new.engine) as conn:
        oldest = conn.scalar(
            select(func.min(segments.c.last)).where(segments.c.category == "track", segments.c.ground == "consent")
        )
    assert oldest is None or oldest > site.now - 14 * DAY
    assert "retire" in kinds(new)[len(kinds(site.site)) :]


def test_a_root_rotated_since_is_asked_for(site, tmp_path):
    backed_up(site)
    other = tmp_path / "other.key"
    other.write_bytes(b"k" * 32)
    other.chmod(0o600)
    with pytest.raises(Broken, match="rotated since, the copy from before"):
        restored(site, root_key=other)


def test_two_sites_never_sign_one_log(site):
    backed_up(site)
    with site.site.keeping():
        assert refused(lambda: restored(site)).reason == "site-runs"
    restored(site)


def test_two_backups_at_once_take_turns(site, tmp_path):
    backed_up(site)
    with hold(tmp_path / "backup" / "lock", "backup"):
        assert refused(lambda: backed_up(site)).reason == "road-taken"


def test_a_certificate_says_until_when_copies_of_keys_may_open_what_is_gone(site):
    site.drive(1)
    until = backed_up(site).manifest.until
    said = erase(site.site, site.car(1), "owner").certificate["remains"]
    assert datetime.fromtimestamp(until // 1000, UTC).isoformat() in said
