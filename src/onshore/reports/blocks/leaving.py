"""What left, or was to: requests, parcels, permits, papers, counts beside their thresholds, refusals to report."""

from collections.abc import Iterator

from onshore.reports.evidence.left import Asked, Left
from onshore.reports.evidence.logged import Entry
from onshore.reports.pen import Pen
from onshore.reports.report import Part
from onshore.rules.pack_clock import CLOCKS

_REPORTED = next(clock for clock in CLOCKS if clock == "rejected-offer-report")


def summary(pen: Pen) -> Iterator[Part]:
    """Requests, permits and parcels of the period, beside the year before's."""
    words, both = pen.words, (pen.found.now.left, pen.found.before.left)
    figures = {
        "requests": [len(one.requests) for one in both],
        "refused": [sum(1 for r in one.requests if r.verdict and r.verdict.verdict == "refuse") for one in both],
        "permits": [len(one.permits) for one in both],
        "parcels": [len(one.gone) for one in both],
        "rows": [sum(p.rows for p in one.gone) for one in both],
    }
    sources = {"requests": "requests", "refused": "requests", "permits": "permits"}
    rows = [
        ((words(f"summary.{name}"), *pen.beside(*pair)), pen.query(sources.get(name, "parcels")))
        for name, pair in figures.items()
    ]
    for position, name in enumerate(("sensitive", "ordinary")):
        used = [one.counts[position]["used"] for one in both]
        rows.append(((words(f"summary.{name}"), *pen.beside(*used)), pen.query("meter")))
    yield pen.table("summary", ("what", "now", "before"), rows, lambda: pen.query("parcels"))
    if not pen.found.now.left.gone:
        yield pen.says("summary.nothing", pen.entries("release/leaving", "view/leaving", log=pen.found.now.log))


def important_left(pen: Pen) -> Iterator[Part]:
    """Whether important data was among what left."""
    left, rule = pen.found.now.left, pen.found.pack.classes.important
    sent = {category for one in left.gone for category in left.asked(one).transfer.categories}
    among = sorted(sent & set(rule.categories)) if rule else []
    key = "important.left" if among else "important.not-left"
    yield pen.says(key, pen.query("parcels"), what=pen.words.names("category", among))


def requests(pen: Pen) -> Iterator[Part]:
    """Each request of the period: what for, what, whom to, what the law says of it, where it stands."""
    words, source = pen.words, pen.query("requests")
    rows = [
        (
            (
                one.transfer.id,
                words.day(one.day),
                words.name("purpose", one.transfer.purpose),
                words.names("category", one.transfer.categories),
                _to(one),
                _judged(pen, one),
                words.name("state", one.state),
            ),
            source,
        )
        for one in pen.found.now.left.requests
    ]
    head = ("request", "day", "purpose", "categories", "recipient", "verdict", "state")
    yield pen.table("requests", head, rows, lambda: source)


def parcels(pen: Pen) -> Iterator[Part]:
    """Each parcel or view that left: rows, distinct persons, digest, and the entry before it left."""
    words, left = pen.words, pen.found.now.left
    rows = []
    for one in left.gone:
        entry = [] if one.entry is None else [Entry(one.entry, one.fields)]
        cells = (
            one.id,
            words.day(one.at),
            _to(left.asked(one)),
            words.name("method", left.asked(one).transfer.method),
            one.rows,
            one.persons,
            f"{one.sha256[:16]}…" if one.sha256 else words("dash"),
        )
        rows.append((cells, pen.entry(("release/leaving", "view/leaving"), *entry)))
    head = ("parcel", "day", "recipient", "method", "rows", "persons", "digest")
    yield pen.table(
        "parcels", head, rows, lambda: pen.entries("release/leaving", "view/leaving", log=pen.found.now.log)
    )


def counts(pen: Pen) -> Iterator[Part]:
    """Distinct persons of the year, beside the thresholds of the pack."""
    words, source = pen.words, pen.query("meter")
    was = {one["name"]: one["used"] for one in pen.found.before.left.counts}
    rows = []
    for one in pen.found.now.left.counts:
        steps = [
            words("counts.step", persons=step["from"], route=words.name("route", step["route"]))
            + f"{words('list.open')}{words.article(step['article'])}{words('list.close')}"
            for step in one["thresholds"]
        ]
        both = pen.beside(one["used"], was.get(one["name"], 0))
        limit = words("list.and").join(steps) or words("counts.none")
        rows.append(((words(f"counts.{one['name']}"), *both, limit), source))
    yield pen.table("counts", ("what", "now", "before", "thresholds"), rows, lambda: source)


def permits(pen: Pen) -> Iterator[Part]:
    """Permits granted or used in the period, with what was used of each."""
    words, source = pen.words, pen.query("permits")
    rows = [
        (
            (
                str(one["id"]),
                str(one["transfer"]),
                words("of", used=one["persons"], limit=one["persons_limit"]),
                words("of", used=one["rows"], limit=one["rows_limit"]) if one["rows_limit"] else str(one["rows"]),
                words("permits.revoked") if one["revoked"] else words("permits.stands"),
            ),
            source,
        )
        for one in pen.found.now.left.permits
    ]
    yield pen.table("permits", ("permit", "request", "persons", "rows", "state"), rows, lambda: source)


def papers(pen: Pen) -> Iterator[Part]:
    """The papers on the files of requests: contracts, assessments, notices."""
    words, source = pen.words, pen.query("papers")
    rows = [
        (
            (
                one.transfer.id,
                words.name("paper", paper.kind),
                paper.number,
                words.name("paper-state", paper.state),
                paper.until or words("dash"),
            ),
            source,
        )
        for one in pen.found.now.left.requests
        for paper in one.papers
    ]
    yield pen.table("papers", ("request", "paper", "number", "state", "until"), rows, lambda: source)


def recipients(pen: Pen) -> Iterator[Part]:
    """Who was sent anything, where they stand, how much; and by which purposes."""
    words, source = pen.words, pen.query("parcels")
    now, before = (_sent(one.left) for one in (pen.found.now, pen.found.before))
    rows = []
    for name, place in sorted({*now, *before}):
        parcels_, rows_, purposes = now.get((name, place), (0, 0, set()))
        was = before.get((name, place), (0, 0, set()))
        cells = name, place, words.names("purpose", sorted(purposes)), *pen.beside(parcels_, was[0]), rows_
        rows.append((cells, source))
    yield pen.table("recipients", ("recipient", "place", "purpose", "now", "before", "rows"), rows, lambda: source)


def declared(pen: Pen) -> Iterator[Part]:
    """What sister companies declared that they sent."""
    source = pen.query("declared")
    rows = [((one["by"], one["sensitive"], one["ordinary"]), source) for one in pen.found.now.left.declared]
    yield pen.table("declared", ("sister", "sensitive", "ordinary"), rows, lambda: source)


def rejected(pen: Pen) -> Iterator[Part]:
    """Offers that the law refused and has reported: day, data, volume, method, who, by when it is due."""
    words, source, left = pen.words, pen.query("tasks"), pen.found.now.left
    rows = []
    for one in left.tasks:
        if one.what != _REPORTED:
            continue
        asked = next((r for r in left.requests if r.transfer.id == one.transfer), None)
        cells = (
            one.transfer,
            words.day(one.began),
            words.names("category", asked.transfer.categories) if asked else words("dash"),
            words.name("method", asked.transfer.method) if asked else words("dash"),
            _to(asked) if asked else words("dash"),
            words.day(one.due - 1) if one.due else words("dash"),
            words.name("task", one.state),
        )
        rows.append((cells, source))
    head = ("request", "day", "categories", "method", "recipient", "due", "state")
    yield pen.table("rejected", head, rows, lambda: source)
    was = sum(one.what == _REPORTED for one in pen.found.before.left.tasks)
    yield pen.says("rejected.both", source, now=len(rows), before=was)


def volumes(pen: Pen) -> Iterator[Part]:
    """How much each of those offers was of, as the verdict on it counted."""
    words, left, source = pen.words, pen.found.now.left, pen.query("requests")
    owed = {one.transfer for one in left.tasks if one.what == _REPORTED}
    rows = [
        ((one.transfer.id, words.name("counter", counter.name), counter.used), source)
        for one in left.requests
        if one.transfer.id in owed and one.verdict
        for counter in one.verdict.counters
    ]
    yield pen.table("volumes", ("request", "what", "used"), rows, lambda: source)


def _sent(left: Left) -> dict[tuple[str, str], tuple[int, int, set[str]]]:
    found: dict[tuple[str, str], tuple[int, int, set[str]]] = {}
    for one in left.gone:
        asked = left.asked(one)
        key = asked.transfer.recipient, asked.jurisdiction
        parcels_, rows, purposes = found.get(key, (0, 0, set()))
        found[key] = parcels_ + 1, rows + one.rows, purposes | {asked.transfer.purpose}
    return found


def _to(one: Asked) -> str:
    return f"{one.transfer.recipient} ({one.jurisdiction})" if one.jurisdiction else one.transfer.recipient


def _judged(pen: Pen, one: Asked) -> str:
    if one.verdict is None:
        return pen.words("dash")
    said = pen.words.name("verdict", one.verdict.verdict)
    return f"{said}, {pen.words.name('route', one.verdict.route)}" if one.verdict.route else said
