"""What keeps a report from being final: what nobody wrote, what says nothing, what contradicts itself."""

import pytest
from sqlalchemy import update

from onshore.reports.draft import draft
from onshore.reports.form import asks, form
from onshore.reports.human import read, skeleton
from onshore.vault.papers import consents, meter, meter_totals, parcels, rights_cases, writing
from onshore.words.errors import Malformed, Refusal
from report_makers import texts


def changed(site, statement):
    with writing(site.engine) as conn:
        conn.execute(statement)


def why(site, year=2027):
    return [one.says for one in draft(site, "annual", year, "en", {}).open if one.why == "contradiction"]


def test_what_a_human_did_not_write_blocks_final_and_is_listed(life, tmp_path):
    written = read(texts(tmp_path, but=("incidents", "complaints")), "en")
    report = draft(life.site, "annual", 2027, "en", written)
    assert [(one.section, one.why) for one in report.open] == [("5", "human"), ("6", "human")]
    with pytest.raises(Refusal, match="2 points") as refused:
        draft(life.site, "annual", 2027, "en", written, state="final")
    assert refused.value.reason == "report-open"
    assert "section 5: How each security incident" in refused.value.says
    assert "--text" in refused.value.remedy


@pytest.mark.parametrize("language", ["zh", "en"])
def test_with_all_written_it_is_final(life, tmp_path, language):
    written = read(texts(tmp_path), language)
    for kind in ("annual", "risk", "impact", "transfers", "erasures"):
        assert draft(life.site, kind, 2027, language, written, state="final").open == ()


def test_a_text_of_blanks_is_none(life, tmp_path):
    path = texts(tmp_path, but=("other",))
    path.write_text(path.read_text() + '\n[other]\nzh = " "\nen = "  \\n "\n')
    report = draft(life.site, "annual", 2027, "en", read(path, "en"))
    assert [one.section for one in report.open] == ["7"]


def test_a_text_in_the_other_language_alone_is_none(life, tmp_path):
    path = tmp_path / "one.toml"
    path.write_text('other = { zh = "没有。" }\n')
    assert read(path, "zh") == {"other": "没有。"}
    assert read(path, "en") == {"other": ""}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('nobody-asks = "x"', "no paper asks for it"),
        ("other = 3", "takes a text"),
        ('other = { de = "x" }', "takes a text"),
        ('other = "the car LTEST000000000001 was stolen"', "vehicle or a place"),
        ('other = "seen at 31.230416, 121.473701"', "vehicle or a place"),
        ("other = ", "TOML"),
    ],
)
def test_a_file_of_texts_that_says_what_it_must_not_is_refused(tmp_path, text, says):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(Malformed) as refused:
        read(path, "en")
    assert says in str(refused.value) or says == "TOML"
    assert "LTEST" not in str(refused.value)


def test_a_skeleton_asks_for_all_and_says_nothing(tmp_path):
    path = tmp_path / "new.toml"
    path.write_text(skeleton(form("annual")))
    wanted = {name for item in form("annual").item for name in item.asks}
    assert read(path, "zh") == dict.fromkeys(wanted, "")
    assert asks()["incidents"].zh in path.read_text()


def test_a_meter_that_was_altered_contradicts(copied, life):
    assert why(copied) == []
    changed(copied, update(meter_totals).where(meter_totals.c.name == "2027/sensitive").values(persons=3))
    assert any("2027/sensitive" in one for one in why(copied))
    changed(copied, update(meter_totals).where(meter_totals.c.name == "2027/sensitive").values(persons=4))
    parcel = life.shipped[1].id
    changed(copied, update(parcels).where(parcels.c.id == parcel).values(rows=parcels.c.rows + 1))
    (said,) = why(copied)
    assert said.startswith(f"papers and ledger differ: the parcel {parcel} has {life.shipped[1].rows + 1} rows")
    changed(copied, update(parcels).where(parcels.c.id == parcel).values(sha256="0" * 64))
    said = why(copied)
    assert any("the ledger has no release of it" in one for one in said)
    assert any("the ledger has a parcel that the papers have not" in one for one in said)


def test_persons_whom_the_register_does_not_know_contradict(copied):
    with copied.engine.connect() as conn:
        person = conn.execute(meter.select()).first().person
    changed(copied, update(meter).where(meter.c.person == person).values(person=7))
    said = why(copied)
    assert any("register does not know" in one for one in said)
    assert any("persons of each parcel" in one for one in said)


def test_more_than_the_ledger_has_contradicts(copied):
    now = copied.clock()
    with copied.engine.connect() as conn:
        given = dict(conn.execute(consents.select()).first()._mapping)
        case = dict(conn.execute(rights_cases.select().where(rights_cases.c.kind == "erase")).first()._mapping)
    changed(copied, consents.insert().values(**given | {"id": 5, "start": now - 5}))
    changed(copied, rights_cases.insert().values(**case | {"id": "twin"}))
    said = why(copied)
    assert "the papers have 5 consents given in the period, the ledger 4" in said
    assert "the papers have 2 erasures done in the period, the ledger certifies 1" in said


def test_no_more_persons_can_have_left_than_there_are(copied):
    changed(copied, update(meter_totals).where(meter_totals.c.name == "2027/ordinary").values(persons=99))
    assert any("count ordinary of the year is 99, and the register has 5 persons" in one for one in why(copied))


def test_a_contradiction_blocks_final_whoever_wrote(copied, tmp_path):
    changed(copied, update(meter_totals).where(meter_totals.c.name == "2027/sensitive").values(persons=3))
    with pytest.raises(Refusal, match="1 points"):
        draft(copied, "annual", 2027, "en", read(texts(tmp_path), "en"), state="final")


def test_a_paper_of_another_law_is_refused(life):
    for kind, reason in (
        ("processing", "report-not-here"),
        ("rejected", "report-not-here"),
        ("poem", "report-unknown"),
    ):
        with pytest.raises(Refusal) as refused:
            draft(life.site, kind, 2027, "en", {})
        assert refused.value.reason == reason


def test_a_year_to_come_is_refused(life):
    with pytest.raises(Refusal) as refused:
        draft(life.site, "annual", 2028, "en", {})
    assert refused.value.reason == "year-not-begun"


def test_what_looks_like_a_vehicle_stands_in_no_paper_whatever_its_way(hands):
    hands.site.settings.recipients.clear()
    toml = hands.site.folder / "site.toml"
    toml.write_text(toml.read_text().replace("[recipients.stuttgart]", "[recipients.LTEST000000000001]"))
    from onshore.site import open_site

    site = open_site(hands.site.folder, clock=lambda: hands.now)
    from border_makers import Border

    hands.site = site
    Border(hands).ask(recipient="LTEST000000000001")
    with pytest.raises(Refusal) as refused:
        draft(site, "transfers", 2026, "en", {})
    assert refused.value.reason == "report-names"
    assert "LTEST" not in str(refused.value)


def test_a_section_that_says_nothing_blocks_final(life, monkeypatch):
    from onshore.reports.blocks import all as blocks

    monkeypatch.setattr("onshore.reports.draft.BLOCKS", {**blocks.BLOCKS, "permits": lambda pen: iter(())})
    (one,) = draft(life.site, "transfers", 2027, "en", {}).open
    assert (one.section, one.why) == ("3", "empty")
    assert "Permits" in one.says


def test_entries_that_wait_are_told(copied):
    from onshore.reports.evidence import agree

    assert list(agree._waiting(copied)) == []
    with writing(copied.engine) as conn:
        copied.hand_in(conn, copied.entry("recall", obj="sha256:" + "0" * 64))
    assert list(agree._waiting(copied)) == [("agree.waiting", {})]
