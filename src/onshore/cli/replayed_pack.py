"""What is to be known of another pack beside its verdicts: counsel's readings, and rules that begin only later."""

from collections.abc import Iterator
from datetime import date

from onshore.cli.replayed_row import Row, rule_told
from onshore.rules import wording as w
from onshore.rules.local import local_day
from onshore.rules.pack import Pack, rules
from onshore.rules.pack_clock import Switch
from onshore.rules.phases import days
from onshore.rules.switches import names
from onshore.site import Site


def readings(site: Site, pack: Pack) -> Iterator[Row]:
    """How each question that counsel decides is read on both sides.

    Those that nobody turned are told by their number, but for what only the other pack leaves open.
    """
    ours, theirs = names(site.pack), names(pack)
    plain = [name for name in ours if name not in site.lenient]
    known = {switch.name: switch for switch in (*pack.switch, *site.pack.switch)}
    for name in dict.fromkeys((*ours, *theirs)):
        if name not in plain:
            here, there = (_reading(site, name, each) for each in (ours, theirs))
            yield _row(known.get(name), name, here, there)
    for there, found in (("strict", set(plain) & set(theirs)), ("no such question", set(plain) - set(theirs))):
        if found:
            yield Row("reading", f"{w.counted(len(found), 'question')} that nobody turned", "strict", there)


def _row(switch: Switch | None, name: str, here: str, there: str) -> Row:
    if switch is None:
        return Row("reading", w.plain(name), here, there)
    return Row("reading", switch.says, here, there, why=(switch.article,))


def _reading(site: Site, name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        return "no such question"
    numbers = {turned.name: turned.opinion for turned in site.readings}
    return f"lenient, by counsel's opinion {numbers[name]}" if name in site.lenient else "strict"


def later(site: Site, pack: Pack, since: int) -> Iterator[Row]:
    """Rules of the other pack that begin after the first of these days, each judged here as if it held already."""
    for told, first in begins(pack, since).items():
        standing = "begun since" if first <= site.today() else "not begun yet"
        yield Row("later", told, "", f"begins on {w.day(first)}, {standing}: judged here as if it held on every day")


def begins(pack: Pack, since: int) -> dict[str, date]:
    """A rule as it is told, to the day on which it begins, or on which its counting does; those alone that do later."""
    first = local_day(since, pack.zone)
    found = ((rule_told(rule), days([rule])) for _, rule in rules(pack))
    return {told: on[-1] for told, on in found if on and on[-1] > first}
