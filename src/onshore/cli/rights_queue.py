"""`onshore rights list`, `resume` and `certificate`: what waits, by when, and what the person is handed."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, iso, put, say

if TYPE_CHECKING:
    from onshore.rights.clocks import Open
    from onshore.site import Site

_DAY = 86_400_000  # milliseconds


@click.command("list")
@at_site(shows="rights-list")
def list_(here: "Site", as_json: bool) -> None:
    """List the open cases of all, earliest due first: by when, by which article, how long is left."""
    from onshore.rights.clocks import queue

    now, waits = here.clock(), queue(here)
    if as_json:
        put([_told(one, now) for one in waits])
        return
    for one in waits:
        case, due = one.case, one.due
        left = "-" if due is None else f"{(due.until - now) / _DAY:.1f} d"
        by = clock_text(case.held_until) if one.state == "held" else "-" if due is None else str(due.day)
        why = "" if due is None else f"  {due.article}"
        click.echo(f"{case.id}  {case.kind:9}{one.state:9}{clock_text(case.asked)}  by {by:11}{left:>8}{why}")
    if not waits:
        say("nothing waits")


def _told(one: "Open", now: int) -> dict[str, Any]:
    case, due = one.case, one.due
    clock = (
        {"due": None, "warn": None, "left_ms": None, "article": "", "says": ""}
        if due is None
        else {
            "due": str(due.day),
            "warn": iso(due.warn),
            "left_ms": due.until - now,
            "article": due.article,
            "says": due.says,
            "sure": due.sure,
        }
    )
    return {
        "case": case.id,
        "kind": case.kind,
        "vehicle": f"{case.vehicle:016x}",
        "state": case.state,
        "clock": one.state,
        "asked": iso(case.asked),
        "by": case.asked_by,
        "identity": case.wish.identity,
        "held_until": iso(case.held_until),
        **clock,
    }


@click.command()
@at_site("officer", "operator")
def resume(here: "Site", as_json: bool) -> None:
    """Take up what stopped halfway: erasures, copies being sealed, sales. A case that fails stops no other."""
    from onshore.rights.clocks import queue
    from onshore.rights.sale import resume as taken_up

    failed = taken_up(here)
    left = [one.case.id for one in queue(here)]
    if as_json:
        put({"failed": sorted(failed), "open": left})
    for case in sorted(failed):
        say(f"the case {case} waits: {type(failed[case]).__name__}; its rows stay restricted")
    say(f"{len(left)} cases are open")
    raise SystemExit(1 if failed else 0)


@click.command()
@click.argument("case")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to put it.")
@at_site("owner", "officer")
def certificate(here: "Site", case: str, out: Path) -> None:
    """Hand out the certificate of CASE: it goes to a file, and what links it to the ledger is struck here."""
    from onshore.rights import cases, certificates

    found = cases.find(here, case)
    handed(out, certificates.certificate(here, found))
    certificates.hand_out(here, found)
    say(f"written to {out}; keep it: nothing here proves any more what it says")


def handed(out: Path, paper: dict[str, Any]) -> None:
    """Write a certificate where the person gets it, durably: then it may be struck here."""
    with out.open("w", encoding="utf-8") as file:
        file.write(json.dumps(paper, ensure_ascii=False))
        file.flush()
        os.fsync(file.fileno())
