"""What the registers tell: incidents with the reports that they owe, complaints with their answers."""

from collections.abc import Iterator

from onshore.reports.evidence.registers import Complained, Incident
from onshore.reports.pen import Pen
from onshore.reports.report import Part

EXPORT = "export"
"""The topic of complaints that Article 14 has told apart."""


def incidents(pen: Pen) -> Iterator[Part]:
    """Each incident of the period, what it was of, and which authorities were told."""
    words, source = pen.words, pen.query("incidents")
    found = pen.found.now.registers.incidents
    rows = [
        (
            (
                one.id,
                words.day(one.known),
                words.name("incident", one.kind),
                words.name("severity", one.severity),
                words.names("category", one.categories),
                words("incidents.unknown") if one.persons is None else f"{one.persons:,}",
                words.name("incident-state", one.state),
                _told(pen, one),
            ),
            source,
        )
        for one in found
    ]
    head = ("incident", "known", "kind", "severity", "categories", "persons", "state", "reports")
    yield pen.table("incidents", head, rows, lambda: source)
    entries = pen.entries("incident/opened", "incident/reported", "incident/closed", "incident/unfounded")
    yield pen.says("incidents.both", entries, now=len(found), before=len(pen.found.before.registers.incidents))


def _told(pen: Pen, one: Incident) -> str:
    """Which authorities were told under which number, and which are not."""
    said = (pen.words(f"incidents.{each.state}", to=each.to, number=each.number) for each in one.reports)
    return pen.words("list.and").join(said)


def complaints(pen: Pen) -> Iterator[Part]:
    """Complaints by topic."""
    yield from _complaints(pen, tuple(pen.found.now.registers.complaints))


def export_complaints(pen: Pen) -> Iterator[Part]:
    """Complaints about what was sent abroad."""
    yield from _complaints(pen, (EXPORT,))


def _complaints(pen: Pen, topics: tuple[str, ...]) -> Iterator[Part]:
    words, source, none = pen.words, pen.query("complaints"), Complained()
    now, before = pen.found.now.registers.complaints, pen.found.before.registers.complaints
    rows = []
    for topic in topics:
        one, was = now.get(topic, none), before.get(topic, none)
        cells = words.name("topic", topic), *pen.beside(one.came, was.came), one.in_time, one.late, one.open
        rows.append((cells, source))
    head = ("topic", "now", "before", "in-time", "late", "open")
    yield pen.table("complaints", head, rows, lambda: source)
