"""`onshore decode`: hex frames in, one JSON object a line out."""

from collections.abc import Iterable, Iterator
from typing import IO, Any

import click

from onshore.cli.decoding_fleet import record
from onshore.cli.decoding_mqtt import publish

Said = dict[str, Any]


class NotHex(click.ClickException):
    """Input that this command cannot read at all."""

    exit_code = 2


@click.command()
@click.argument("protocol", type=click.Choice(["gb32960", "fleet", "mqtt"]))
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--stream", is_flag=True, help="Each line is one read from a socket: find the frames in them.")
@click.pass_context
def decode(ctx: click.Context, protocol: str, file: IO[bytes], *, stream: bool) -> None:
    """Decode frames of PROTOCOL from FILE (default: standard input), one hex frame a line.

    Prints one JSON object a line; a frame that cannot be read gives {"reject": why}, and the exit code is 1.
    """
    import msgspec

    if stream and protocol != "gb32960":
        raise click.UsageError(f"--stream finds the frames of gb32960; give one packet of {protocol} a line")
    one = {"gb32960": _frame, "fleet": record, "mqtt": publish}[protocol]
    lines = _lines(file, empty=protocol == "fleet")
    rejected = False
    for said in _stream(lines) if stream else map(one, lines):
        if "reject" in said:
            rejected = True
        if stream and "reject" in said:
            click.echo(f"rejected: {said['reject']}", err=True)
        else:
            click.echo(msgspec.json.encode(said))
    ctx.exit(int(rejected))


def _lines(file: IO[bytes], *, empty: bool) -> Iterator[bytes]:
    """The bytes of each line; an empty one is nothing, but where a message may be empty it is that."""
    for number, line in enumerate(file, 1):
        try:
            data = bytes.fromhex(line.decode("ascii"))
        except ValueError:
            raise NotHex(f"line {number} is not hex: give one frame a line in hex digits") from None
        if data or empty:
            yield data


def _frame(frame: bytes) -> Said:
    from onshore.gate.gb32960 import reference
    from onshore.words.errors import Malformed

    try:
        return reference.decode(frame)
    except Malformed as bad:
        return {"reject": bad.what}


def _stream(reads: Iterable[bytes]) -> Iterator[Said]:
    """Frames with a right checksum, whatever they say, and what is left at the end."""
    from onshore.gate.gb32960.protocol import BadChecksum, Splitter

    splitter = Splitter()
    for read in reads:
        for event in splitter.feed(read):
            if isinstance(event, bytes):
                yield {"frame": event.hex()}
            else:
                yield {"reject": "bad checksum" if isinstance(event, BadChecksum) else "too long"}
    yield {"rest": splitter.rest.hex()}
