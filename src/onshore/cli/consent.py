"""`onshore consent`: what a person allowed, each act with its receipt."""

from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, instant, iso, person_id, put, say
from onshore.words.consent import Consent

if TYPE_CHECKING:
    from onshore.site import Site

driver_option = click.option(
    "--driver", metavar="ID", help="It is this driver's, not the owner's; its id of 'vehicle show'."
)


@click.group()
def consent() -> None:
    """A person's consents: give, withdraw, show."""


@consent.command()
@click.argument("vin")
@click.option("--purpose", "purposes", multiple=True, required=True, help="What for; may be repeated.")
@click.option("--category", "categories", multiple=True, required=True, help="Which data; may be repeated.")
@click.option("--notice", required=True, help="Version of the notice that was shown.")
@click.option("--until", help="When it ends; a date or time, local to the site.")
@click.option("--separate", is_flag=True, help="It was asked for on its own, as sensitive data needs.")
@click.option("--recipient", "recipients", multiple=True, help="Who abroad was named to the person.")
@click.option("--guardian", is_flag=True, help="A guardian consented.")
@driver_option
@at_site("owner", "officer", default="owner")
def give(
    here: "Site",
    vin: str,
    purposes: tuple[str, ...],
    categories: tuple[str, ...],
    notice: str,
    until: str | None,
    separate: bool,
    recipients: tuple[str, ...],
    guardian: bool,
    driver: str | None,
    as_json: bool,
) -> None:
    """Record that the owner (or a driver) of VIN allows it; prints a receipt per purpose and category, a line each."""
    from onshore.register import consents, vehicles

    for name in recipients:
        here.recipient(name)
    wish = consents.Wish(
        purposes=purposes,
        categories=categories,
        notice=notice,
        until=instant(until, here.pack.zone),
        separate=separate,
        recipients=frozenset(recipients),
        guardian=guardian,
    )
    given = consents.give(here, vehicles.find(here, vin), wish, driver=person_id(driver))
    _told(here, given, "given", as_json=as_json)


@consent.command()
@click.argument("vin")
@click.option("--purpose", help="Only this purpose.")
@click.option("--category", help="Only this category.")
@driver_option
@at_site("owner", "officer", default="owner")
def withdraw(
    here: "Site", vin: str, purpose: str | None, category: str | None, driver: str | None, as_json: bool
) -> None:
    """Withdraw what the owner (or a driver) of VIN allowed, all of it unless narrowed, at once; prints the receipts."""
    from onshore.register import consents, vehicles

    found, person = vehicles.find(here, vin), person_id(driver)
    gone = consents.withdraw(here, found, purpose=purpose, category=category, driver=person)
    _told(here, gone, "withdrawn", as_json=as_json)


@consent.command()
@click.argument("vin")
@click.option("--person", metavar="ID", help="A driver, or who owned it before; its id of 'vehicle show'.")
@at_site(shows="consent-show")
def show(here: "Site", vin: str, person: str | None, as_json: bool) -> None:
    """List every consent that the owner ever gave for VIN, whether it stands, and with --json its receipts."""
    from onshore.register import consents, vehicles

    now = here.clock()
    car = vehicles.find(here, vin)
    whose = car.owner if person is None else person_id(person)
    found = [c for c in consents.of_vehicle(here, car.id) if c.person == whose]
    if as_json:
        put([_row(c, now) | {"receipts": consents.receipts_of(here, c)} for c in found])
        return
    for c in found:
        over = f"over (until {clock_text(c.until)}, withdrawn {clock_text(c.withdrawn)})"
        state = "stands" if c.holds(now) else over
        click.echo(f"{c.purpose:22}{c.category:20}from {clock_text(c.start)}  {state}")
    if not found:
        say("nothing was ever allowed by this person: of the vehicle only what the law itself demands is kept")


def _row(c: Consent, now: int) -> dict[str, Any]:
    return {
        "consent": f"{c.id:016x}",
        "person": f"{c.person:016x}",
        "purpose": c.purpose,
        "category": c.category,
        "stands": c.holds(now),
        "from": iso(c.start),
        "until": iso(c.until),
        "withdrawn": iso(c.withdrawn),
        "notice": c.notice,
        "recipients": sorted(c.recipients),
    }


def _told(here: Any, acts: list[Any], what: str, *, as_json: bool) -> None:
    from onshore.register.consents import receipt

    for act in acts:
        paper = receipt(here, act)
        put(paper)
        if not as_json:
            index = paper["proof"].splitlines()[2].removeprefix("index ")
            say(f"{what}: {act.consent.purpose} / {act.consent.category}; entry {index} of the ledger")
    if not as_json:
        say("each line on stdout is a receipt: keep it in a file, 'onshore verify FILE --key VKEY' needs nobody's word")
