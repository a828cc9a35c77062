"""onshore witness: what a regulator or a consumer body runs, in an empty folder; no site is needed."""

import asyncio
import signal
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import answers_for_errors, clock_text, json_option, put, say
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.ledger.note import Key
    from onshore.ledger.witnessing import Witness

_folder = click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="The witness's folder."
)
_logs = click.option(
    "--log", "logs", multiple=True, metavar="VKEY", help="A log's verifier key, or a file of such (ledger/vkey)."
)


@click.group()
def witness() -> None:
    """Cosign the checkpoints of others' ledgers, so that nobody is shown another history than everybody else."""


@witness.command()
@_folder
@click.option("--name", required=True, help='The witness\'s name, such as "witness.example.org/shanghai".')
@_logs
@json_option
@answers_for_errors
def init(folder: Path, name: str, logs: tuple[str, ...], as_json: bool) -> None:
    """Make a witness with keys of its own, an Ed25519 and an ML-DSA-44 one, and print what others verify them by."""
    import secrets

    from onshore.ledger import witnessing

    trusted = _keys(logs)
    keys = witnessing.make(folder, name, secrets.token_bytes)
    witnessing.trust(folder, trusted)
    if as_json:
        put({"dir": str(folder), "vkeys": [str(key) for key in keys], "logs": [str(key) for key in trusted]})
        return
    say(f"a witness lies in {folder}; its keys must never be copied, and no copy of the folder may ever run again")
    for key in keys:
        click.echo(str(key))


@witness.command()
@_folder
@click.argument("logs", nargs=-1, required=True, metavar="VKEY...")
@answers_for_errors
def trust(folder: Path, logs: tuple[str, ...]) -> None:
    """Cosign these logs too: verifier keys, or files of such. A running witness hears of it at its next start."""
    from onshore.ledger import witnessing

    witnessing.trust(folder, _keys(logs))


@witness.command()
@_folder
@json_option
@answers_for_errors
def show(folder: Path, as_json: bool) -> None:
    """The witness's verifier keys, and each log that it knows with what it cosigned last."""
    here = _opened(folder)
    found = [
        {
            "log": origin,
            "size": seen.point.size if seen else None,
            "root": seen.point.root.hex() if seen else None,
            "at": clock_text(seen.at * 1000) if seen else None,
        }
        for origin, seen in here.logs.items()
    ]
    if as_json:
        put({"vkeys": [str(key) for key in here.keys], "logs": found})
        return
    for key in here.keys:
        click.echo(str(key))
    for one in found:
        said = f"{one['size']} entries, {one['at']}, root {one['root']}" if one["at"] else "nothing cosigned yet"
        click.echo(f"{one['log']}  {said}")


@witness.command()
@_folder
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="0: one that is free.")
@click.option("--certificate", type=click.Path(path_type=Path), help="PEM file: serve TLS.")
@click.option("--key", type=click.Path(path_type=Path), help="PEM file of the certificate's key.")
@_logs
@answers_for_errors
def serve(
    folder: Path, host: str, port: int, certificate: Path | None, key: Path | None, logs: tuple[str, ...]
) -> None:
    """Answer sites that hand in checkpoints (C2SP tlog-witness), and whoever asks what was cosigned last.

    Ends on Ctrl-C or SIGTERM.
    """
    from onshore.ledger import answering, witnessing

    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key go together")
    secure = answering.tls(certificate, key) if certificate and key else None
    if logs:
        witnessing.trust(folder, _keys(logs))
    _opened(folder)  # a wrong folder is told of before it is held
    with witnessing.alone(folder):
        asyncio.run(_serve(_opened(folder), host, port, secure))


async def _serve(here: "Witness", host: str, port: int, secure: ssl.SSLContext | None) -> None:
    from onshore.ledger.answering import Limits, listening
    from onshore.ledger.witness import MAX_BODY
    from onshore.ledger.witnessing import answers

    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    async with listening(host, port, answers(here), Limits(body=MAX_BODY), secure) as there:
        known = ", ".join(here.logs) or "no log yet: 'onshore witness trust' adds some"
        say(f"witness {here.keys[0].name} listens on {'https' if secure else 'http'}://{host}:{there} for {known}")
        await done.wait()


def _opened(folder: Path) -> "Witness":
    from onshore.ledger.witnessing import Witness

    return Witness(folder, clock=lambda: time.time_ns() // 1_000_000)


def _keys(given: tuple[str, ...]) -> "tuple[Key, ...]":
    from onshore.ledger.__main__ import keys_of
    from onshore.ledger.note import Unreadable

    try:
        return tuple(key for one in given for key in keys_of(one))
    except (Unreadable, OSError) as error:
        raise Malformed(str(error), where="verifier key of a log") from None
