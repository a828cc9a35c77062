import pytest
from click.testing import CliRunner

from onshore.cli.main import cli
from onshore.ledger.law import read_pack
from onshore.ledger.packs import release_key
from onshore.site import open_site, read_settings
from onshore.vault.lock import hold
from onshore.vault.papers import entries, metadata, writing
from onshore.words.errors import Broken, Malformed, Refusal


@pytest.fixture
def toml(hands):
    path = hands.site.folder / "site.toml"

    def change(old, new):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return path

    return change


def test_settings_are_read(hands):
    settings = read_settings(hands.site.folder / "site.toml")
    assert settings.site.jurisdiction == "CN"
    assert settings.people["engineer"].role == "engineer"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("buckets = 16", "bucket = 16", "bucket"),
        ("buckets = 16", 'buckets = "many"', "line 10"),
        ('role = "operator"', 'role = "boss"', "line 27"),
        ("[gate]", "[gates]", "gates"),
        ("buckets = 16", "buckets = 0", "buckets"),
        ("gb32960 = 32960", "gb32960 = 99999", "gb32960"),
        ('pack = "cn/2026-02"', 'pack = "../../evil"', "pack"),
        ('jurisdiction = "CN"', 'jurisdiction = "DE"', "the site stands in DE"),
        ('purposes = ["statutory-monitoring", ', "purposes = [", "line 9"),
        ("[site]", "[site", "line"),
        ("[people.deputy]", "[people.Officer]", "'Officer' and 'officer' read alike"),
        ("[people.deputy]", '[people."officer "]', "read alike"),
        ("[people.deputy]", '[people."\uff4ffficer"]', "read alike"),
    ],
)
def test_a_bad_setting_stops_everything_and_says_where(hands, toml, old, new, says):
    path = toml(old, new)
    with pytest.raises(Malformed, match=says) as caught:
        open_site(hands.site.folder)
    assert str(path) in str(caught.value)


def test_a_folder_without_a_site_says_how_to_make_one(tmp_path):
    with pytest.raises(Malformed, match="onshore init"):
        open_site(tmp_path)


def test_a_pack_that_is_not_shipped_is_refused(hands, toml):
    toml('pack = "cn/2026-02"', 'pack = "xx/2030-01"')
    with pytest.raises(Refusal) as refused:
        open_site(hands.site.folder)
    assert refused.value.reason == "no-rule-pack"


def test_the_pack_is_known_by_its_digest():
    pack, digest = read_pack("cn/2026-02", [release_key()])
    assert pack.jurisdiction == "CN"
    assert len(digest) == 64


def test_acts_take_the_right_role(hands):
    assert hands.site.person("officer", "officer").role == "officer"
    for name in ("engineer", "nobody"):
        with pytest.raises(Refusal) as refused:
            hands.site.person(name, "officer")
        assert refused.value.reason == "not-your-act"
        assert "officer" in refused.value.remedy
    with pytest.raises(Refusal) as refused:
        hands.site.person("engineer")
    assert "add a person" in refused.value.remedy


def test_an_unknown_recipient_is_refused(hands):
    assert hands.site.recipient("stuttgart").jurisdiction == "DE"
    with pytest.raises(Refusal) as refused:
        hands.site.recipient("atlantis")
    assert refused.value.reason == "recipient-unknown"


def test_entries_reach_the_log_in_order_and_once(hands):
    site = hands.site
    with writing(site.engine) as conn:
        numbers = [site.hand_in(conn, site.entry("permit", obj="sha256:" + d * 64, state="granted")) for d in "ab"]
    site.settle()
    site.settle()
    assert site.ledger.size == 3
    assert site.proof(numbers[1]).splitlines()[2] == "index 2"


def test_a_crash_between_log_and_papers_is_mended(hands):
    site = hands.site
    with writing(site.engine) as conn:
        site.hand_in(conn, site.entry("permit", obj="sha256:" + "a" * 64, state="granted"))
    site.settle()
    with writing(site.engine) as conn:  # as if the process had died before it noted the leaf
        conn.execute(entries.update().where(entries.c.leaf == 1).values(leaf=None))
        site.hand_in(conn, site.entry("permit", obj="sha256:" + "b" * 64, state="granted"))
    site.settle()
    assert site.ledger.size == 3


def test_a_log_ahead_of_its_papers_is_not_believed(hands):
    site = hands.site
    with writing(site.engine) as conn:
        conn.execute(entries.delete())
        site.hand_in(conn, site.entry("permit", obj="sha256:" + "b" * 64, state="granted"))
    with pytest.raises(Broken, match="did not hand in"):
        site.settle()


def test_papers_that_are_older_than_the_ledger_are_refused_at_once(hands):
    site = hands.site
    open_site(site.folder)
    with writing(site.engine) as conn:  # as in a copy of the papers from before the last entry was handed in
        conn.execute(entries.delete())
    with pytest.raises(Broken, match="they know of 0 entries, it holds 1"):
        open_site(site.folder)


@pytest.mark.parametrize("harm", ["missing", "cut"])
@pytest.mark.sqlite
def test_a_site_that_lost_its_papers_gets_no_new_ones(hands, harm):
    file = hands.site.folder / "papers.sqlite"
    hands.site.engine.dispose()
    for beside in hands.site.folder.glob("papers.sqlite?*"):
        beside.unlink()
    file.unlink()
    if harm == "cut":
        file.touch()
    before = file.read_bytes() if file.exists() else None
    with pytest.raises(Broken, match="restore the site from its backup") as broken:
        open_site(hands.site.folder)
    assert str(file) in str(broken.value)
    assert (file.read_bytes() if file.exists() else None) == before
    check = CliRunner().invoke(cli, ["check", "--json", "--site", str(hands.site.folder)])
    assert check.exit_code == 1
    assert "the papers of this site are gone" in check.stdout


@pytest.mark.parametrize("left", ["tables", "nothing"])
def test_papers_that_were_emptied_are_not_begun_anew(hands, left):
    with writing(hands.site.engine) as conn:
        for table in reversed(metadata.sorted_tables):
            conn.execute(table.delete())
        if left == "nothing":
            metadata.drop_all(conn)
            conn.exec_driver_sql("DROP TABLE alembic_version")
    with pytest.raises(Broken, match=r"papers.* holds none of them"):
        open_site(hands.site.folder)


def test_who_waits_for_a_keeper_that_does_nothing_is_told(hands, monkeypatch):
    site = hands.site
    monkeypatch.setattr("onshore.vault.patience.LOOKS", 2)
    with writing(site.engine) as conn:
        site.hand_in(conn, site.entry("permit", obj="sha256:" + "a" * 64, state="granted"))
    with hold(site.folder / "locks" / "keep", "keep"), pytest.raises(Broken, match="keeps the ledger"):
        site.settle()


def test_a_road_is_taken_by_one(tmp_path):
    with hold(tmp_path / "keep", "keep"), pytest.raises(Refusal) as refused, hold(tmp_path / "keep", "keep"):
        pass
    assert refused.value.reason == "road-taken"
