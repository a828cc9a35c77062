"""A spot check as a page that a person reads: what was asked, judged, filed, permitted and sent, and a few rows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any


def page(bundle: dict[str, Any]) -> str:
    """The bundle of `spotcheck.bundle` as Markdown, in the order in which one asks."""
    return "\n".join(_lines(bundle)) + "\n"


def _lines(b: dict[str, Any]) -> Iterator[str]:
    asked = b["request"]
    yield f"# Spot check of request {asked['id']}"
    yield f"\nSite {b['site']} in {b['jurisdiction']}, rules {b['pack']}, state: {b['state']}."
    yield f"Its log is verified with: {b['log']}"
    yield "\n## What was asked\n"
    yield f"- for {asked['purpose']}, to {asked['recipient']}, as a {asked['method']}"
    if asked["ground"] == "emergency":
        yield "- claimed as an emergency, in which papers may follow"
    yield f"- {', '.join(asked['categories'])}"
    yield f"- events from {_at(asked['start'])} until {_at(asked['until'])}"
    yield f"- {len(asked['vehicles'])} named vehicles" if asked["vehicles"] else "- all vehicles"
    yield "\n## What the rules say\n"
    yield f"- {b['verdict']['verdict']}, route {b['verdict']['route'] or 'none'}"
    yield from (f"- {r['code']}: {r['says']} ({r['article']})" for r in b["verdict"]["reasons"])
    yield from (f"- {c['name']}: {c['used']} of {c['threshold'] or 'no limit'}" for c in b["verdict"]["counters"])
    yield "\n## Papers\n"
    yield from (_paper(p) for p in b["papers"])
    yield "\n## Permits\n"
    yield from _permits(b)
    yield "\n## Schema\n"
    for category, columns in b["schema"].items():
        yield f"- {category}: " + ", ".join(f"{c['name']} [{c['unit'] or c['type']}]" for c in columns)
    yield "\n## What left\n"
    yield f"- {b['counts']['parcels']} parcels, {b['counts']['rows']} rows"
    yield from (line for parcel in b["parcels"] for line in _parcel(parcel, asked["method"]))
    yield from _sample(b["sample"])


def _paper(p: dict[str, Any]) -> str:
    lacks = f", lacks {', '.join(p['missing_items'])}" if p["missing_items"] else ""
    days = f"from {p['from'] or 'its filing'} until {p['until'] or 'further notice'}"
    return f"- {p['kind']} number {p['number']}, {days}: {p['state']}{lacks}"


def _permits(b: dict[str, Any]) -> Iterator[str]:
    for one in b["permits"]:
        state = f"revoked {_at(one['revoked'])}" if one["revoked"] else "not revoked"
        used = b["counts"]["persons_by_permit"][one["id"]]
        yield f"- {one['id']}, granted {_at(one['granted'])}, {state}, {used} persons used\n"
        yield from (f"      {line}" for line in one["note"].splitlines())


def _parcel(p: dict[str, Any], method: str) -> Iterator[str]:
    none = f"no file: {p['rows'] or 0} rows read for a view" if method == "view" else "no file: it was never sealed"
    file = f"sealed file sha256 {p['sha256']}" if p["sha256"] else none
    yield f"- parcel {p['id']}: {p['state']}, left {_at(p['left'])}, {file}"
    for part in (p["manifest"] or {}).get("parts", ()):
        yield f"  - {part['name']}: {part['category']}, {part['rows']} rows, {part['sha256']}"
    if p["proof"]:
        yield "  - its entry in the log, as an outsider verifies it ('onshore verify FILE --key KEY'):\n"
        yield from (f"        {line}" for line in p["proof"].splitlines())


def _sample(sample: dict[str, Any] | None) -> Iterator[str]:
    yield "\n## Sample\n"
    if sample is None:
        yield "No rows: they are shown to a regulator or officer of this site alone, by name, who looks from here."
        return
    yield sample["says"]
    for category, rows in sample["rows"].items():
        yield f"\n{category}\n"
        yield from (f"- {'; '.join(f'{name} = {value}' for name, value in row.items())}" for row in rows)


def _at(at: int | None) -> str:
    return "-" if at is None else datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
