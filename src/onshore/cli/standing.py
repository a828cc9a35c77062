"""How a request stands, told to a person: the verdict, each move with its time and who, and what comes next."""

from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import clock_text, put, say

if TYPE_CHECKING:
    from onshore.border.requests import Standing
    from onshore.site import Site
    from onshore.words.verdict import Verdict

_ACTS = {
    "paper": ("transfer paper", "KIND --number N"),
    "approve": ("transfer approve", ""),
    "permit": ("permit grant", "--persons N --from DAY --until DAY"),
    "ship": ("transfer ship", ""),
    "resume": ("transfer resume", ""),
}
"""Act of `border.steps` to the command that does it, and what that takes."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 person, 2 persons."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def document(standing: "Standing") -> dict[str, Any]:
    """A request and its verdict as one JSON document."""
    from dataclasses import asdict

    return {"id": standing.transfer.id, "state": standing.state, **asdict(standing.verdict)}


def tell(here: "Site", standing: "Standing", *, as_json: bool) -> None:
    """A request after an act: its id on stdout, how it stands and what comes next on stderr."""
    if as_json:
        put(document(standing))
        return
    click.echo(standing.transfer.id)
    say(f"{standing.state}; route: {standing.verdict.route or 'none'}")
    tell_verdict(standing.verdict)
    say(f"next: {next_step(here, standing)}")


def tell_verdict(verdict: "Verdict") -> None:
    """A verdict for a person: each reason with its article and what would help, and the counters."""
    for reason in verdict.reasons:
        say(_reason_lines(verdict.verdict, reason.code, reason.says, reason.article, reason.remedy))
    for counter in verdict.counters:
        say(_counter_line(counter.name, counter.used, counter.threshold))


def next_step(here: "Site", standing: "Standing") -> str:
    """The command that brings a request further, with somebody of this site who may give it; or why none does."""
    from onshore.border import steps

    request, step = standing.transfer, steps.after(standing)
    if step == steps.NO_WAY:
        return "no paper would help; ask for something else"
    if step.act == "closed":
        return "nothing: it is closed"
    if step.act == "look":
        return f"onshore query 'SELECT …' --purpose {request.purpose} --transfer {request.id} --as NAME"
    if step.act == "receipt":
        who = _one(here, "officer")
        return f"the recipient's receipt closes it: onshore transfer receipt {request.id} FILE --as {who}"
    act, words = _ACTS[step.act]
    who = _approver(here, standing) if step.act == "approve" else _one(here, step.role)
    return " ".join(filter(None, ("onshore", act, request.id, words, "--as", who)))


def lines(here: "Site", seen: dict[str, Any], standing: "Standing") -> list[str]:
    """A request for a person to read, line by line; `seen`: as `spotcheck.overview` has it."""
    asked = seen["request"]
    period = f"{clock_text(asked['start'])} to {clock_text(asked['until'])}"
    cars = counted(len(asked["vehicles"]), "vehicle") if asked["vehicles"] else "all vehicles"
    how = "" if asked["method"] == "file" else f", as a {asked['method']}"
    return [
        f"{seen['id']}  {seen['state']}; route: {seen['route'] or 'none'}",
        f"  {asked['purpose']} -> {asked['recipient']}: {', '.join(asked['categories'])}, {period}, {cars}{how}",
        *(_reason_lines(seen["verdict"], r["code"], r["says"], r["article"], r["remedy"]) for r in seen["reasons"]),
        *(_counter_line(c["name"], c["used"], c["threshold"]) for c in seen["counters"]),
        *(
            f"  paper {p['kind']}: number {p['number']}, until {p['until'] or 'further notice'}, "
            f"filed {clock_text(p['filed'])} by {p['filed_by']}"
            for p in seen["papers"]
        ),
        *(
            f"  approved {clock_text(a['at'])} by {_who(here, a['by'])}"
            + (f", lapsed {clock_text(a['lapsed'])}: {a['why']}" if a["lapsed"] else "")
            for a in seen["approvals"]
        ),
        *(
            f"  permit {p['id']}: granted {clock_text(p['granted'])}, {counted(p['used'], 'person')} used, "
            + (f"revoked {clock_text(p['revoked'])}" if p["revoked"] else "not revoked")
            for p in seen["permits"]
        ),
        *(
            f"  parcel {p['id']}: {p['state']}, {counted(p['persons'], 'person')}, permit {p['permit']}"
            + (f", left {clock_text(p['left'])}" if p["left"] else "")
            for p in seen["parcels"]
        ),
        *(
            f"  {clock_text(m['at'])}  {m['new']}"
            + (f", by {_who(here, m['by'])}" if m["by"] else "")
            + (f": {m['why']}" if m["why"] else "")
            for m in seen["moves"]
        ),
        f"next: {next_step(here, standing)}",
    ]


def _one(here: "Site", role: str) -> str:
    return next((name for name, person in here.settings.people.items() if person.role == role), role.upper())


def _approver(here: "Site", standing: "Standing") -> str:
    """An officer who neither asked for it nor approved it yet."""
    from onshore.border import life
    from onshore.vault.papers import reading

    with reading(here.engine) as conn:
        taken = life.approved_by(conn, standing.transfer.id) | {standing.transfer.asked_by}
    officers = [name for name, person in here.settings.people.items() if person.role == "officer"]
    return next((name for name in officers if name not in taken), "ANOTHER-OFFICER")


def _who(here: "Site", name: str) -> str:
    known = here.settings.people.get(name)
    return f"{name} ({known.role if known else 'not of this site any more'})"


def _reason_lines(verdict: str, code: str, says: str, article: str, remedy: str) -> str:
    told = f"  {verdict} ({code}): {says}\n    article: {article}"
    return f"{told}\n    what would help: {remedy}" if remedy else told


def _counter_line(name: str, used: int, threshold: int | None) -> str:
    return f"  {name}: {used} of {threshold or 'no limit'}"
