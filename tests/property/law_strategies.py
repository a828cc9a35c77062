"""Acts and facts for every pack that ships: near its thresholds, its destinations and its edges."""

from datetime import date

from hypothesis import strategies as st

from law import AT, packs
from onshore.rules.acts import (
    ASKS,
    MEANS,
    SETTINGS,
    STATUSES,
    TRANSFER_GROUNDS,
    ZONES,
    Act,
    Collect,
    ConsentAsked,
    Deadline,
    Exported,
    Facts,
    GroupExports,
    PermitInForce,
    StandingConsent,
    Store,
    TransferAsked,
)
from onshore.rules.articles import NOTICE_ITEMS, PAPERS
from onshore.rules.pack import Pack
from onshore.rules.pack_clock import CLOCKS
from onshore.rules.pack_store import EXCEPTIONS, RECORDS, SINKS
from onshore.words.vocabulary import CATEGORIES, GROUNDS

PURPOSES = ("driving-safety", "repair", "statutory-monitoring")
RECIPIENTS = ("plant-1", "plant-2")
PLACES = ("DE", "HK", "CN", "US", "GB", "JP", "BR", "RU")
COUNTS = st.sampled_from([0, 1, 998, 999, 9_998, 9_999, 99_998, 99_999, 100_000, 100_001, 999_999, 1_000_000])
DAY = 86_400_000

lawful = st.sampled_from(packs())
some_categories = st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=3, unique=True).map(tuple)
some_purposes = st.lists(st.sampled_from(PURPOSES), unique=True).map(tuple)


def near(at: int) -> st.SearchStrategy[int]:
    return st.integers(at - 3, at + 3)


def start_of(pack: Pack) -> int:
    """An instant well inside the pack's validity: noon of its second day, UTC."""
    return (pack.valid_from.toordinal() - date(1970, 1, 1).toordinal() + 1) * DAY + DAY // 2


def consents(at: int = AT) -> st.SearchStrategy[StandingConsent]:
    return st.builds(
        StandingConsent,
        purposes=some_purposes,
        categories=some_categories,
        recipients=st.lists(st.sampled_from(RECIPIENTS), unique=True).map(tuple),
        start=st.none() | near(at),
        until=st.none() | near(at),
        separate=st.booleans(),
        withdrawn=st.none() | near(at),
        notice=st.sampled_from(("complete", "complete", "incomplete")),
    )


permits = st.builds(
    PermitInForce,
    route=st.sampled_from(("contract-or-certificate", "assessment", "safeguards", "adequacy", "exempt", "none")),
    purpose=st.sampled_from(PURPOSES),
    categories=some_categories,
    recipient=st.sampled_from(RECIPIENTS),
    persons=COUNTS,
    used=COUNTS,
    start=st.sampled_from((date(2026, 3, 2), date(2026, 6, 16))),
    until=st.sampled_from((date(2026, 6, 14), date(2029, 3, 1))),
    revoked=st.booleans(),
)


def facts(at: int = AT) -> st.SearchStrategy[Facts]:
    return st.builds(
        Facts,
        at=st.just(at),
        exported=st.builds(Exported, sensitive=COUNTS, ordinary=COUNTS),
        devices_12_months=COUNTS,
        others_12_months=st.none() | st.builds(Exported, sensitive=COUNTS, ordinary=COUNTS),
        critical_operator=st.booleans(),
        papers=st.frozensets(st.sampled_from(PAPERS)) | st.just(frozenset(PAPERS)),
        permit=st.none() | permits,
        group_exports=st.none() | st.builds(GroupExports, sensitive=COUNTS, ordinary=COUNTS),
        strict_art3_5=st.booleans(),
        consent=st.none() | consents(at),
        driver_setting=st.sampled_from(SETTINGS),
        calendar_until=st.none() | st.integers(2025, 2027),
    )


collects = st.builds(
    Collect,
    category=st.sampled_from(CATEGORIES),
    purpose=st.sampled_from(PURPOSES),
    ground=st.sampled_from(GROUNDS),
    person_born=st.none() | st.dates(date(2005, 1, 1), date(2026, 1, 1)),
    zone=st.sampled_from(ZONES),
    masked=st.booleans(),
    in_catalogue=st.booleans(),
    leaves_car=st.booleans(),
    biometric_necessity_memo=st.booleans(),
    function_running=st.booleans(),
)
asked = st.builds(
    ConsentAsked,
    categories=some_categories,
    purposes=st.lists(st.sampled_from(PURPOSES), unique=True, min_size=1).map(tuple),
    notice_items=st.just(NOTICE_ITEMS) | st.lists(st.sampled_from(NOTICE_ITEMS), unique=True).map(tuple),
    separate=st.booleans(),
    bundled_with=st.none() | st.just("lease"),
    guardian=st.booleans(),
    person_born=st.none() | st.dates(date(2005, 1, 1), date(2026, 1, 1)),
    own_screen=st.booleans(),
)
stores = st.builds(
    Store,
    category=st.sampled_from(CATEGORIES),
    place=st.sampled_from(PLACES),
    kind=st.sampled_from(SINKS),
    age=st.none() | st.sampled_from(("14d", "14d1s", "6mo", "2y364d", "3y", "10y", "300y")),
    record=st.sampled_from(RECORDS),
    ask=st.sampled_from(ASKS),
    exception=st.sampled_from(EXCEPTIONS),
    clips_today=st.integers(0, 4),
    clip_seconds=st.sampled_from((0, 120, 121)),
)
transfers = st.builds(
    TransferAsked,
    to=st.sampled_from(PLACES),
    purpose=st.sampled_from(PURPOSES),
    categories=some_categories,
    recipient=st.none() | st.sampled_from(RECIPIENTS),
    by=st.sampled_from(MEANS),
    new_persons=COUNTS,
    new_devices=COUNTS,
    precision_m=st.none() | st.sampled_from((10.0, 1000.0, 1001.0)),
    subjects_in_dataset=COUNTS,
    coordinates=st.booleans(),
    ground=st.sampled_from(TRANSFER_GROUNDS),
    produced_in=st.none() | st.sampled_from(PLACES),
    joined_with_local=st.booleans(),
    recipient_status=st.sampled_from(STATUSES),
    near_sensitive_site=st.booleans(),
)
deadlines = st.builds(
    Deadline,
    what=st.sampled_from(CLOCKS),
    start=st.dates(date(2021, 1, 1), date(2030, 1, 1)) | st.integers(AT - 999 * DAY, AT + 999 * DAY),
)
acts: st.SearchStrategy[Act] = collects | asked | stores | transfers | deadlines
