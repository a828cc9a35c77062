"""Every pack that ships, every category and ground: how long rows may lie by it, as the packs themselves say."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from law import packs
from onshore.rights.retention import Limits, ends, kept
from onshore.rules.acts import Facts, Store
from onshore.rules.judge import judge
from onshore.rules.local import local_day, local_midnight
from onshore.rules.standing import is_draft
from onshore.words.vocabulary import CATEGORIES

DAY = 86_400_000
CAPPED = ("track", "exterior-video", "exterior-video-anonymised", "point-cloud")
FOURTEEN = dict.fromkeys(CAPPED, 14)
CAPS = {
    "cn/2021-05-draft": {"track": 7},
    "cn/2021-10": FOURTEEN,
    "cn/2024-03": FOURTEEN,
    "cn/2026-02": FOURTEEN,
}
"""Pack to the days for which a category may be kept on consent; no other pack that ships has a cap."""

LIFTED = {
    "user-cloud": CAPPED,
    "road-test": CAPPED,
    "safety-clip": (),  # a clip of which nothing is told is none
}


def site(pack):
    version = SimpleNamespace(pack=pack, digest="0" * 64, lenient=frozenset())
    law = SimpleNamespace(zone=pack.zone, on=lambda _day: version, ahead=lambda _day: [version])
    settings = SimpleNamespace(site=SimpleNamespace(jurisdiction=pack.home[0]))
    return SimpleNamespace(law=law, settings=settings)


def last_day(pack):
    """Noon of a day late in a pack's term."""
    day = pack.valid_until or pack.valid_from + timedelta(days=300)
    return local_midnight(day, pack.zone) + DAY // 2


@pytest.mark.parametrize("pack", packs(), ids=lambda pack: pack.id)
@pytest.mark.parametrize("category", CATEGORIES)
def test_how_long_rows_on_consent_may_lie(pack, category):
    at = last_day(pack)
    limits = Limits(site(pack), at)
    days = CAPS.get(pack.id, {}).get(category)
    cut = limits((category, "consent", ""))
    if days is None:
        assert (cut, limits.why((category, "consent", ""))) == (None, ())
        return
    assert cut == at - days * DAY - 999, "an age is told in whole seconds"
    (reason,) = limits.why((category, "consent", ""))
    caps = [cap for cap in pack.store.cap if category in cap.categories]
    assert (reason.code, reason.article) == ("retention-over", caps[0].article)
    term = ends(site(pack), kept(site(pack), (category, "consent", "")), at - DAY, at - DAY)
    assert term is None or (term.until, term.article) == (at - DAY + days * DAY, caps[0].article)


@pytest.mark.parametrize("pack", packs(), ids=lambda pack: pack.id)
@pytest.mark.parametrize("category", CATEGORIES)
def test_what_the_law_itself_has_kept(pack, category):
    cut = Limits(site(pack), last_day(pack))((category, "statutory", ""))
    lifted = category == "track" and not is_draft(pack)
    assert (cut is not None) is (category in CAPS.get(pack.id, {}) and not lifted)


@pytest.mark.parametrize("pack", [p for p in packs() if p.store and p.store.exception], ids=lambda pack: pack.id)
@pytest.mark.parametrize("exception", LIFTED)
@pytest.mark.parametrize("category", CAPPED)
def test_what_an_exception_lifts(pack, exception, category):
    cut = Limits(site(pack), last_day(pack))((category, "consent", exception))
    assert (cut is None) is (category in LIFTED[exception])


@pytest.mark.parametrize("pack", packs(), ids=lambda pack: pack.id)
def test_the_instant_found_is_where_the_judge_changes_his_mind(pack):
    at = last_day(pack)
    limits = Limits(site(pack), at)
    for category in CATEGORIES:
        kind = category, "consent", ""
        cut = limits(kind)
        if cut is not None:
            assert (limits.goes(kind, cut - 1), limits.goes(kind, cut)) == (True, False)


def test_after_its_last_day_a_pack_has_nothing_go():
    pack = next(p for p in packs() if p.valid_until is not None and p.id == "cn/2024-03")
    at = local_midnight(pack.valid_until + timedelta(days=1), pack.zone)
    here = site(pack)
    act = Store(category="track", place="CN", age="30d")
    assert judge(act, Facts(at=at), pack, ()).verdict == "refuse"
    assert Limits(here, at)(("track", "consent", "")) is None
    assert local_day(at, pack.zone) > pack.valid_until
