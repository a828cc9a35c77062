"""Consenting in China: which consents count."""

from datetime import date
from typing import Any

import pytest

from law import AT, cn_pack, ms
from onshore.rules.acts import ConsentAsked, Facts
from onshore.rules.articles import NOTICE_ITEMS
from onshore.rules.judge import judge
from onshore.words.verdict import Verdict

DAY = 86_400_000


def consent(**act: Any) -> Verdict:
    asked = {"categories": ("track",), "purposes": ("trips",), "notice_items": NOTICE_ITEMS, "separate": True, **act}
    return judge(ConsentAsked(**asked), Facts(at=AT), cn_pack())


def test_a_complete_and_separate_consent_is_accepted() -> None:
    assert consent() == Verdict("accept", ())


@pytest.mark.parametrize("item", NOTICE_ITEMS)
def test_every_item_of_the_notice_is_needed(item: str) -> None:
    found = consent(notice_items=tuple(i for i in NOTICE_ITEMS if i != item))
    assert (found.verdict, found.codes()) == ("reject", {"notice-incomplete"})


@pytest.mark.parametrize(
    ("act", "codes"),
    [
        ({"separate": False}, {"not-separate"}),
        ({"own_screen": False}, {"not-separate"}),
        ({"separate": False, "categories": ("identity",)}, set()),
        ({"separate": False, "categories": ("identity", "health")}, {"not-separate"}),
        ({"bundled_with": "lease"}, {"bundled"}),
        ({"categories": ("biometric",)}, {"biometric-not-for-safety"}),
        ({"categories": ("biometric",), "purposes": ("driving-safety",)}, set()),
        ({"categories": ("biometric",), "purposes": ("driving-safety", "pay")}, {"biometric-not-for-safety"}),
        ({"person_born": date(2012, 6, 16)}, {"guardian-needed"}),
        ({"person_born": date(2012, 6, 16), "guardian": True}, set()),
        ({"person_born": date(2012, 6, 15)}, set()),
        (
            {"person_born": date(2012, 6, 16), "separate": False, "categories": ("identity",)},
            {"guardian-needed", "not-separate"},
        ),
        (
            {"person_born": date(2012, 6, 16), "separate": False, "categories": ("traffic-flow",)},
            {"guardian-needed"},
        ),
        ({"last_refused": AT - 180 * DAY}, set()),
        ({"last_refused": AT - 180 * DAY + 1}, {"asked-too-soon"}),
        ({"last_refused": date(2025, 12, 17)}, set()),
        ({"last_refused": date(2025, 12, 18)}, {"asked-too-soon"}),
    ],
)
def test_what_a_consent_lacks(act: dict[str, Any], codes: set[str]) -> None:
    assert (consent(**act).verdict, consent(**act).codes()) == ("reject" if codes else "accept", codes)


def test_a_birthday_begins_at_local_midnight() -> None:
    asked = ConsentAsked(
        categories=("identity",), purposes=("trips",), notice_items=NOTICE_ITEMS, person_born=date(2012, 11, 23)
    )
    before, after = (
        judge(asked, Facts(at=ms(at)), cn_pack())
        for at in ("2026-11-22T15:59:59.999+00:00", "2026-11-22T16:00:00+00:00")
    )
    assert (before.verdict, after.verdict) == ("reject", "accept")
