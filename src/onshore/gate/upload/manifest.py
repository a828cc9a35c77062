"""The manifest of a file: what it is and holds, said before the first byte; refused here, nothing of it is read."""

import re
from collections.abc import Collection, Mapping
from typing import Annotated, Literal

import msgspec

from onshore.gate.upload.decode import Target
from onshore.words.catalogue import Signal
from onshore.words.errors import Malformed, Refusal

Format = Literal["csv", "candump", "mcap", "mdf4"]
Tag = Literal["", "user-cloud", "road-test", "safety-clip"]
_HEX = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which signal a channel is.

    `scale` and `offset` take its unit to the catalogue's; `values` says what words mean.

    So a CSV's gear may say {"signal": "Vehicle.Powertrain.Transmission.SelectedGear", "values": {"D": 127, "N": 0}}.
    """

    signal: _Name
    scale: float = 1.0
    offset: float = 0.0
    values: dict[str, float | str | bool] = {}


class Instant(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of a CSV: which columns, joined with a space, say when.

    `format`: "s", "ms", "us" or "ns" since 1970, "iso" (ISO 8601), or as strptime has it.

    `offset`: minutes by which times that name no offset are ahead of UTC.
    """

    columns: Annotated[list[_Name], msgspec.Meta(min_length=1, max_length=4)]
    format: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "iso"
    offset: Annotated[int, msgspec.Meta(ge=-1440, le=1440)] = 0


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`drive`: what the car calls it; `start`, `until`: when it was, ms UTC; `size`: bytes; `sha256`: of the file.

    `channels`: by the file's own names: a CSV's columns, a DBC's "Message.Signal", MDF4's channels, MCAP's
    "/topic.field". `vehicle`: 16 hex digits, if it is said: the certificate counts. `dbc`: a name of the
    site's settings; `buses`: on which its messages are. `can`: topics of an MCAP whose messages are CAN frames.
    `exception`: from the longest time of keeping, where the site takes such files and its law knows it.
    """

    format: Format
    channels: Annotated[dict[_Name, Channel | _Name], msgspec.Meta(min_length=1, max_length=4096)]
    drive: Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[A-Za-z0-9._-]*$")] = ""
    start: Annotated[int, msgspec.Meta(ge=0)] | None = None
    until: Annotated[int, msgspec.Meta(ge=0)] | None = None
    size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    sha256: _HEX | None = None
    vehicle: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")] | None = None
    dbc: _Name | None = None
    buses: Annotated[list[int], msgspec.Meta(min_length=1, max_length=256)] = msgspec.field(default_factory=lambda: [0])
    can: Annotated[list[_Name], msgspec.Meta(max_length=64)] = []
    time: Instant | None = None
    exception: Tag = ""


_PATH = re.compile(r" - at `(\$[a-z0-9.\[\]]{1,40})`$")  # an unknown key is in the text too: no capitals, so no VIN
_DECODER = msgspec.json.Decoder(Manifest)


def read(data: bytes) -> Manifest:
    """Read a manifest (JSON); Malformed says which key is wrong, and repeats nothing of it."""
    try:
        said = _DECODER.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError) as wrong:
        path = _PATH.search(str(wrong))
        text = "no manifest: not JSON, a key that is unknown or missing, or a bad value"
        raise Malformed(f"{text} at {path[1]}" if path else text) from None
    if said.format == "csv" and said.time is None:
        raise Malformed("a CSV needs 'time': the columns that say when, and how", where="manifest")
    if (said.format == "candump" or said.can) and said.dbc is None:
        raise Malformed("CAN frames need 'dbc': the name of the database that says what they mean", where="manifest")
    return said


def permitted(said: Manifest, vehicle: int, size: int, most: int) -> None:
    """Refuse what is another car's (`another-vehicle`), `too-large`, or not what it says (`size-differs`)."""
    if said.vehicle is not None and said.vehicle != f"{vehicle:016x}":
        raise Refusal(
            "another-vehicle",
            "the manifest names another vehicle than the certificate",
            remedy="each car sends its own drives, with its own certificate",
        )
    if size > most:
        raise Refusal(
            "too-large", f"a file may have {most} bytes here", remedy="cut the drive into several files, or pack it"
        )
    if said.size is not None and said.size != size:
        raise Refusal(
            "size-differs", "the manifest names another size than Upload-Length", remedy="say the file's true size"
        )


def excepted(said: Manifest, taken: Collection[str]) -> None:
    """Refuse (`exception-unknown`) a file that says to be an exception which is not `taken` here."""
    if said.exception and said.exception not in taken:
        raise Refusal(
            "exception-unknown",
            f"files of the exception '{said.exception}' are not taken here: the site's settings or its law know none",
            remedy="send it without 'exception', and it is kept no longer than the rest",
        )


def targets(said: Manifest, catalogue: Mapping[str, Signal], collectable: Collection[str]) -> dict[str, Target]:
    """What the channels are that may be collected from this car now; the others are not even decoded.

    `collectable`: categories for which there is a ground at all. Refuses (`not-in-catalogue`) a manifest of which no
    channel is known here, and one of which none may be collected (`no-ground`).
    """
    wanted = {name: _channel(channel) for name, channel in said.channels.items()}
    known = {name: c for name, c in wanted.items() if c.signal in catalogue}
    if not known:
        raise Refusal(
            "not-in-catalogue",
            "no channel of this file is a signal of the catalogue",
            remedy="map channels to signals by the catalogue's names",
        )
    found = {
        name: Target(catalogue[c.signal], c.scale, c.offset, c.values)
        for name, c in known.items()
        if catalogue[c.signal].category in collectable
    }
    if not found:
        raise Refusal(
            "no-ground",
            "nothing of what this file holds may be collected: nobody allowed it, and no law asks for it",
            remedy="the vehicle's owner or driver may consent",
        )
    return found


def _channel(said: Channel | str) -> Channel:
    return Channel(signal=said) if isinstance(said, str) else said
