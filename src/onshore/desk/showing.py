"""Showing: for whom a page is being written just now: language, time zone, and what its forms carry."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_decimal

from onshore.desk.texts import LOCALES, Texts
from onshore.desk.who import Who

_NONE = "\N{EN DASH}"


@dataclass(frozen=True)
class Showing:
    """One page for one person. `zone`: the site's; `now`: ms UTC; `csrf`: what its forms carry; `nav`: path and text.

    `said`: what an act that ended here has to say. `theme`: "light", "dark", or empty as the browser has it.
    """

    texts: Texts
    area: str
    who: Who
    path: str
    zone: str
    now: int
    csrf: str
    nav: Sequence[tuple[str, str]] = ()
    said: str = ""
    theme: str = ""


_NOW: ContextVar[Showing] = ContextVar("showing")


@contextmanager
def showing(one: Showing) -> Iterator[None]:
    """Write a page for somebody inside this context."""
    token = _NOW.set(one)
    try:
        yield
    finally:
        _NOW.reset(token)


def present() -> Showing:
    """For whom a page is being written."""
    return _NOW.get()


def text(key: str) -> str:
    """A text in the language of the page."""
    now = _NOW.get()
    return now.texts.text(now.area, key)


def counted(key: str, keys: str, number: int) -> str:
    """A text for a number of things."""
    now = _NOW.get()
    return now.texts.counted(now.area, key, keys, number)


def at(instant: int | None) -> str:
    """An instant (ms UTC) in the site's time and the page's language, or a dash."""
    if instant is None:
        return _NONE
    now = _NOW.get()
    moment = datetime.fromtimestamp(instant / 1000, UTC)
    return format_datetime(moment, "medium", tzinfo=ZoneInfo(now.zone), locale=LOCALES[now.texts.lang])


def clock(instant: int) -> str:
    """The time of day of an instant (ms UTC) in the site's time."""
    now = _NOW.get()
    moment = datetime.fromtimestamp(instant / 1000, UTC)
    return format_time(moment, "short", tzinfo=ZoneInfo(now.zone), locale=LOCALES[now.texts.lang])


def day(found: date | str | int | None) -> str:
    """A day: a date, its ISO text, or the day of an instant (ms UTC) at the site; or a dash."""
    now = _NOW.get()
    if isinstance(found, int):
        found = datetime.fromtimestamp(found / 1000, ZoneInfo(now.zone)).date()
    if isinstance(found, str):
        found = date.fromisoformat(found)
    return _NONE if found is None else format_date(found, "medium", locale=LOCALES[now.texts.lang])


def span(instant: int | None) -> str:
    """How far an instant (ms UTC) is from now: "in 3 days", "2 hours ago"; or a dash."""
    if instant is None:
        return _NONE
    now = _NOW.get()
    gap = datetime.fromtimestamp(instant / 1000, UTC) - datetime.fromtimestamp(now.now / 1000, UTC)
    return format_timedelta(gap, add_direction=True, threshold=1.2, locale=LOCALES[now.texts.lang])


def number(found: float | None) -> str:
    """A number as the page's language groups it, or a dash."""
    return _NONE if found is None else format_decimal(found, locale=LOCALES[_NOW.get().texts.lang])


def iso(instant: int) -> str:
    """An instant for the attribute datetime."""
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
