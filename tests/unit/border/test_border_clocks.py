"""When the clock is believed."""

from datetime import date

import pytest
from sqlalchemy import select

from databases import papers_url
from onshore.border.permits import clocks
from onshore.cli.init import make_site
from onshore.rules.local import local_midnight
from onshore.site import open_site
from onshore.vault.papers import entries, meta, reading, transfers, writing
from onshore.words.errors import Broken, Refusal


def believed(site):
    with reading(site.engine) as conn:
        return clocks.believed(site, conn)


def set_to(site, text):
    path = site.folder / "site.toml"
    path.write_text(path.read_text() + text)
    return open_site(site.folder, clock=site.clock)


def test_a_clock_is_believed_up_to_some_seconds_before_what_is_written_down(hands):
    known = hands.now
    hands.now = known - 5000
    assert believed(hands.site) == known, "days and years are told by what is known"
    hands.now = known - 5001
    with pytest.raises(Refusal, match="it was set back") as refused:
        believed(hands.site)
    assert refused.value.reason == "clock-in-doubt"
    hands.now = known + 1
    assert believed(hands.site) == known + 1


def test_what_the_ledger_knows_is_not_forgotten_with_the_papers_nor_read_twice(hands):
    late = hands.now = hands.now + 1_000_000
    with writing(hands.site.engine) as conn:
        hands.site.hand_in(conn, hands.site.entry("recall", obj=f"sha256:{0:064}"))
    hands.site.settle()
    hands.now -= 500_000
    with writing(hands.site.engine) as conn:
        rows = conn.execute(select(entries.c.id, entries.c.body)).all()
        first = min(rows).body
        conn.execute(entries.update().values(body=first))
        assert clocks.newest(hands.site, conn) == late, "the log has it"
        clocks.note(hands.site, conn)
        conn.execute(entries.update().values(leaf=None))
        assert clocks.newest(hands.site, conn) == late, "it was noted"
        conn.execute(meta.delete().where(meta.c.name == "clock"))
        conn.execute(meta.insert().values(name="clock", value="[1000000, 5]"))  # as of a longer log than this one
        assert clocks.newest(hands.site, conn) == late


def test_an_entry_without_an_instant_is_no_entry_of_ours(hands):
    with writing(hands.site.engine) as conn:
        conn.execute(entries.update().values(body=b"{}"))
    with pytest.raises(Broken, match="does not say when"):
        believed(hands.site)


def test_what_the_papers_know_counts_as_well(hands):
    with writing(hands.site.engine) as conn:
        conn.execute(transfers.insert().values(id="t", state="asked", asked=hands.now + 10_000, body="{}"))
    with pytest.raises(Refusal, match="set back"):
        believed(hands.site)


def test_a_site_may_ask_for_a_clock_that_is_kept_in_step(hands):
    site = set_to(hands.site, "\n[clock]\nsynchronised = true\n")
    if clocks.synchronised():
        assert believed(site) == hands.now
    else:
        with pytest.raises(Refusal, match="in step"):
            believed(site)


def test_without_witnesses_nobody_contradicts_a_clock(hands):
    hands.now += 10**10
    clocks.refuse_apart(hands.site)


@pytest.mark.parametrize(
    ("code", "zone"),
    [
        ("CN", "Asia/Shanghai"),
        ("JP", "Asia/Tokyo"),
        ("IN", "Asia/Kolkata"),
        ("GB", "Europe/London"),
        ("US", "America/New_York"),
    ],
)
def test_a_clock_set_back_over_new_year_opens_no_old_year_wherever_the_site_is(tmp_path, code, zone):
    """The year turns at midnight there, which is 16:00, 15:00, 18:30, 0:00 and 5:00 UTC."""
    now = local_midnight(date(2027, 1, 1), zone) - 1
    make_site(tmp_path / "site", code, "there", papers=papers_url(tmp_path / "site"), clock=lambda: now)
    site = open_site(tmp_path / "site", clock=lambda: now)
    assert site.law.zone == zone

    def year():
        with reading(site.engine) as conn:
            return clocks.year(site, conn)

    assert year() == 2026
    now += 1
    assert year() == 2027
    with writing(site.engine) as conn:
        site.hand_in(conn, site.entry("recall", obj=f"sha256:{0:064}"))
    now -= 1
    assert (site.today(), year()) == (date(2026, 12, 31), 2027)
    now -= 60_000
    with pytest.raises(Refusal, match="it was set back"):
        believed(site)


@pytest.mark.parametrize(
    ("day", "then"),
    [
        (date(2028, 2, 28), date(2027, 2, 28)),
        (date(2028, 2, 29), date(2027, 2, 28)),
        (date(2029, 2, 28), date(2028, 2, 28)),
        (date(2029, 3, 1), date(2028, 3, 1)),
    ],
)
def test_twelve_months_from_a_leap_day_are_counted_from_the_last_of_february(hands, day, then):
    hands.now = local_midnight(day, hands.site.law.zone) + 1
    with reading(hands.site.engine) as conn:
        assert clocks.year_ago(hands.site, conn) == local_midnight(then, hands.site.law.zone)
