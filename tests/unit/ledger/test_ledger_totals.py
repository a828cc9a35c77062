"""Bytes that left, as a log states them: whoever reads it sees each total that went down, within a year and over it."""

import json
import re

import pytest

from onshore.ledger import history
from onshore.ledger.log import Log
from onshore.ledger.note import Wrong
from onshore.ledger.signer import LogSigner
from onshore.ledger.totals import Totals
from onshore.ledger.verify import Trust
from onshore.ledger.years import Years

SEED, ORIGIN = b"s" * 32, "example.org/shanghai"
NEW_YEAR = "2027-01-01T00:00:00.000Z"


def said(total, payload=0, *, at="2026-09-21T00:00:00.000Z", **to):
    fields = {"at": at, "t": "egress", "total": total, "payload": payload, "to": [list(one) for one in to.items()]}
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def other(at="2026-09-21T00:00:00.000Z"):
    return json.dumps({"at": at, "t": "site"}, separators=(",", ":")).encode()


def heard(*bodies):
    totals = Totals()
    return [totals.hear(body) for body in bodies]


def test_totals_that_grow_or_stand_are_let_be():
    assert heard(other(), said(0), said(5, 3, DE=5), said(5, 3, DE=5), said(9, 3, DE=5, US=4)) == [""] * 5


@pytest.mark.parametrize(
    ("later", "fell"),
    [
        (said(8, 3, DE=5, US=3), "to US: 3 after 4, total: 8 after 9"),
        (said(9, 2, DE=5, US=4), "payload: 2 after 3"),
        (said(9, 3, DE=5), "to US: 0 after 4"),
    ],
)
def test_a_total_that_went_down_is_told_as_often_as_it_is_said(later, fell):
    before = said(9, 3, DE=5, US=4)
    assert heard(before, later, later, before) == ["", fell, fell, ""]


def test_an_entry_of_another_kind_that_speaks_of_totals_states_none():
    body = json.dumps({"t": "x", "why": {"t": "egress"}}, sort_keys=True, separators=(",", ":")).encode()
    assert heard(said(9), body) == ["", ""]


@pytest.mark.parametrize("fields", [{}, {"total": 1, "payload": 1}, {"total": "1", "payload": 1, "to": []}])
@pytest.mark.parametrize("to", [7, [["DE"]], [["DE", "9"]], [[["DE"], 1]]])
def test_an_entry_that_states_bytes_and_not_how_many_is_none(fields, to):
    body = json.dumps({"to": to} | fields | {"t": "egress"}, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Wrong, match="not how many"):
        Totals().hear(body)


def looked_at(folder):
    def read(name):
        return (folder / name).read_bytes() if (folder / name).exists() else None

    return [str(one) for one in history.log(read, Trust(LogSigner(ORIGIN, SEED).keys))]


def test_a_log_says_how_many_left_and_one_that_takes_some_back_is_wrong(tmp_path):
    log = Log(tmp_path, SEED, ORIGIN)
    log.recover()
    log.append([other(), *(said(number) for number in range(300))])
    assert "checked: totals: 299 bytes left by sockets; no entry states fewer than before" in looked_at(tmp_path)
    log.append([said(298)])
    with pytest.raises(
        Wrong, match=re.escape("entry 301 states fewer bytes than one before it (total: 298 after 299)")
    ):
        looked_at(tmp_path)


def tell(kind, /, **fields):
    return json.dumps({"at": NEW_YEAR, "t": kind, **fields}, sort_keys=True, separators=(",", ":")).encode()


def over_new_year(folder, *late):
    years = Years(folder, SEED, ORIGIN, write=True)
    years.recover(tell)
    years.append([other(), said(700)], tell)
    years.append([other(NEW_YEAR), *late], tell)


@pytest.mark.parametrize("late", [(), (said(700, at=NEW_YEAR), said(701, at=NEW_YEAR))])
def test_a_new_year_that_goes_on_from_the_old_ones_totals(tmp_path, late):
    over_new_year(tmp_path, *late)
    assert [line for line in looked_at(tmp_path) if line.startswith("checked: totals: 700 ")]


def test_a_new_year_that_begins_with_less_is_wrong(tmp_path):
    over_new_year(tmp_path, said(699, at=NEW_YEAR))
    with pytest.raises(Wrong, match=re.escape("than the year before it (total: 699 after 700)")):
        looked_at(tmp_path)
