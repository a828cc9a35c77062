"""`onshore vehicle policy` and what `show` and `list` say of policies: what a car is told, and what it obeys."""

from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, put

if TYPE_CHECKING:
    from onshore.register.policies import Issued
    from onshore.site import Site


@click.command()
@click.argument("vin")
@click.option("--tesla", is_flag=True, help="As the configuration that Tesla's cloud takes (fleet_telemetry_config).")
@at_site()
def policy(here: "Site", vin: str, tesla: bool, as_json: bool) -> None:
    """Print what VIN may send, signed by the site; a new version is made where what stands has changed."""
    from onshore.register import policies, vehicles
    from onshore.words.errors import Refusal

    issued = policies.current(here, vehicles.find(here, vin).id)
    if issued is None:
        raise Refusal("retired", "this vehicle is retired: nothing is asked of it any more")
    if tesla:
        put(_tesla(here, vin, issued))
    elif as_json:
        put(issued.said)
    else:
        click.echo(issued.note, nl=False)


def _tesla(site: "Site", vin: str, issued: "Issued") -> dict[str, Any]:
    from onshore.gate.fleet.configuration import configuration
    from onshore.register import authority

    host = issued.said["host"]["name"]
    listed = site.settings.policy.hosts.get(host)
    port = listed.port if listed else site.settings.gate.fleet or 443
    own = site.settings.gate.certificate  # the operator's: its chain tells who signed it
    trusted = (authority.pem(one.certificate) for one in authority.trusted(site))
    ca = (site.folder / own).read_text(encoding="ascii") if own else b"".join(trusted).decode("ascii")
    return {"vins": [vin], "config": configuration(issued.said, host, port, ca)}


def shown(site: "Site", vehicle: int) -> dict[str, Any]:
    """What `onshore vehicle show` says: the version that the car says it obeys, and the one that it should."""
    from onshore.register import policies

    last, obeys = policies.latest(site, vehicle), policies.obeyed(site, vehicle)
    return {
        "current": None if last is None else last.version,
        "until": None if last is None else clock_text(last.until),
        "active": None if obeys is None else obeys.version,
        "since": None if obeys is None else clock_text(obeys.first),
        "seen": None if obeys is None else clock_text(obeys.last),
    }


def text(said: dict[str, Any]) -> str:
    """The same in a line."""
    if said["current"] is None:
        return "none was made yet"
    active = "the car has not said that it obeys one"
    if said["active"] is not None:
        active = f"version {said['active']} is active on the car since {said['since']} (last heard {said['seen']})"
    return f"version {said['current']} is current, until {said['until']}; {active}"


def lagging(site: "Site", *, as_json: bool) -> None:
    """Print the cars that were told and have not said that they obey."""
    from onshore.register import policies

    found = [
        {
            "vehicle": f"{lag.vehicle:016x}",
            "since": clock_text(lag.since),
            "current": lag.version,
            "active": lag.obeys,
            "ended": lag.ended,
        }
        for lag in policies.lagging(site)
    ]
    if as_json:
        put(found)
        return
    for one in found:
        obeys = "obeys none" if one["active"] is None else f"obeys {one['active']}{', ended' if one['ended'] else ''}"
        click.echo(f"{one['vehicle']} should obey {one['current']} since {one['since']}, {obeys}")
