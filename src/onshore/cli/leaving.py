"""`onshore egress` and `onshore receipt`: what the border's sockets took, and recipients' receipts."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import answers_for_errors, at_site, put, say

if TYPE_CHECKING:
    from onshore.site import Site


@click.group()
def egress() -> None:
    """What left, byte by byte, and what tried to leave by another way."""


@egress.command("show")
@at_site()
def show(here: "Site", as_json: bool) -> None:
    """Show the bytes that left since the site was made, by jurisdiction, and those that nobody explains."""
    from onshore.border.sending import accounts
    from onshore.vault.papers import reading

    with reading(here.engine) as conn:
        sums = accounts.total(conn)
    if as_json:
        put(accounts.fields(sums))
        return
    for code, count in sums.to.items():
        click.echo(f"{code}  {count} bytes over the border's sockets")
    click.echo(f"{sums.payload} bytes of parcels in all, by hand too; {sums.unexplained} bytes are unexplained")


@egress.command("acknowledge")
@at_site("officer")
def acknowledge(here: "Site", actor: str, as_json: bool) -> None:
    """Say that you have looked at what tried to get out past the one door, and account for it."""
    from onshore.border.sending import attempts

    count = attempts.acknowledge(here, actor)
    put({"acknowledged": count}) if as_json else say(f"{count} acknowledged; the ledger keeps that they were")


@click.group()
def receipt() -> None:
    """For recipients: sign that a parcel reached you. No site is needed."""


@receipt.command("write")
@click.argument("parcel", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Signing key.")
@answers_for_errors
def write(parcel: Path, key: Path) -> None:
    """Write a receipt of PARCEL, as it came, to stdout, signed with a key of 'onshore rules key'."""
    import hashlib

    from onshore.border.sending import receipts
    from onshore.ledger.signer import read_signer
    from onshore.site import now_ms

    signer = read_signer(key.read_text(encoding="utf-8"), str(key))
    with parcel.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    click.echo(receipts.write(digest, parcel.stat().st_size, now_ms(), signer), nl=False)


@click.command("receipt")
@click.argument("transfer_id", metavar="ID")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@at_site("officer", "operator")
def taken(here: "Site", transfer_id: str, file: Path, actor: str, as_json: bool) -> None:
    """File a recipient's receipt of a parcel; the last one that was awaited closes the request."""
    from onshore.border import requests
    from onshore.border.sending import receipts

    parcel = receipts.take(here, transfer_id, receipts.note_in(file), actor)
    state = requests.find(here, transfer_id).state
    put({"parcel": parcel, "state": state}) if as_json else say(f"{parcel} was received; the request is {state}")
