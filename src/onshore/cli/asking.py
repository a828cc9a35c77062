"""Asking: which vehicles a request is of, and what its dry run tells."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from onshore.cli.common import instant, put, say
from onshore.cli.standing import counted, tell_verdict
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.border.dryrun import Category, DryRun
    from onshore.site import Site
    from onshore.words.verdict import Verdict

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--vehicles-from",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Only the VINs in this file, one a line.",
    ),
    click.option(
        "--vin-begins", multiple=True, metavar="TEXT", help="Only VINs that begin so (maker, model); may be repeated."
    ),
    click.option("--registered-since", metavar="TIME", help="Only vehicles registered from this date or time on."),
    click.option("--registered-until", metavar="TIME", help="Only vehicles registered before this date or time."),
    click.option(
        "--transform",
        "transforms",
        multiple=True,
        metavar="HOW",
        help="With --dry-run: as if a permit demanded drop:SIGNAL, mask:SIGNAL, space:METRES or time:SECONDS.",
    ),
)


def choosing(command: F) -> F:
    """The options that choose vehicles, handed over as keywords that `chosen` takes, and `transforms`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def chosen(
    here: "Site",
    vins: tuple[str, ...],
    *,
    vehicles_from: Path | None,
    vin_begins: tuple[str, ...],
    registered_since: str | None,
    registered_until: str | None,
) -> dict[str, Any]:
    """The fields of a request for the vehicles that these options mean now; none where none is given: all vehicles."""
    from onshore.border.rows.choosing import Filter, choose, lines_of, named

    if vehicles_from:
        vins += _vins(vehicles_from, lines_of)
    zone = here.pack.zone
    wanted = Filter(vin_begins, vins, instant(registered_since, zone), instant(registered_until, zone))
    if wanted == Filter() and not vehicles_from:
        return {}
    return {"vehicles": choose(here, wanted), "chosen": named(here, wanted)}


def _vins(file: Path, lines_of: Callable[[str], tuple[str, ...]]) -> tuple[str, ...]:
    try:
        found = lines_of(file.read_text(encoding="ascii"))
    except UnicodeDecodeError:
        raise Malformed("it is no list of VINs", where=str(file)) from None
    except Malformed as wrong:
        raise Malformed(str(wrong), where=str(file)) from None
    if not found:
        raise Malformed("there is no VIN in it", where=str(file))
    return found


def tell_dry(run: "DryRun", *, as_json: bool) -> None:
    """A dry run: as one document, or for a person, what would be touched in all and of each category."""
    from dataclasses import asdict

    if as_json:
        said = asdict(run)
        put({"dry_run": True, **said.pop("verdict"), **said, "withheld_cells": said["withheld"]})
        return
    say(f"would touch {_sum(run)}; consent withholds {_cells(run.withheld)}")
    for part in run.categories:
        say("\n".join(_lines(part)))
    tell_verdict(run.verdict)


def tell_supposed(verdict: "Verdict", *, as_json: bool) -> None:
    """A dry run from abroad: the law's word, and of what lies here nothing."""
    from dataclasses import asdict

    if as_json:
        put({"dry_run": True, **asdict(verdict)})
        return
    say("how much it would touch is told at the site alone; 'onshore catalogue' has it rounded")
    tell_verdict(verdict)


def _sum(of: "DryRun | Category") -> str:
    size = f"about {max(of.bytes // 1000, 1)} kB" if of.bytes else "nothing"
    return f"{counted(of.rows, 'row')} of {counted(of.persons, 'person')} and {counted(of.vehicles, 'vehicle')}, {size}"


def _lines(part: "Category") -> list[str]:
    lines = [f"  {part.category}: {_sum(part)}; withheld {_cells(part.withheld)}"]
    if part.signals:
        lines.append(f"    signals: {', '.join(part.signals)}")
    if part.left_out:
        lines.append(f"    left out: {counted(len(part.left_out), 'signal')} of the category")
    if part.precision_m is not None:
        lines.append(f"    positions say where a car was to within {part.precision_m:,.1f} m")
    if part.in_zones:
        lines.append(f"    recorded in restricted zones or their margins: {counted(part.in_zones, 'row')}")
    return lines


def _cells(withheld: dict[str, int]) -> str:
    return ", ".join(f"{count} cells ({reason})" for reason, count in sorted(withheld.items())) or "nothing"
