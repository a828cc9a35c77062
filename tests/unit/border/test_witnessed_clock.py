"""Witnesses of the ledger contradict a clock that is ahead, and one that is set back."""

import contextlib

import pytest

from onshore.border import grants, transfer
from onshore.border.permits import clocks
from onshore.site import open_site
from onshore.vault.papers import reading
from onshore.words.errors import Refusal
from witness_makers import Watched

YEAR = 366 * 86_400_000


@pytest.fixture
def watched(border, tmp_path):
    with contextlib.ExitStack() as stack:
        yield Watched(border, stack, tmp_path)


def permitted(watched):
    border = watched.border
    watched.hands.allow(1)
    watched.hands.drive(1)
    request, today = border.approved(), border.site.today()
    draft = border.draft(request, until=today.replace(year=today.year + 3))
    grants.grant(border.site, draft, border.regulator())
    return request


def site_at(watched, ahead):
    return open_site(watched.border.site.folder, clock=lambda: watched.hands.now + ahead)


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def test_a_clock_a_year_ahead_opens_no_new_year_of_the_meter(watched):
    request = permitted(watched)
    ahead = site_at(watched, YEAR)
    refusal = refused(lambda: transfer.ship(ahead, request.id))
    assert refusal.reason == "clock-in-doubt"
    assert "no witness of the ledger says so within 60 minutes" in str(refusal)
    assert not list((ahead.folder / "outbox").glob("*"))


def test_a_clock_half_an_hour_off_is_let_be(watched):
    request = permitted(watched)
    assert transfer.ship(site_at(watched, 30 * 60_000), request.id).persons == 1


def test_what_most_witnesses_said_last_is_known_even_where_nothing_else_is(watched):
    request = permitted(watched)
    transfer.ship(watched.border.site, request.id)
    now = watched.hands.now
    with reading(watched.border.site.engine) as conn:
        assert clocks.newest(watched.border.site, conn) == now
    watched.hands.now = now + YEAR
    watched.border.site.witnessed_proof(1)
    with reading(watched.border.site.engine) as conn:
        assert clocks.newest(watched.border.site, conn) == now + YEAR - 3_600_000
    watched.hands.now = now + YEAR // 2
    refusal = refused(lambda: transfer.ship(watched.border.site, request.id))
    assert refusal.reason == "clock-in-doubt"
