"""`onshore replay`: feed a recorded drive through the gate, as one registered car."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, json_option, put, say, site_option
from onshore.words.errors import Malformed

FORMATS = ("csv", "hex")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--vehicle", "vin", required=True, metavar="VIN", help="As which registered car.")
@click.option("--format", "kind", type=click.Choice(FORMATS), help="By default: csv for *.csv, else hex frames.")
@site_option
@json_option
@answers_for_errors
def replay(file: Path, vin: str, kind: str | None, site: Path, as_json: bool) -> None:
    """Replay FILE (CSV, or GB/T 32960 frames in hex, one a line) as VIN, through the site's own door.

    Events keep the pace between them and end now. The gate must not be running elsewhere.
    """
    from onshore.cli.serve import gate
    from onshore.register import vehicles
    from onshore.site import open_site

    here = open_site(site)
    vehicles.find(here, vin)
    frames = list(_frames(file, vin.encode(), kind or ("csv" if file.suffix == ".csv" else "hex"), here.clock()))

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
