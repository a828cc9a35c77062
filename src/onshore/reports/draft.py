"""A paper as of now: its form's items, filled from evidence and by humans, and what keeps it from being final."""

from collections.abc import Iterator
from datetime import date

from onshore.reports.blocks.all import BLOCKS
from onshore.reports.evidence.gather import gather
from onshore.reports.form import KINDS, Form, form
from onshore.reports.human import VEHICLE, Written
from onshore.reports.pen import Pen
from onshore.reports.report import Human, Language, Open, Report, Section, State, texts
from onshore.reports.words import Words
from onshore.rules.acts import Deadline, Facts
from onshore.rules.judge import judge
from onshore.rules.local import local_midnight
from onshore.site import Site
from onshore.words.errors import Refusal


def draft(site: Site, kind: str, year: int, language: Language, written: Written, *, state: State = "draft") -> Report:
    """A report of a year; refuses one that this jurisdiction does not know (`report-not-here`).

    As final it is refused (`report-open`) while anything is open: what a human has not written, a section that says
    nothing, evidence that contradicts itself.
    """
    shape = shaped(site, kind)
    found = gather(site, year)
    words = Words(language, site.law.zone)
    pen = Pen(words, found, written)
    sections = tuple(_sections(pen, shape))
    open_ = tuple(_open(pen, sections))
    if state == "final" and open_:
        raise _refused(words, open_)
    report = Report(
        kind=kind,
        title=shape.title.in_(language),
        about=shape.about.in_(language),
        jurisdiction=site.settings.site.jurisdiction,
        site=site.settings.site.name,
        year=year,
        period=words("span", first=words.day(found.now.period.first), last=words.day(found.now.period.last)),
        language=language,
        state=state,
        made=words.moment(site.clock()),
        facts=tuple(_facts(site, pen, shape)),
        sections=sections,
        sources=tuple(pen.sources),
        open=open_,
    )
    _refuse_named(report)
    return report


def shaped(site: Site, kind: str) -> Form:
    """The form of a kind of report that this site owes or may want; refuses any other."""
    if kind not in KINDS:
        raise Refusal("report-unknown", f"there is no report '{kind}'", remedy=f"one of {', '.join(KINDS)}")
    shape = form(kind)
    if not shape.for_(site.pack.home):
        raise Refusal(
            "report-not-here",
            f"the law of {site.settings.site.jurisdiction} knows no such report",
            article=shape.article.en,
            remedy="'onshore report list' shows those that this site owes",
        )
    return shape


def _sections(pen: Pen, shape: Form) -> Iterator[Section]:
    language, top, below = pen.words.language, 0, 0
    for item in shape.item:
        if item.when == "left" and not pen.found.now.left.gone:
            continue
        top, below = (top, below + 1) if item.sub else (top + 1, 0)
        article = item.article.in_(language) if item.article else ""
        parts = [part for name in item.shows for part in BLOCKS[name](pen)]
        parts += [pen.human(name, article) for name in item.asks]
        mark = pen.words.mark(item.mark or shape.mark, verify=item.verify) if article else ""
        number = f"{top}.{below}" if item.sub else str(top)
        yield Section(number, item.title.in_(language), article, mark, tuple(parts))


def _open(pen: Pen, sections: tuple[Section, ...]) -> Iterator[Open]:
    """What keeps it from being final. A heading alone is no empty section where others stand below it."""
    heads = {section.number.partition(".")[0] for section in sections if "." in section.number}
    for section in sections:
        for part in section.parts:
            if isinstance(part, Human) and not part.text.strip():
                yield Open(section.number, "human", pen.words("open.human", name=part.id, asks=part.asks))
        if not section.parts and section.number not in heads:
            yield Open(section.number, "empty", pen.words("open.empty", title=section.title))
    for key, figures in pen.found.wrong:
        yield Open("", "contradiction", pen.words(key, **figures))


def _facts(site: Site, pen: Pen, shape: Form) -> Iterator[tuple[str, str]]:
    words, found, language = pen.words, pen.found, pen.words.language
    here = site.settings.site
    yield words("cover.site"), words("cover.named", name=here.name, jurisdiction=here.jurisdiction)
    period = found.now.period
    span = words("span", first=words.day(period.first), last=words.day(period.last))
    yield words("cover.period"), span if period.whole else words("cover.so-far", span=span)
    yield words("cover.basis"), shape.article.in_(language)
    if shape.mark:
        yield words("cover.mark"), words.mark(shape.mark)
    if due := _due(site, shape, period.year):
        yield words("cover.due"), words.day(due)
    yield words("cover.made"), words.moment(site.clock())
    yield words("cover.pack"), found.pack.id
    yield words("cover.log"), words("cover.checkpoint", origin=found.origin, size=found.size, root=found.root)


def _due(site: Site, shape: Form, year: int) -> date | None:
    """The last day by the pack's own clock, as of the first day of the year that the paper is about."""
    if not shape.clock or not any(clock.what == shape.clock for clock in site.pack.clock):
        return None
    start = local_midnight(date(year, 1, 1), site.law.zone)
    verdict = judge(Deadline(what=shape.clock, start=start), Facts(at=start), site.pack, ())
    return (
        verdict.due if isinstance(verdict.due, date) else verdict.earlier if isinstance(verdict.earlier, date) else None
    )


def _refused(words: Words, open_: tuple[Open, ...]) -> Refusal:
    lines = [f"{words('open.section', number=one.section)} {one.says}" if one.section else one.says for one in open_]
    return Refusal(
        "report-open",
        words("open.head", count=len(open_)) + "".join(f"\n  - {line}" for line in lines),
        remedy=words("open.remedy"),
    )


def _refuse_named(report: Report) -> None:
    """Refuse (`report-names`) a paper in which something looks like a vehicle's number, however it came there."""
    if any(VEHICLE.search(text) for text in texts(report)):
        raise Refusal(
            "report-names",
            "something in this paper looks like a vehicle's number, and none may stand in one",
            remedy="look at the names of recipients, purposes and papers, and call them otherwise",
        )
