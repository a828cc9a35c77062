"""Recorded drives in files, read by the readers of the door upload, and taken in as if they ended now."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from onshore.cli.channels import said, usual
from onshore.gate.intake import Intake
from onshore.gate.upload import dbc
from onshore.gate.upload.decode import batch
from onshore.gate.upload.manifest import Channel, Format, Instant, Manifest, targets
from onshore.gate.upload.mdf4_blocks import names_in
from onshore.gate.upload.readers import reader
from onshore.gate.upload.reading import Limits, Reader, Rows
from onshore.site import Site
from onshore.words.errors import Malformed

KINDS: Mapping[str, Format] = {
    ".csv": "csv",
    ".log": "candump",
    ".candump": "candump",
    ".mcap": "mcap",
    ".mf4": "mdf4",
    ".mdf": "mdf4",
}
_PIECE = 1 << 20
_DATES = {"Date", "Time"}


@dataclass(frozen=True)
class Taken:
    """How many rows a file had, and what of it was passed over."""

    rows: int
    counts: dict[str, int]


def take_in(
    site: Site, intake: Intake, vehicle: int, file: Path, kind: Format, database: Path | None, pairs: Iterable[str]
) -> Taken:
    """Read a file twice, first to see when it ends; its events keep the pace between them and end now.

    `pairs`: NAME=SIGNAL; without any, channels are known by their usual names. Malformed where nothing is known.
    """
    messages = dbc.parse(database.read_bytes().decode("utf-8", "replace")) if database else {}
    manifest = _manifest(file, kind, messages, said(pairs))
    everything = {signal.category for signal in site.catalogue.values()}
    wanted = targets(manifest, site.catalogue, everything)

    def made() -> Reader:
        return reader(manifest, wanted, lambda _: messages, Limits())

    last = max((int(rows.times.max()) for rows in _rows(made(), file) if len(rows.times)), default=None)
    if last is None:
        raise Malformed("no row of the file has a channel that is known; name some with --map", where=file.name)
    again, now, count = made(), site.clock(), 0
    for rows in _rows(again, file):
        part = batch(vehicle, site.clock(), [replace(rows, times=rows.times + (now - last))])
        if part.num_rows:
            intake.take_in(part)
            count += part.num_rows
    return Taken(count, dict(again.counts))


def _rows(reads: Reader, file: Path) -> Iterator[Rows]:
    with file.open("rb") as opened:
        while data := opened.read(_PIECE):
            for step in reads.feed(data):
                yield from step
    for step in reads.finish():
        yield from step


def _manifest(file: Path, kind: Format, messages: Mapping[int, dbc.Message], channels: dict[str, Channel]) -> Manifest:
    if kind == "candump" and not messages:
        raise Malformed("CAN frames need --dbc, the database that says what they mean", where=file.name)
    names = [f"{message.name}.{signal}" for message in messages.values() for signal in message.signals]
    instant = None
    if kind == "csv":
        names, instant = _header(file)
    elif kind == "mdf4":
        names = names_in(file.read_bytes()[: 64 << 20])
    elif kind == "mcap":
        fields = ("lat", "lon", "latitude", "longitude", "altitude")
        names += [f"{topic}.{field}" for topic in ("/gnss", "/gps") for field in fields]
    found = channels or usual(names)
    if not found:
        raise Malformed("no channel of the file has a usual name; name some with --map NAME=SIGNAL", where=file.name)
    can = ["/can"] if kind == "mcap" and messages else []
    return Manifest(format=kind, channels=dict(found), can=can, dbc="given" if messages else None, time=instant)


def _header(file: Path) -> tuple[list[str], Instant]:
    with file.open(newline="", encoding="utf-8-sig") as opened:
        names = [name.strip() for name in next(csv.reader(opened), [])]
    if set(names) >= _DATES:
        return names, Instant(columns=["Date", "Time"], format="%m/%d/%Y %H:%M:%S")
    when = next((name for name in names if name.lower() in ("time", "timestamp", "t", "datetime")), None)
    if when is None:
        raise Malformed("no column 'time', 'timestamp' or 'Date' and 'Time' says when", where=file.name)
    return names, Instant(columns=[when])
