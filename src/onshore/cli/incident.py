"""`onshore incident`: what happened to data here, who must hear of it by when, and who did."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, instant, put, say
from onshore.cli.standing import counted

if TYPE_CHECKING:
    from onshore.register.incidents import Incident
    from onshore.register.reports import Report
    from onshore.site import Site

_KIND = click.Choice(("leak", "access", "misuse", "alteration", "loss", "outage"))
_SEVERITY = click.Choice(("general", "serious", "grave"))

_category = click.option("--category", "categories", multiple=True, help="Of which data; may be repeated.")
_persons = click.option("--persons", type=click.IntRange(min=0), help="How many; left out while nobody knows.")
_vehicles = click.option("--vehicles", type=click.IntRange(min=0), help="How many; left out while nobody knows.")
_concerns = click.option("--concerns", multiple=True, metavar="CODE", help="A jurisdiction besides the site's own.")


@click.group()
def incident() -> None:
    """Incidents with the reporting clocks of each jurisdiction: open, amend, show, list, report, close."""


@incident.command("open")
@click.option("--kind", type=_KIND, required=True)
@click.option("--severity", type=_SEVERITY, required=True, help="As you judge it; the clocks run whatever it is.")
@click.option("--known", help="When somebody here knew of it; a time local to the site. Now, unless told.")
@click.option("--says", required=True, help="What happened, in words; sealed in the papers.")
@_category
@_persons
@_vehicles
@_concerns
@at_site("officer")
def open_(
    here: "Site",
    kind: str,
    severity: str,
    known: str | None,
    says: str,
    categories: tuple[str, ...],
    persons: int | None,
    vehicles: int | None,
    concerns: tuple[str, ...],
    actor: str,
    as_json: bool,
) -> None:
    """Set an incident down; the clocks of every jurisdiction concerned run from when somebody here knew of it."""
    from onshore.register import incidents

    at = instant(known, here.pack.zone) if known else here.clock()
    happened = incidents.Happened(kind, severity, at or 0, says, categories, persons, vehicles, concerns)
    _tell(incidents.open_(here, happened, actor), as_json=as_json)


@incident.command()
@click.argument("incident_id", metavar="ID")
@click.option("--severity", type=_SEVERITY)
@click.option("--says", help="What happened, as it is known by now; takes the place of what was said.")
@_category
@_persons
@_vehicles
@_concerns
@at_site("officer")
def amend(
    here: "Site",
    incident_id: str,
    severity: str | None,
    says: str | None,
    categories: tuple[str, ...],
    persons: int | None,
    vehicles: int | None,
    concerns: tuple[str, ...],
    actor: str,
    as_json: bool,
) -> None:
    """Set down what was learnt later."""
    from onshore.register import incidents

    learnt = incidents.Learnt(severity, says, categories, persons, vehicles, concerns)
    _tell(incidents.amend(here, incident_id, learnt, actor), as_json=as_json)


@incident.command()
@click.argument("incident_id", metavar="ID")
@at_site("officer", "regulator", shows="incident-show")
def show(here: "Site", incident_id: str, as_json: bool) -> None:
    """Show an incident, its words opened, with each report that it owes."""
    from onshore.register import incidents

    one = incidents.find(here, incident_id)
    if as_json:
        put(_said(one))
        return
    click.echo(_line(one))
    click.echo(f"  known {clock_text(one.known)}, opened {clock_text(one.opened)} by {one.opened_by}")
    click.echo(f"  {one.says}")
    for report in one.reports:
        click.echo(_report(report))
    if one.ended:
        click.echo(f"  {one.state} {clock_text(one.ended)} by {one.ended_by}: {one.why}")


@incident.command("list")
@click.option("--all", "every", is_flag=True, help="Those that ended as well.")
@at_site()
def list_(here: "Site", every: bool, as_json: bool) -> None:
    """List incidents that go on, what is due first on top; without their words."""
    from onshore.register import incidents

    found = incidents.listed(here, every=every)
    for one in found:
        if as_json:
            put({name: value for name, value in _said(one).items() if name not in ("says", "why")})
            continue
        click.echo(_line(one))
        for report in one.reports:
            click.echo(_report(report))
    if not found and not as_json:
        say("no incident goes on")


@incident.command()
@click.argument("incident_id", metavar="ID")
@click.option("--to", "jurisdiction", required=True, metavar="CODE", help="The jurisdiction whose authority was told.")
@click.option("--number", required=True, help="Under which it has the report.")
@at_site("officer")
def report(here: "Site", incident_id: str, jurisdiction: str, number: str, actor: str, as_json: bool) -> None:
    """Set down that an authority was told. Onshore sends nothing by itself."""
    from onshore.register import incidents

    _tell(incidents.report(here, incident_id, jurisdiction, actor, number), as_json=as_json)


@incident.command()
@click.argument("incident_id", metavar="ID")
@click.option("--says", required=True, help="What was done, or why it was none; sealed in the papers.")
@click.option("--unfounded", is_flag=True, help="It was none; takes another officer than the one who opened it.")
@at_site("officer")
def close(here: "Site", incident_id: str, says: str, unfounded: bool, actor: str, as_json: bool) -> None:
    """End an incident, once no report is owed."""
    from onshore.register import incidents

    _tell(incidents.close(here, incident_id, actor, says, unfounded=unfounded), as_json=as_json)


def _tell(one: "Incident", *, as_json: bool) -> None:
    if as_json:
        put(_said(one))
        return
    click.echo(one.id)
    say(_line(one))
    for report in one.reports:
        say(_report(report))


def _line(one: "Incident") -> str:
    counts = ((one.persons, "person"), (one.vehicles, "vehicle"))
    many = ", ".join(counted(count, noun) if count is not None else f"{noun}s not known yet" for count, noun in counts)
    return f"{one.id}  {one.state:10}{one.severity} {one.kind}: {', '.join(one.categories)}; {many}"


def _report(report: "Report") -> str:
    made = f", number {report.number}, by {report.reported_by}" if report.reported else ""
    by = f"by {report.by}" if report.by else "no clock"
    unsure = "" if report.sure else " (the calendar does not reach so far: an earlier day counts)"
    return f"  to {report.jurisdiction}: {report.state}, {by}{made}  {report.article}{unsure}\n    {report.says}"


def _said(one: "Incident") -> dict[str, Any]:
    return asdict(one) | {"reports": [asdict(report) | {"by": report.by} for report in one.reports]}
