"""`onshore complaint`: what people complain of, and what they were answered."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, put, say

if TYPE_CHECKING:
    from onshore.register.complaints import Complaint
    from onshore.site import Site

_TOPIC = click.Choice(("collection", "consent", "access", "erasure", "export", "security", "other"))


@click.group()
def complaint() -> None:
    """Complaints, with what they are about and by when they are answered: open, list, show, answer."""


@complaint.command("open")
@click.option("--about", type=_TOPIC, required=True)
@click.option("--says", required=True, help="Its words, and how whoever complains is reached; sealed in the papers.")
@click.option("--vehicle", "vin", help="The VIN of the car that it is about.")
@click.option("--purpose", default="", help="The purpose that it is about, one of site.toml.")
@at_site("officer")
def open_(here: "Site", about: str, says: str, vin: str | None, purpose: str, actor: str, as_json: bool) -> None:
    """Set a complaint down; the site's own term for its answer begins."""
    from onshore.register import complaints, vehicles

    car = vehicles.find(here, vin).id if vin else None
    _tell(complaints.open_(here, about, says, actor, vehicle=car, purpose=purpose), as_json=as_json)


@complaint.command("list")
@click.option("--all", "every", is_flag=True, help="Those that were answered as well.")
@at_site("officer", "regulator", shows="complaint-list")
def list_(here: "Site", every: bool, as_json: bool) -> None:
    """List the complaints that wait, earliest due first; without their words."""
    from onshore.register import complaints

    found = complaints.listed(here, every=every)
    for one in found:
        if as_json:
            put({name: value for name, value in _said(one).items() if name not in ("says", "answer")})
        else:
            click.echo(_line(one))
    if not found and not as_json:
        say("no complaint waits")


@complaint.command()
@click.argument("complaint_id", metavar="ID")
@at_site("officer", "regulator", shows="complaint-show")
def show(here: "Site", complaint_id: str, as_json: bool) -> None:
    """Show a complaint and its answer, their words opened."""
    from onshore.register import complaints

    one = complaints.find(here, complaint_id)
    if as_json:
        put(_said(one))
        return
    click.echo(f"{_line(one)}\n  opened {clock_text(one.opened)} by {one.opened_by}: {one.says}")
    if one.answered:
        click.echo(f"  answered {clock_text(one.answered)} by {one.answered_by}: {one.answer}")


@complaint.command()
@click.argument("complaint_id", metavar="ID")
@click.option("--says", required=True, help="What was answered; sealed in the papers.")
@at_site("officer")
def answer(here: "Site", complaint_id: str, says: str, actor: str, as_json: bool) -> None:
    """Set down what was answered, once. Onshore sends nothing by itself."""
    from onshore.register import complaints

    _tell(complaints.answer(here, complaint_id, actor, says), as_json=as_json)


def _tell(one: "Complaint", *, as_json: bool) -> None:
    if as_json:
        put(_said(one))
        return
    click.echo(one.id)
    say(_line(one))


def _line(one: "Complaint") -> str:
    car = "" if one.vehicle is None else f", vehicle {one.vehicle:016x}"
    purpose = f", {one.purpose}" if one.purpose else ""
    return f"{one.id}  {one.state:14}by {one.by}  about {one.about}{purpose}{car}"


def _said(one: "Complaint") -> dict[str, Any]:
    return asdict(one) | {"vehicle": None if one.vehicle is None else f"{one.vehicle:016x}"}
