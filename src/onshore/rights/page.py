"""The page: what is held about a person, as they read it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Line = Iterator[str]


def page(seen: dict[str, Any], zone: str) -> str:
    """What `access` found as text, with dates and times of the site's own zone (an IANA name)."""

    def clock(at: int | None) -> str:
        if not at:
            return "-"
        return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")

    sections = (_keeper, _held, _consents, _recipients, _car, _requests)
    return "\n".join(line for section in sections for line in section(seen, clock))


def _keeper(seen: dict[str, Any], clock: Callable[[int | None], str]) -> Line:
    who = seen["keeper"]
    yield f"What is held about {who['name'] or 'a person without a name'}"
    yield f"as the {who['role']} of {who['vin']}, from {clock(who['from'])} to {clock(who['until'])}"
    yield f"reached by: {who['contact'] or '-'}; inside the site known as {who['person']}, the car as {who['vehicle']}"
    yield (
        "all of it is restricted: nobody reads it" if seen["restricted"] else "it is read for the purposes named below"
    )


def _held(seen: dict[str, Any], clock: Callable[[int | None], str]) -> Line:
    yield f"\nDATA ({sum(place['rows'] for place in seen['held'])} rows)"
    for place in seen["held"]:
        yield f"  {place['category']}, on the ground: {place['ground']}"
        yield f"    {place['rows']} rows from {clock(place['first'])} to {clock(place['last'])}"
        yield f"    for: {', '.join(place['purposes']) or '-'}; under: {', '.join(place['packs'])}"
        must, may = place["must_be_kept"], place["may_be_kept"]
        if must:
            yield f"    must be kept until {clock(must['until'])} ({must['article']}): {must['says']}"
        yield f"    kept until {clock(may['until'])} ({may['article']})" if may else "    no article ends it by itself"
        yield f"    signals: {', '.join(place['signals'])}"


def _consents(seen: dict[str, Any], clock: Callable[[int | None], str]) -> Line:
    yield f"\nCONSENTS ({len(seen['consents'])})"
    for one in seen["consents"]:
        ended = one["withdrawn"] or one["until"]
        to = f", to {', '.join(one['recipients'])}" if one["recipients"] else ""
        yield f"  {one['category']} for {one['purpose']}{to}: {clock(one['start'])} to {clock(ended)}"
        yield f"    notice {one['notice']}; {len(one['receipts'])} receipts (the JSON has them)"


def _recipients(seen: dict[str, Any], clock: Callable[[int | None], str]) -> Line:
    yield "\nWHO RECEIVED IT"
    for parcel in seen["received_by"]:
        what = ", ".join(parcel["categories"])
        yield f"  {parcel['recipient']}: {what} for {parcel['purpose']}, {clock(parcel['left'])}, {parcel['parcel']}"
    for one in seen["forwarded_to"]:
        yield f"  {one['platform']} ({one['jurisdiction']}): statutory data, as the law demands"
    for one in seen["asked_here"]:
        yield f"  {one['by']} asked at the site, {clock(one['at'])}, for {one['purpose']}"
    if not (seen["received_by"] or seen["forwarded_to"] or seen["asked_here"]):
        yield "  nobody"


def _car(seen: dict[str, Any], clock: Callable[[int | None], str]) -> Line:
    said = seen["drives"]
    yield f"\nDRIVES: the car said {said['said']} times who drives, {clock(said['first'])} to {clock(said['last'])}"
    for one in seen.get("policies", ()):
        yield f"  told what to send: version {one['version']}, {clock(one['made'])} to {clock(one['until'])}"
    for one in seen.get("certificates", ()):
        yield f"  known by certificate {one['serial']}, {clock(one['from'])} to {clock(one['revoked'] or one['until'])}"
    for one in seen.get("uploads", ()):
        yield f"  uploaded: {one['bytes']} bytes, {one['fate']}"


def _requests(seen: dict[str, Any], clock: Callable[[int | None], str]) -> Line:
    yield f"\nASKED BEFORE ({len(seen['requests'])})"
    for one in seen["requests"]:
        ended = f"{one['state']} {clock(one['done'])}"
        yield f"  {one['kind']}, {clock(one['asked'])}, {ended} (checked: {one['identity']})"
