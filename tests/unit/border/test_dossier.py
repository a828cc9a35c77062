"""A dossier's draft: figures with their sources, what a human must write marked, and nobody named."""

import json

import pytest

from onshore.border.transfer import ship
from onshore.border.views import dossier
from onshore.register import consents


@pytest.fixture
def asked(border):
    for number in (1, 2, 3):
        border.hands.allow(number)
    border.hands.drive(1, 2)
    consents.withdraw(border.site, border.hands.car(3))
    return border.permitted()[0]


def test_each_line_has_a_source_and_each_section_says_something(border, asked):
    draft = dossier.draft(border.site, asked.id)
    titles = [section.title for section in draft.sections]
    for word in ("Who", "law", "What", "Scale", "Necessity", "recipient", "Papers", "Safeguards", "Consent", "long"):
        assert any(word in title for title in titles)
    for section in draft.sections:
        assert section.lines or section.to_write
        assert all(line.says and line.source for line in section.lines)


def test_the_figures_are_those_of_now(border, asked):
    said = dossier.markdown(dossier.draft(border.site, asked.id))
    assert "80 rows of 2 vehicles and 2 distinct persons" in said  # 20 rows of each in each of two categories
    assert "4 consents stand for this purpose and recipient, of 2 cars" in said
    assert "2 of 6 ever given for these categories were withdrawn" in said
    assert "route assessment: " in said
    assert f"by {border.site.pack.id}" in said
    consents.withdraw(border.site, border.hands.car(2))
    assert "40 rows of 1 vehicles and 1 distinct persons" in dossier.markdown(dossier.draft(border.site, asked.id))


def test_what_a_human_must_write_is_marked_plainly(border, asked):
    draft = dossier.draft(border.site, asked.id)
    said = dossier.markdown(draft)
    marked = [section.to_write for section in draft.sections if section.to_write]
    assert len(marked) > 5
    for who, what in marked:
        assert f"[to be written by {who}: {what}]" in said
    necessity = next(section for section in draft.sections if section.title == "Necessity")
    assert necessity.to_write


def test_what_left_is_in_it_with_its_entries(border, asked):
    shipped = ship(border.site, asked.id)
    said = dossier.markdown(dossier.draft(border.site, asked.id))
    assert f"parcel {shipped.id}: left" in said
    assert "request allow" in said
    assert "of the ledger)" in said
    assert "2 persons used" in said


def test_nobody_is_named_in_it(border, asked):
    draft = dossier.draft(border.site, asked.id)
    for text in (dossier.markdown(draft), json.dumps(dossier.document(draft))):
        for number in (1, 2, 3):
            car = border.hands.car(number)
            for name in (border.hands.vin(number).decode(), f"{car.id:016x}", f"{car.owner:016x}", f"owner {number}"):
                assert name not in text


def test_a_request_with_nothing_to_show_has_a_draft_too(border):
    request, _ = border.ask()
    said = dossier.markdown(dossier.draft(border.site, request.id))
    assert "0 rows of 0 vehicles" in said
    assert "missing: impact-assessment" in said
