"""`onshore replay`: feed a recorded drive through the gate, as one registered car."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from onshore.cli.common import answers_for_errors, json_option, put, say, site_option
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.gate.upload.manifest import Format
    from onshore.site import Site

FORMATS = ("csv", "mcap", "mdf4", "candump", "hex")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--vehicle", "vin", required=True, metavar="VIN", help="As which registered car.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="By default: by the file's ending, else hex frames.")
@click.option("--dbc", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="What CAN frames mean.")
@click.option("--map", "pairs", multiple=True, metavar="NAME=SIGNAL", help="Which signal a channel is; repeat it.")
@site_option
@json_option
@answers_for_errors
def replay(
    file: Path, vin: str, kind: str | None, dbc: Path | None, pairs: tuple[str, ...], site: Path, as_json: bool
) -> None:
    """Replay FILE as VIN through the site's gate: CSV, MCAP, MDF4, candump, or GB/T 32960 frames in hex, one a line.

    Events keep the pace between them and end now. The gate must not be running elsewhere.
    """
    from onshore.cli.doors import gate
    from onshore.register import vehicles
    from onshore.site import open_site

    here = open_site(site)
    car = vehicles.find(here, vin)
    kind = kind or _kind(file)
    if kind != "hex" and not (kind == "csv" and not pairs and _is_sent_as_frames(file)):
        _take_in(here, car.id, file, kind, dbc, pairs, as_json=as_json)
        return
    frames = list(_frames(file, vin.encode(), kind, here.clock()))

    async def drive_in() -> tuple[int, int]:
        from onshore.cli.simulate import connected, drive

        async with (
            gate(here, port=0) as (_, port),
            connected("127.0.0.1", port, vin.encode(), here.clock()) as car,
        ):
            await drive(car, frames)
            return car.acknowledged, car.refused

    acknowledged, refused = asyncio.run(drive_in())
    here.bring_in()
    here.settle()
    if as_json:
        put({"sent": len(frames), "acknowledged": acknowledged, "refused": refused})
    else:
        say(f"{len(frames)} frames sent, {acknowledged} acknowledged, {refused} refused")


def _kind(file: Path) -> str:
    from onshore.cli.files import KINDS

    return KINDS.get(file.suffix.lower(), "hex")


def _is_sent_as_frames(file: Path) -> bool:
    """Whether a CSV has what a drive in frames of GB/T 32960 needs."""
    from onshore.cli.drives import COLUMNS

    with file.open(encoding="utf-8", errors="replace") as opened:
        return set(COLUMNS) <= set(opened.readline(1 << 16).strip().split(","))


def _take_in(
    site: "Site", vehicle: int, file: Path, kind: str, dbc: Path | None, pairs: tuple[str, ...], *, as_json: bool
) -> None:
    from onshore.cli.doors import intake
    from onshore.cli.files import take_in

    with intake(site) as taking:
        taken = take_in(site, taking, vehicle, file, cast("Format", kind), dbc, pairs)
    site.bring_in()
    site.settle()
    if as_json:
        put({"rows": taken.rows, "passed_over": taken.counts})
    else:
        over = "".join(f", {count} {what}" for what, count in taken.counts.items() if count)
        say(f"{taken.rows} rows taken in{over}")


def _frames(file: Path, vin: bytes, kind: str, now: int) -> Iterator[bytes]:
    from onshore.cli.drives import recorded
    from onshore.gate.gb32960 import encode

    if kind == "csv":
        moments = recorded(file)
        start = now - moments[-1].offset
        for moment in moments:
            yield encode.realtime(vin, start + moment.offset, moment.units)
        return
    for number, line in enumerate(file.read_text().split(), 1):
        try:
            yield bytes.fromhex(line)
        except ValueError:
            raise Malformed("not a frame in hex", where=f"{file.name}, line {number}") from None
