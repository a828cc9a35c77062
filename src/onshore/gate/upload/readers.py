"""Which reader reads a file, and what of it is wanted."""

from collections.abc import Callable, Mapping
from typing import Any

from onshore.gate.upload.candump import CandumpReader
from onshore.gate.upload.dbc import Message
from onshore.gate.upload.decode import Target
from onshore.gate.upload.delimited import DelimitedReader
from onshore.gate.upload.frames import Database
from onshore.gate.upload.manifest import Manifest
from onshore.gate.upload.mcap import McapReader
from onshore.gate.upload.mdf4 import Mdf4Reader
from onshore.gate.upload.reading import Limits, Reader
from onshore.words.errors import Malformed

Databases = Callable[[str], Mapping[int, Message] | None]
"""A CAN database by its name; None where there is none of that name."""


def reader(
    said: Manifest,
    targets: Mapping[str, Target],
    databases: Databases,
    limits: Limits,
    state: Mapping[str, Any] | None = None,
) -> Reader:
    """The reader of a manifest's file, at its beginning or as `state` says; Malformed for a database nobody knows."""
    going = state or None
    if said.format == "csv" and said.time is not None:
        return DelimitedReader(targets, said.time, limits, going)
    if said.format == "mcap":
        return McapReader(targets, database(said, targets, databases), said.can, limits, going)
    if said.format == "mdf4":
        return Mdf4Reader(targets, limits, going)
    return CandumpReader(database(said, targets, databases), limits, going)


def database(said: Manifest, targets: Mapping[str, Target], databases: Databases) -> Database:
    """What the CAN frames of a file mean."""
    found = databases(said.dbc) if said.dbc else {}
    if found is None:
        raise Malformed("no CAN database of this name is set down at the site", where="manifest, dbc")
    return Database(found, said.buses, targets)
