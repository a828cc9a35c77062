"""Drawings show figures, and the same figures as a table; nothing that they are told becomes markup."""

import xml.etree.ElementTree as ET

import pytest

from onshore.desk import draw

SVG = "{http://www.w3.org/2000/svg}"
HEAD = ("Day", "Rows")


def parsed(drawing):
    """The picture as XML, as a browser would read it were it a file."""
    return ET.fromstring(str(drawing.svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def widths(drawing):
    return [float(one.get("width")) for one in parsed(drawing).iter(f"{SVG}rect")]


def test_bars_are_as_long_as_their_values():
    drawing = draw.bars("Rows", HEAD, [("a", 50), ("b", 100), ("c", 0)])
    half, whole, none = widths(drawing)
    assert half * 2 == pytest.approx(whole)
    assert none == 1
    assert drawing.head == HEAD
    assert drawing.rows == (("a", "50"), ("b", "100"), ("c", "0"))


@pytest.mark.parametrize("rows", [[], [("a", 0)], [("a", 0), ("b", 0)], [("a", 5)]])
def test_little_is_drawn_too(rows):
    for drawing in (draw.bars("x", HEAD, rows), draw.sparkline("x", HEAD, rows)):
        assert parsed(drawing).get("role") == "img"
        assert len(drawing.rows) == len(rows)


@pytest.mark.parametrize(
    ("used", "how", "part", "marks"),
    [(0, "bar", 0, 1), (79, "bar", 0.79, 1), (80, "bar near", 0.8, 1), (100, "bar", 0.1, 2), (2000, "bar over", 1, 2)],
)
def test_a_meter_goes_to_the_next_threshold(used, how, part, marks):
    drawing = draw.meter("Persons", HEAD, ("used", used), [("second", 1000), ("first", 100)])
    track, bar = parsed(drawing).iter(f"{SVG}rect")
    assert float(bar.get("width")) == pytest.approx(part * float(track.get("width")), abs=0.06)
    assert bar.get("class") == how
    assert len(list(parsed(drawing).iter(f"{SVG}line"))) == marks
    assert drawing.rows[0] == ("used", f"{used:,}")


def test_a_meter_without_a_threshold_is_full_of_what_there_is():
    assert widths(draw.meter("x", HEAD, ("used", 7), [])) == [480, 480]
    assert widths(draw.meter("x", HEAD, ("used", 0), [])) == [480, 0]


def test_labels_are_text_and_nothing_else():
    evil = '"><script>alert(1)</script>'
    for drawing in (
        draw.bars(evil, HEAD, [(evil, 1)]),
        draw.sparkline(evil, HEAD, [(evil, 1)]),
        draw.meter(evil, HEAD, (evil, 1), [(evil, 2)]),
    ):
        assert "<script" not in drawing.svg
        assert parsed(drawing).get("aria-label") == evil
        assert parsed(drawing).find(f"{SVG}title").text == evil


def test_a_long_label_is_cut_in_the_picture_and_whole_in_the_table():
    drawing = draw.bars("x", HEAD, [("l" * 60, 1)])
    assert parsed(drawing).find(f"{SVG}text").text == "l" * 23 + "…"
    assert drawing.rows == (("l" * 60, "1"),)


def test_nothing_in_a_picture_is_a_style_that_the_policy_forbids():
    assert " style=" not in draw.meter("x", HEAD, ("a", 1), [("b", 2)]).svg
