"""A clock that ran ahead once: two officers lift it, the ledger has it, and nobody else takes an instant back."""

import contextlib
import json
from datetime import date

import pytest
from sqlalchemy import update

from onshore.border import grants
from onshore.border.metering import meter
from onshore.border.permits import clocks, lifting
from onshore.border.transfer import ship
from onshore.cli import check
from onshore.cli.check import _looks
from onshore.rules.local import local_midnight
from onshore.site import open_site
from onshore.vault.papers import entries, meta, reading, transfers, writing
from onshore.words.errors import Broken, Malformed, Refusal
from witness_makers import Watched

YEAR = 366 * 86_400_000


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def newest(site):
    with reading(site.engine) as conn:
        return clocks.newest(site, conn)


def permitted(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request = border.approved()
    today = border.site.today()
    grants.grant(border.site, border.draft(request, until=today.replace(year=today.year + 3)), border.regulator())
    return request


def ran_ahead(border):
    """The clock said the next year for a while, in which somebody asked for something; it is set right since."""
    right = border.hands.now
    border.hands.now += YEAR
    border.ask()
    border.site.settle()
    border.hands.now = right + 60_000


@pytest.fixture
def ahead(border):
    request = permitted(border)
    ran_ahead(border)
    return border, request


def test_nothing_leaves_until_two_officers_say_that_the_clock_ran_ahead(ahead):
    border, request = ahead
    refusal = refused(lambda: ship(border.site, request.id))
    assert (refusal.reason, "onshore clock lift" in refusal.remedy) == ("clock-in-doubt", True)
    said = lifting.doubt(border.site, "officer", "INC-7")
    assert (said.until > border.hands.now + YEAR // 2, lifting.pending(border.site)) == (True, said)
    assert refused(lambda: ship(border.site, request.id)).reason == "clock-in-doubt"
    border.hands.now += 60_000
    lifting.lift(border.site, "deputy")
    assert (newest(border.site), lifting.pending(border.site)) == (border.hands.now, None)
    assert ship(border.site, request.id).persons == 1
    logged = [e for e in map(json.loads, border.site.ledger.entries()) if e["t"] == "clock"]
    assert [(e["state"], e["number"], e["by"]) for e in logged] == [
        ("doubted", "INC-7", "officer"),
        ("lifted", "INC-7", "officer"),
    ]
    assert (logged[1]["vouched"], logged[0]["obj"]) == ("officers", logged[1]["obj"])
    assert b"deputy" not in b"".join(border.site.ledger.entries())


def test_a_lift_takes_back_nothing_that_comes_after_it(ahead):
    border, request = ahead
    lifting.doubt(border.site, "officer", "INC-7")
    lifting.lift(border.site, "deputy")
    ship(border.site, request.id)
    border.hands.now += YEAR // 2
    border.ask()
    border.hands.now -= YEAR // 4
    assert refused(lambda: ship(border.site, request.id)).reason == "clock-in-doubt"


def test_the_year_that_never_was_counts_nobody_of_this_one(border):
    """Ahead over New Year, and a parcel left then: it counts in that year, and this one's count goes on."""
    border.hands.now = local_midnight(date(2026, 12, 30), border.site.law.zone)
    request = permitted(border)
    right, border.hands.now = border.hands.now, border.hands.now + 5 * 86_400_000
    ship(border.site, request.id)
    border.hands.now = right + 60_000
    assert refused(lambda: ship(border.site, request.id)).reason == "clock-in-doubt"
    lifting.doubt(border.site, "officer", "INC-7")
    lifting.lift(border.site, "deputy")
    ship(border.site, request.id)
    with reading(border.site.engine) as conn:
        assert [meter.exported(conn, y).sensitive for y in (2026, 2027)] == [1, 1]
    list(border.site.reopened().fsck())


def test_one_officer_or_somebody_else_lifts_nothing(ahead):
    border, _ = ahead
    site = border.site
    assert refused(lambda: lifting.lift(site, "deputy")).reason == "nothing-to-lift"
    assert refused(lambda: lifting.doubt(site, "operator", "INC-7")).reason == "not-your-act"
    with pytest.raises(Malformed):
        lifting.doubt(site, "officer", "because I say so")
    lifting.doubt(site, "officer", "INC-7")
    assert refused(lambda: lifting.lift(site, "officer")).reason == "four-eyes"
    assert refused(lambda: lifting.lift(site, "regulator")).reason == "not-your-act"
    assert newest(site) > border.hands.now + YEAR // 2


def test_a_clock_that_is_believed_is_not_lifted(border):
    assert refused(lambda: lifting.doubt(border.site, "officer", "INC-7")).reason == "nothing-to-lift"


def test_what_changed_since_the_first_said_so_is_said_anew(ahead):
    border, _ = ahead
    right = border.hands.now
    lifting.doubt(border.site, "officer", "INC-7")
    border.hands.now += 2 * YEAR
    border.ask()
    border.hands.now = right
    assert "another instant" in str(refused(lambda: lifting.lift(border.site, "deputy")))
    lifting.doubt(border.site, "officer", "INC-8")
    border.hands.now -= 60_000
    assert "set back" in str(refused(lambda: lifting.lift(border.site, "deputy")))


def test_a_word_that_only_the_papers_have_counts_for_nothing(ahead):
    """One officer writes into the papers that the other one said so."""
    border, _ = ahead
    lifting.doubt(border.site, "officer", "INC-7")
    with writing(border.site.engine) as conn:
        value = json.dumps(lifting.pending(border.site).__dict__ | {"by": "deputy"})
        conn.execute(update(meta).where(meta.c.name == "clock-doubted").values(value=value))
    with pytest.raises(Broken, match="no entry of what the papers say"):
        lifting.lift(border.site, "officer")
    with writing(border.site.engine) as conn:
        forged = json.loads(value)
        conn.execute(update(entries).where(entries.c.id == forged["entry"]).values(body=b"{}"))
    with pytest.raises(Broken, match="no entry of what the papers say"):
        lifting.lift(border.site, "officer")


def test_whoever_writes_in_the_papers_alone_takes_no_instant_back(ahead):
    border, _ = ahead
    known = newest(border.site)
    with writing(border.site.engine) as conn:
        clocks.note(border.site, conn)
        size, _, _, seal = json.loads(clocks.marked(conn))
        conn.execute(transfers.update().values(asked=0))
        for forged in ([size, 0, [], seal], [size, 5, [[1, known]], seal], [size, 0, [], ""], [size], "no list", 7):
            conn.execute(update(meta).where(meta.c.name == "clock").values(value=json.dumps(forged)))
            assert clocks.newest(border.site, conn) == known, forged


def test_witnesses_must_agree(border, tmp_path):
    with contextlib.ExitStack() as stack:
        watched = Watched(border, stack, tmp_path)
        request = permitted(border)
        ahead = watched.border.site
        ran_ahead(border)
        lifting.doubt(ahead, "officer", "INC-7")
        watched.stop(watched.witnesses[0])
        watched.stop(watched.witnesses[1])
        assert refused(lambda: lifting.lift(ahead, "deputy")).reason == "no-quorum"
        watched.start(watched.witnesses[0])
        lifting.lift(ahead, "deputy")
        assert json.loads(list(ahead.ledger.entries())[-1])["vouched"] == "witnesses"
        assert watched.ship(request).persons == 1


def test_witnesses_who_say_another_time_are_believed(border, tmp_path):
    from onshore.site import open_site

    with contextlib.ExitStack() as stack:
        Watched(border, stack, tmp_path)
        permitted(border)
        border.hands.now += YEAR
        border.ask()
        border.site.settle()
        back = open_site(border.site.folder, clock=lambda: border.hands.now - YEAR // 2)  # and the witnesses' is right
        lifting.doubt(back, "officer", "INC-7")
        refusal = refused(lambda: lifting.lift(back, "deputy"))
        assert (refusal.reason, "witnesses" in refusal.says) == ("clock-in-doubt", True)


def clock_line(site, monkeypatch):
    monkeypatch.setitem(open_site.__kwdefaults__, "clock", site.clock)
    [(good, says)] = [(good, says) for what, good, says in _looks(site.folder, deep=False) if what == "clock"]
    return good, says


def test_check_says_whether_the_clock_is_believed(ahead, monkeypatch):
    border, request = ahead
    good, says = clock_line(border.site, monkeypatch)
    assert not good
    assert "it was set back" in says
    assert "onshore clock lift" in says
    lifting.doubt(border.site, "officer", "incident-1")
    good, says = clock_line(border.site, monkeypatch)
    assert not good
    assert "one officer said that it ran ahead" in says
    lifting.lift(border.site, "deputy")
    assert clock_line(border.site, monkeypatch) == (True, "set, and believed beside what papers and ledger know")
    assert ship(border.site, request.id).persons == 1


def test_check_says_where_a_clock_was_never_set(border, monkeypatch):
    monkeypatch.setattr(check.time, "time", lambda: 0.0)
    assert ("clock", False, "was never set") in list(_looks(border.site.folder, deep=False))
