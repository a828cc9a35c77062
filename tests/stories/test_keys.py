"""Keys of a whole site: shown, rotated while it is kept, lost, and the root moved into a token."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from click.testing import CliRunner
from msgspec import structs

from key_makers import new_token
from onshore.cli.main import cli
from onshore.cli.serve import Keeper
from onshore.desk.looks.keys import checked
from onshore.rights.access import access
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.vault.keyed import KEYED, context_of, head_of
from onshore.vault.papers import metadata, reading, writing
from onshore.vault.rotation import Told, rotate
from onshore.vault.wrapping import DAY, wrapping_keys_in
from onshore.words.errors import Broken, Malformed, Refusal


@pytest.fixture
def sh(hands):
    def run(*args, code=0):
        done = CliRunner().invoke(cli, [*args, "--site", str(hands.site.folder)])
        assert done.exit_code == code, done.output
        return done.output

    return run


def object_in(text):
    return json.loads(next(line for line in text.splitlines() if line.startswith("{")))


def set_down(hands, text):
    with (hands.site.folder / "site.toml").open("a") as file:
        file.write(text)


def reopen(hands):
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    return hands.site


def held(hands, number):
    return sum(h["rows"] for h in access(hands.site, hands.car(number), "officer")["held"])


def told_of_keys(site):
    entries = [json.loads(raw) for raw in site.ledger.entries(0)]
    return [(entry["role"], entry["state"]) for entry in entries if entry["t"] == "key"]


def wrapped_by(site):
    with reading(site.engine) as conn:
        tables = [metadata.tables[keyed.table] for keyed in KEYED]
        return {head_of(row.wrapped) for table in tables for row in conn.execute(table.select()) if row.wrapped}


def current(site):
    with reading(site.engine) as conn:
        return wrapping_keys_in(conn)[-1]


def test_keys_are_shown_and_rotated(hands, sh):
    hands.allow(1)
    hands.drive(1, 2)
    shown = json.loads(sh("keys", "show", "--json"))
    (before,) = shown["wrapping"]
    assert (shown["provider"], shown["opens"], before["month"]) == ("file", "", "2026-09")
    assert (before["segments"], before["vehicles"], before["persons"]) == (shown["all"]["segments"], 2, 2)
    assert set(before["site_keys"]) >= {"column", "ledger", "lookup"}
    rows = held(hands, 1)
    done = object_in(sh("keys", "rotate", "--json"))
    assert (done["left"], done["done"]) == (0, True)
    assert wrapped_by(hands.site) == {done["wrapping"]} != {before["id"]}
    assert held(hands, 1) == rows
    done = object_in(sh("keys", "rotate", "--root", "--json"))
    assert done["root"] != shown["root"]
    text = sh("keys", "show")
    assert done["root"] in text
    assert "VINs of 2 cars, names and contacts of 2 persons" in text
    assert "the key that signs the ledger" in text
    assert reopen(hands)
    assert held(hands, 1) == rows
    assert told_of_keys(hands.site) == [
        ("wrapping", "rotated"),
        ("wrapping", "destroyed"),
        ("root", "rotated"),
        ("root", "destroyed"),
        ("wrapping", "rotated"),
        ("wrapping", "destroyed"),
    ]


def test_whoever_keeps_the_site_rotates_by_the_month_and_goes_on_with_what_is_under_way(hands):
    hands.allow(1)
    hands.drive(1)
    first = current(hands.site)
    keeper = Keeper(hands.site, lambda _said: None)
    with hands.site.keeping():
        keeper.look()
    assert current(hands.site).id == first.id
    hands.now += 31 * DAY
    with hands.site.keeping():
        Keeper(hands.site, lambda _said: None).look()
    assert current(hands.site).month > first.month
    assert wrapped_by(hands.site) == {current(hands.site).id}
    rotate(hands.site.root, lambda _conn, _told: Told("", "", ""), None)
    with hands.site.keeping():
        Keeper(hands.site, lambda _said: None).look()
    assert wrapped_by(hands.site) == {current(hands.site).id}
    assert told_of_keys(hands.site)[:2] == [("wrapping", "rotated"), ("wrapping", "destroyed")]
    assert held(hands, 1) == 100


def test_a_rotation_waits_for_the_process_that_keeps_the_site(hands, sh, monkeypatch):
    monkeypatch.setattr("onshore.vault.patience.LOOKS", 3)
    monkeypatch.setattr("onshore.site.Site.settle", lambda *_: None)
    with hands.site.keeping(), ThreadPoolExecutor(1) as other:  # a thread of its own holds no road
        text = other.submit(sh, "keys", "rotate").result()
        assert "whoever keeps the site goes on" in text
        Keeper(hands.site, lambda _said: None).look()
    assert wrapped_by(hands.site) == {current(hands.site).id}


def test_check_says_how_the_keys_are(hands, sh):
    assert current(hands.site).root in checked(hands.site)
    assert "0 days old" in checked(hands.site)
    hands.now += 60 * DAY
    assert "to be rotated: whoever keeps the site does it" in checked(hands.site)
    settings = hands.site.settings
    copying = structs.replace(settings, keys=structs.replace(settings.keys, backup_days=9))
    with pytest.raises(Broken, match="was to be rotated by now"):
        checked(replace(hands.site, settings=copying))
    rotate(hands.site.root, lambda _conn, _told: None, None)
    assert "1 before it are being retired" in checked(hands.site)
    hands.now += 2 * DAY
    with pytest.raises(Broken, match="has not ended"):
        checked(hands.site)
    with hands.site.keeping():
        Keeper(hands.site, lambda _said: None).look()
    assert "2 days old" in checked(hands.site)
    with writing(hands.site.engine) as conn:
        conn.execute(metadata.tables["wrapping_keys"].update().values(wrapped=b"x" * 60))
    with pytest.raises(Broken, match="does not open"):
        checked(hands.site)


def test_a_lost_root_key_says_what_is_lost_and_what_still_works(hands, sh):
    hands.allow(1)
    hands.drive(1)
    (hands.site.folder / "keys" / "root.key").unlink()
    with pytest.raises(Broken) as lost:
        open_site(hands.site.folder)
    for said in ("is missing", "segments with 100 rows of", "VINs of 1 cars", "signs the ledger", "restore the key"):
        assert said in str(lost.value)
    assert "BAD" in sh("check", code=1)
    shown = json.loads(sh("keys", "show", "--json"))
    assert "is missing" in shown["opens"]
    assert shown["all"]["rows"] == 100
    vkey = (hands.site.folder / "ledger" / "vkey").read_text().split()[0]
    done = CliRunner().invoke(cli, ["verify", str(hands.site.folder / "ledger"), "--key", vkey])
    assert done.exit_code == 0, done.output


def test_copies_that_would_outlive_an_erasure_stop_the_site(hands):
    set_down(hands, "\n[keys]\nbackup_days = 10\n")
    with pytest.raises(Refusal) as no:
        reopen(hands)
    assert (no.value.reason, "9 or fewer" in no.value.remedy) == ("key-copies-too-long", True)
    path = hands.site.folder / "site.toml"
    path.write_text(path.read_text().replace("backup_days = 10", "backup_days = 9"))
    reopen(hands)


def test_a_site_of_an_older_release_goes_on(hands):
    hands.allow(1)
    hands.drive(1)
    rows, site = held(hands, 1), hands.site
    with site.engine.begin() as conn:  # as release 0.1 had it: every key wrapped by the root itself
        for keyed in KEYED:
            table = metadata.tables[keyed.table]
            for row in conn.execute(table.select()).all():
                context = context_of(keyed, row, site.id)
                direct = site.root.root.wrap(site.root.unwrap(row.wrapped, context), context)
                here = table.c[keyed.name] == getattr(row, keyed.name)
                conn.execute(table.update().where(here).values(wrapped=direct))
        conn.execute(metadata.tables["wrapping_keys"].delete())
    reopen(hands)
    assert held(hands, 1) == rows
    assert None in wrapped_by(hands.site)
    with hands.site.keeping():
        Keeper(hands.site, lambda _said: None).look()
    assert wrapped_by(hands.site) == {current(hands.site).id}
    assert held(hands, 1) == rows


def test_a_whole_site_with_its_root_in_a_token(hands, sh, tmp_path, tmp_path_factory, monkeypatch):
    wishes = new_token(tmp_path_factory.mktemp("hsm"), monkeypatch).keys
    hands.allow(1)
    hands.drive(1)
    shutil.copy(wishes.pkcs11.pin, hands.site.folder / "keys" / "pin")
    set_down(
        hands,
        f'\n[keys]\nprovider = "pkcs11"\nbackup_days = 9\n\n[keys.pkcs11]\nmodule = "{wishes.pkcs11.module}"\n'
        'token = "onshore"\nkey = "shanghai"\npin = "keys/pin"\n',
    )
    assert "onshore keys rotate --root" in sh("check", code=1), "until it is done, check says so"
    done = object_in(sh("keys", "rotate", "--root", "--json"))
    assert done["root"].startswith("pkcs11:")
    assert [path.name for path in (hands.site.folder / "keys").iterdir()] == ["pin"]
    reopen(hands)
    hands.drive(1, 2)
    before = held(hands, 2)
    assert held(hands, 1) > 100
    case = erase(hands.site, hands.car(1), "anna")
    assert case.certificate["rows"] > 100
    assert (held(hands, 1), held(hands, 2)) == (0, before)
    sh("keys", "rotate")
    sh("keys", "rotate", "--root")
    assert held(hands, 2) == before, "by the site that was open all along"
    reopen(hands)
    assert held(hands, 2) == before
    assert wrapped_by(hands.site) == {current(hands.site).id}
    good = next(line for line in sh("check", "--deep").splitlines() if " keys " in line)
    assert good.startswith("good")
    assert [said for said in told_of_keys(hands.site) if said[0] == "root"] == [
        ("root", "rotated"),
        ("root", "destroyed"),
    ] * 2


def test_a_provider_without_its_table_is_bad_settings(hands, sh):
    set_down(hands, '\n[keys]\nprovider = "pkcs11"\n')
    reopen(hands)
    with pytest.raises(Malformed, match=r"\[keys.pkcs11\]"):
        hands.site.root.roots.plan()
    assert "they take [keys.pkcs11]" in sh("keys", "rotate", "--root", code=2)
