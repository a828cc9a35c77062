"""`onshore consent`: what a person allowed, each act with its receipt."""

from pathlib import Path
from typing import Any

import click

from onshore.cli.common import answers_for_errors, clock_text, instant, json_option, put, say, site_option


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
@site_option
@json_option
@answers_for_errors
def give(
    vin: str,
    purposes: tuple[str, ...],
    categories: tuple[str, ...],
    notice: str,
    until: str | None,
    separate: bool,
    recipients: tuple[str, ...],
    guardian: bool,
    site: Path,
    as_json: bool,
) -> None:
    """Record that the owner of VIN allows it, and print a receipt per purpose and category."""
    from onshore.register import consents, vehicles
    from onshore.site import open_site

    here = open_site(site)
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
    _told(here, consents.give(here, vehicles.find(here, vin), wish), "given", as_json=as_json)


@consent.command()
@click.argument("vin")
@click.option("--purpose", help="Only this purpose.")
@click.option("--category", help="Only this category.")
@site_option
@json_option
@answers_for_errors
def withdraw(vin: str, purpose: str | None, category: str | None, site: Path, as_json: bool) -> None:
    """Withdraw what the owner of VIN allowed, from this instant; all of it unless narrowed."""
    from onshore.register import consents, vehicles
    from onshore.site import open_site

    here = open_site(site)
    gone = consents.withdraw(here, vehicles.find(here, vin), purpose=purpose, category=category)
    _told(here, gone, "withdrawn", as_json=as_json)


@consent.command()
@click.argument("vin")
@site_option
@json_option
@answers_for_errors
def show(vin: str, site: Path, as_json: bool) -> None:
    """List every consent ever given for VIN, and whether it stands."""
    from onshore.register import consents, vehicles
    from onshore.site import open_site

    here = open_site(site)
    now = here.clock()
    rows = [
        {
            "purpose": c.purpose,
            "category": c.category,
            "stands": c.holds(now),
            "from": clock_text(c.start),
            "until": clock_text(c.until),
            "withdrawn": clock_text(c.withdrawn),
            "notice": c.notice,
            "recipients": sorted(c.recipients),
        }
        for c in consents.of_vehicle(here, vehicles.find(here, vin).id)
    ]
    if as_json:
        put(rows)
    for row in () if as_json else rows:
        state = "stands" if row["stands"] else f"over (until {row['until']}, withdrawn {row['withdrawn']})"
        click.echo(f"{row['purpose']:22}{row['category']:20}from {row['from']}  {state}")
    if not rows:
        say("nothing was ever allowed: of this vehicle only what the law itself demands is kept")


def _told(here: Any, acts: list[Any], what: str, *, as_json: bool) -> None:
    from onshore.register.consents import receipt

    for act in acts:
        if as_json:
            put(receipt(here, act))
        else:
            entry = f"entry {receipt(here, act)['proof'].splitlines()[2]}"
            say(f"{what}: {act.consent.purpose} / {act.consent.category}, in the ledger as {entry}")
    if not as_json:
        say("a receipt that the person can verify without us: the same command with --json")
