"""Which clocks ran at a site, and what it can show for them, by its own pack and by another."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import or_, select

from onshore.border import requests
from onshore.cli.replayed_row import NO_EVIDENCE, Row, due_told, late, reasons, rule_told, whenever
from onshore.rights.clocks import CLOCK
from onshore.rules import wording as w
from onshore.rules.acts import Deadline, Facts
from onshore.rules.judge import judge
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.rules.pack_clock import CLOCKS, Clock
from onshore.rules.recital import clock_words
from onshore.site import Site
from onshore.vault.papers import parcels, reading, rights_cases, transfer_papers
from onshore.words.verdict import Verdict

_ASKED_WORDS = {"erase": "an erasure", "access": "an answer", "take": "a copy"}

_PAPERS = {
    "contract-filing": ("standard-contract", "the day on which it took effect, and the day of its filing"),
    "assessment-renewal": ("assessment", "the day of its result"),
    "permit-expiry": ("assessment", "the day of its result"),
    "certificate-renewal": ("certificate", "the day of its issue"),
}
"""Clock to the paper that it is about, and what of that paper is not kept."""

_UNKNOWN = {
    "incident-report": "incidents are not recorded here",
    "officer-filing": "neither the day on which the number of persons was reached nor the filing is recorded here",
}
"""Clock to why nothing at a site can show whether it was kept to."""

_UNSENT = "whether it was sent is not recorded here"


@dataclass(frozen=True)
class _Sides:
    """A site, its own pack and the other, each of them in force all the while."""

    site: Site
    ours: Pack
    theirs: Pack


def clocks(site: Site, pack: Pack, since: int) -> Iterator[Row]:
    """A line for each event that started a clock of either pack, or one that says why there is none."""
    sides = _Sides(site, whenever(site.pack), pack)
    for what in CLOCKS:
        if _known(sides.ours, what) or _known(pack, what):
            found = list(_evidence(sides, what, since))
            yield from found or [_none(sides, what)]


def _known(pack: Pack, what: str) -> tuple[Clock, ...]:
    """The clocks of a pack for this, those first that run for everybody."""
    return tuple(sorted((each for each in pack.clock if each.what == what), key=lambda each: each.critical_operator))


def _evidence(sides: _Sides, what: str, since: int) -> Iterator[Row]:
    if what in CLOCK.values():
        yield from _cases(sides, what, since)
    elif what in _PAPERS:
        yield from _papers(sides, what)
    elif what == "annual-report":
        yield _annual(sides, since)
    elif what == "rejected-offer-report":
        yield from _rejected(sides, since)
    elif what == "transfer-dossier":
        yield from _dossier(sides)


def _none(sides: _Sides, what: str) -> Row:
    """A clock of which nothing is on record: because nothing happened, or because the site would not know."""
    ours, theirs = _lengths(sides.ours, what), _lengths(sides.theirs, what)
    if what in _UNKNOWN:
        return _unknown(sides, what, clock_words(what), (ours, theirs), _UNKNOWN[what])
    nothing = "nothing that starts it is on record in these days"
    if what in _PAPERS:
        nothing = f"what starts it, {sides.ours.words.paper(_PAPERS[what][0])}, is not on file"
    return Row("clock", clock_words(what), ours, theirs, why=(f"{nothing}: nothing could be missed",))


def _unknown(sides: _Sides, what: str, says: str, told: tuple[str, str], why: str) -> Row:
    """A line on a clock whose evidence is not kept, with the rules and reports there that are not ours."""
    return Row("clock", says, *told, why=(f"{NO_EVIDENCE}: {why}", *_other(sides, what)), evidence=False)


def _other(sides: _Sides, what: str) -> Iterator[str]:
    """What the other pack says of this clock and its reports, and our own does not."""
    ours = {(rule.says, rule.article) for rule in (*sides.ours.clock, *sides.ours.report)}
    for rule in (*_known(sides.theirs, what), *(report for report in sides.theirs.report if report.what == what)):
        if (rule.says, rule.article) not in ours:
            yield rule_told(rule)


def _lengths(pack: Pack, what: str) -> str:
    told = [
        f"{_length(clock)}{' for a critical operator' if clock.critical_operator else ''}"
        for clock in _known(pack, what)
    ]
    return "; ".join(dict.fromkeys(told)) or "no such clock"


def _length(clock: Clock) -> str:
    """How long a clock runs, told from its end where it must be kept to before that."""
    before = clock.before_working_days, clock.before_months
    early = [w.counted(n, noun) for n, noun in zip(before, ("working day", "month"), strict=True) if n is not None]
    lasts = ((name, getattr(clock, name)) for name in ("years", "months", "days"))
    whole = w.listed(filter(None, (w.figure_told(name, number) for name, number in lasts)))
    return f"{early[0]} before the end of {whole}" if early else w.figures(clock)


def _both(sides: _Sides, what: str, start: int) -> tuple[Verdict, Verdict]:
    """When something begun at an instant is due, by the site's pack and the other."""
    act, facts = Deadline(what=what, start=start), Facts(at=start)
    return judge(act, facts, sides.ours), judge(act, facts, sides.theirs)


def _told(sides: _Sides, both: tuple[Verdict, Verdict]) -> tuple[str, str]:
    return due_told(both[0], sides.ours.zone), due_told(both[1], sides.theirs.zone)


def _day(sides: _Sides, at: int) -> str:
    return w.day(local_day(at, sides.ours.zone))


def _cases(sides: _Sides, what: str, since: int) -> Iterator[Row]:
    """Cases of persons that ran in these days, and whether each was done by when either pack would have it done."""
    ran = or_(rights_cases.c.asked >= since, rights_cases.c.done >= since, rights_cases.c.state == "asked")
    with reading(sides.site.engine) as conn:
        cases = conn.execute(select(rights_cases).where(ran).order_by(rights_cases.c.asked)).all()
    for case in (case for case in cases if CLOCK.get(case.kind) == what):
        both = _both(sides, what, case.asked)
        done = sides.site.clock() if case.done is None else case.done
        missed = late(both[0], done, sides.ours.zone), late(both[1], done, sides.theirs.zone)
        here, there = (
            f"{told}{', missed' if bad else ''}" for told, bad in zip(_told(sides, both), missed, strict=True)
        )
        state = "still open" if case.done is None else f"done on {_day(sides, case.done)}"
        says = f"{_ASKED_WORDS[case.kind]} asked for on {_day(sides, case.asked)}, {state}"
        harder = missed[1] and not missed[0]
        yield Row("clock", says, here, there, harder, reasons(both[1]) if missed[1] else ())


def _papers(sides: _Sides, what: str) -> Iterator[Row]:
    """Papers on file that start a clock; the file holds when each came here, and that is another day."""
    kind, lacks = _PAPERS[what]
    with reading(sides.site.engine) as conn:
        ask = select(transfer_papers).where(transfer_papers.c.kind == kind)
        found = conn.execute(ask.order_by(transfer_papers.c.filed)).all()
    told = _lengths(sides.ours, what), _lengths(sides.theirs, what)
    for paper in found:
        until = f", which names {w.day(date.fromisoformat(paper.until))} as its last day" if paper.until else ""
        came = f"came on the file of request {paper.transfer} on {_day(sides, paper.filed)}{until}"
        says = f"{clock_words(what)}: {sides.ours.words.paper(kind)} {came}"
        yield _unknown(sides, what, says, told, lacks)


def _annual(sides: _Sides, since: int) -> Row:
    told = (_yearly(each, since, sides.site.clock()) for each in (sides.ours, sides.theirs))
    return _unknown(sides, "annual-report", clock_words("annual-report"), (next(told), next(told)), _UNSENT)


def _yearly(pack: Pack, since: int, now: int) -> str:
    """Whether it fell due in these days, or when it does next."""
    act, facts = Deadline(what="annual-report", start=since), Facts(at=now)
    verdict = judge(act, facts, pack)
    told = due_told(verdict, pack.zone)
    return f"fell {told}" if late(verdict, now, pack.zone) else told


def _rejected(sides: _Sides, since: int) -> Iterator[Row]:
    """Refusals that are themselves to be reported, by either pack."""
    what = "rejected-offer-report"
    for request, act, facts in requests.judged_since(sides.site, since):
        verdicts = requests.find(sides.site, request).verdict, judge(act, facts, sides.theirs)
        asked = [what in verdict.duties for verdict in verdicts]
        if any(asked):
            both = _both(sides, what, facts.at)
            here, there = (
                told if one else "nothing to report" for told, one in zip(_told(sides, both), asked, strict=True)
            )
            says = f"{clock_words(what)}: request {request}, judged on {_day(sides, facts.at)}"
            yield _unknown(sides, what, says, (here, there), _UNSENT)


def _dossier(sides: _Sides) -> Iterator[Row]:
    """What is counted from the first transfer of all."""
    what = "transfer-dossier"
    with reading(sides.site.engine) as conn:
        ask = select(parcels.c.left).where(parcels.c.left.is_not(None)).order_by(parcels.c.left).limit(1)
        first = conn.execute(ask).scalar()
    if first is not None:
        says = f"{clock_words(what)}: the first parcel left on {_day(sides, first)}"
        told = _told(sides, _both(sides, what, first))
        yield _unknown(sides, what, says, told, _UNSENT)
