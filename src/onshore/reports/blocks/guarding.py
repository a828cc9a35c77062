"""How it is guarded and answered for: measures, events, provision within the jurisdiction, persons' requests."""

from collections.abc import Iterator

from onshore.reports.evidence.logged import Logged
from onshore.reports.evidence.people import Answered
from onshore.reports.pen import Pen
from onshore.reports.report import Part

_KEPT_IN_USE = ("key/rotated", "key/destroyed", "backup", "restore", "zone/imported", "approval/given")
_LOOKED = ("query/asked", "query/refused", "view/refused", "view/shown")
_UNTOWARD = ("attempt", "release/cut", "clock/doubted", "account/locked", "switch/lenient")


def measures(pen: Pen) -> Iterator[Part]:
    """Measures in force, and how often each was used."""
    settings = pen.found.settings
    files = sum(one.files for one in pen.found.stock)
    yield pen.says("measures.sealed", pen.query("segments"), files=files)
    yield pen.says("measures.sieve", pen.entries("ingest"))
    yield pen.says("measures.border", pen.query("settings"))
    yield pen.says("measures.log", pen.query("ledger"), origin=pen.found.origin, size=pen.found.size)
    witnessed = "measures.witnesses" if settings.witnesses.policy else "measures.no-witnesses"
    yield pen.says(witnessed, pen.query("settings"))
    yield _counted(pen, "measures", _KEPT_IN_USE + _LOOKED)


def events(pen: Pen) -> Iterator[Part]:
    """What happened that should not have, as far as the site saw it itself."""
    damaged = [one.log.total("damaged", "ingest") for one in (pen.found.now, pen.found.before)]
    strange = [one.log.total("unexplained", "egress") for one in (pen.found.now, pen.found.before)]
    yield _counted(
        pen,
        "events",
        _UNTOWARD,
        (("events.damaged", damaged, "ingest"), ("events.unexplained", strange, "egress")),
    )


def _counted(pen: Pen, key: str, kinds: tuple[str, ...], sums: tuple[tuple[str, list[int], str], ...] = ()) -> Part:
    """A table of how many entries of some kinds there are, and of sums over entries."""
    logs: tuple[Logged, Logged] = (pen.found.now.log, pen.found.before.log)
    rows = []
    for kind in kinds:
        now, before = (len(log.of(kind)) for log in logs)
        rows.append(((pen.words(f"entries.{kind.replace('/', '.')}"), *pen.beside(now, before)), pen.entries(kind)))
    for name, (now, before), kind in sums:
        rows.append(((pen.words(name), *pen.beside(now, before)), pen.entries(kind)))
    return pen.table(key, ("what", "now", "before"), rows, lambda: pen.entries(*kinds))


def provision(pen: Pen) -> Iterator[Part]:
    """What others within the jurisdiction were given: platforms that the law names, and recipients that stand here."""
    found = pen.found
    rows = []
    totals = []
    for log in (found.now.log, found.before.log):
        sums: dict[str, tuple[int, int]] = {}
        for entry in log.of("forward"):
            sent, refused = sums.get(entry.fields["to"], (0, 0))
            sums[entry.fields["to"]] = sent + entry.fields["rows"], refused + entry.fields["refused"]
        totals.append(sums)
    for to in sorted({*totals[0], *totals[1]}):
        (sent, refused), (was, _) = (one.get(to, (0, 0)) for one in totals)
        rows.append(((to, *pen.beside(sent, was), refused), pen.entries("forward")))
    yield pen.table("provision", ("platform", "now", "before", "refused"), rows, lambda: pen.entries("forward"))
    inside = [one for one in found.now.left.gone if found.now.left.asked(one).jurisdiction in found.pack.home]
    key = "provision.parcels" if inside else "provision.no-parcels"
    yield pen.says(key, pen.query("parcels"), parcels=len(inside), rows=sum(one.rows for one in inside))


def rights(pen: Pen) -> Iterator[Part]:
    """What persons asked for, and whether it was answered in the law's time."""
    words, source = pen.words, pen.query("rights")
    rows = []
    for kind, now in pen.found.now.answered.items():
        before = pen.found.before.answered.get(kind, Answered())
        open_ = now.states.get("asked", 0) + now.states.get("sealed", 0)
        done = now.asked - open_
        cells = words.name("case", kind), *pen.beside(now.asked, before.asked), done, now.in_time, now.late, open_
        rows.append((cells, source))
    yield pen.table("rights", ("case", "now", "before", "done", "in-time", "late", "open"), rows, lambda: source)


def clocks(pen: Pen) -> Iterator[Part]:
    """By which article the law's time runs for each kind of request."""
    for kind, one in pen.found.now.answered.items():
        if one.article:
            name = pen.words.name("case", kind)
            article = pen.words.article(one.article)
            yield pen.says("rights.clock", pen.query("pack", pack=pen.found.pack.id), kind=name, article=article)


def erased(pen: Pen) -> Iterator[Part]:
    """Erasures as the ledger certifies them: rows gone, keys destroyed."""
    now, before = pen.found.now, pen.found.before
    source = pen.entries("erase")
    figures = {
        "certificates": [len(one.log.of("erase")) for one in (now, before)],
        "rows": [one.log.total("rows", "erase") for one in (now, before)],
        "keys": [one.log.total("segments_old", "erase") for one in (now, before)],
    }
    rows = [((pen.words(f"erased.{name}"), *pen.beside(*both)), source) for name, both in figures.items()]
    held = [one.answered["erase"].states.get("held", 0) for one in (now, before)]
    rows.append(((pen.words("erased.held"), *pen.beside(*held)), pen.query("rights")))
    yield pen.table("erased", ("what", "now", "before"), rows, lambda: source)
