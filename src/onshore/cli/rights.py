"""`onshore rights`: what a person may ask about a car, and the queue of what was asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, iso, person_id, put, say
from onshore.cli.rights_queue import certificate, handed, list_, resume
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.register.vehicles import Vehicle
    from onshore.rights.cases import Case, Wish
    from onshore.site import Site

person_option = click.option("--person", metavar="ID", help="One keeper's rows; their id of 'vehicle show'.")
identity_option = click.option(
    "--identity-checked", "identity", metavar="HOW", help="How the desk checked who asks: a code, such as id-card."
)


def narrowing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that narrow what is meant: categories, and local days, both inclusive."""
    for option in (
        click.option("--until", "last", metavar="DAY", help="Rows up to this local day, inclusive."),
        click.option("--from", "first", metavar="DAY", help="Rows from this local day on."),
        click.option("--category", "categories", multiple=True, help="Only rows of this category; may be repeated."),
    ):
        command = option(command)
    return command


@click.group()
def rights() -> None:
    """What a person may ask: access, take along, restrict, erase; the queue of cases and their clocks."""


for _command in (certificate, list_, resume):
    rights.add_command(_command)


@rights.command()
@click.argument("vin")
@person_option
@click.option("--text", is_flag=True, help="As a page to read instead of JSON.")
@click.option(
    "--take", "folder", type=click.Path(path_type=Path, file_okay=False), help="Seal a copy into this folder."
)
@click.option("--to", "key", metavar="AGE-KEY", help="The person's age public key, to which the copy is sealed.")
@narrowing
@identity_option
@at_site("owner", "officer")
def access(
    here: "Site",
    vin: str,
    person: str | None,
    text: bool,
    folder: Path | None,
    key: str | None,
    categories: tuple[str, ...],
    first: str | None,
    last: str | None,
    identity: str | None,
    actor: str,
) -> None:
    """Print all that is held about the owner by VIN, or a keeper, as JSON: purposes, grounds, periods, who received it.

    What the car did in another's time, or on another's drives, is theirs alone to see. With --take and --to, the raw
    and pre-processed data itself, as Parquet and CSV with a dictionary, sealed to the person.
    """
    from onshore.register import vehicles
    from onshore.rights.access import access as seen
    from onshore.rights.page import page

    car = vehicles.find(here, vin)
    if (folder is None) != (key is None):
        raise Malformed("--take DIR and --to AGE-KEY go together", where="onshore rights access")
    who = person_id(person) or car.owner
    if folder is not None and key is not None:
        wish = _wish(here, car, who, categories, first, last, identity)
        _take(here, car, wish, folder, key, actor)
        return
    if categories or first or last:
        raise Malformed(
            "--category, --from and --until narrow what is taken along: --take", where="onshore rights access"
        )
    found = seen(here, car, actor, person=who, identity=_checked(identity))
    if text:
        click.echo(page(found, here.pack.zone))
    else:
        put(found)


def _take(site: "Site", car: "Vehicle", wish: "Wish", folder: Path, key: str, actor: str) -> None:
    from onshore.rights.take import take

    taken = take(site, car, actor, wish, folder=folder, to=key)
    paper = taken.paper
    put({"case": taken.case.id, "file": str(taken.file), "receipt": str(taken.receipt), "rows": paper["rows"]})
    say(f"sealed: {paper['rows']} rows in {paper['parts']} parts; 'age -d -i KEY' opens it, see its receipt too")


@rights.command()
@click.argument("vin")
@click.option("--lift", is_flag=True, help="End the restriction instead.")
@person_option
@narrowing
@identity_option
@at_site("owner", "officer")
def restrict(
    here: "Site",
    vin: str,
    lift: bool,
    person: str | None,
    categories: tuple[str, ...],
    first: str | None,
    last: str | None,
    identity: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """From this moment no reader sees a row of VIN (of a person, category, period); what is kept stays."""
    from onshore.register import vehicles
    from onshore.rights import cases

    car = vehicles.find(here, vin)
    wish = _wish(here, car, person_id(person), categories, first, last, identity)
    if lift:
        narrowed = person or categories or first or last
        cases.end_restriction(here, car, wish.scope if narrowed else None)
        say("lifted: what is kept may be read again for what it was kept for")
        return
    case = cases.opened(here, car, "restrict", actor, wish)
    if as_json:
        put({"case": case.id, "kind": case.kind, "asked": iso(case.asked)})
    else:
        say("restricted: nobody reads it, nothing of it leaves; 'onshore rights erase' would erase it")
        click.echo(case.id)


@rights.command()
@click.argument("vin")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to put the certificate.")
@person_option
@narrowing
@identity_option
@at_site("owner", "officer")
def erase(
    here: "Site",
    vin: str,
    out: Path | None,
    person: str | None,
    categories: tuple[str, ...],
    first: str | None,
    last: str | None,
    identity: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """Erase all that arrived of VIN until now (of a person, category, period); a certificate says what and proves it.

    With --out the certificate is handed out: what links it to the ledger is struck here.
    """
    from onshore.register import vehicles
    from onshore.rights import certificates
    from onshore.rights.erase import erase as erased

    car = vehicles.find(here, vin)
    wish = _wish(here, car, person_id(person), categories, first, last, identity)
    if out:
        out.touch(0o600)  # before anything is erased: a certificate that has no place to go must not come too late
    case = erased(here, car, actor, wish)
    paper = certificates.certificate(here, case)
    if out:
        handed(out, paper)
        certificates.hand_out(here, case)
    if wish.period:
        say(
            "consents stand as they did: a period was asked for, and 'onshore consent withdraw' ends one for what comes"
        )
    if as_json:
        put(paper)
    else:
        tell(paper["receipt"])
        click.echo(case.id)


def tell(done: dict[str, Any]) -> None:
    """What an erasure did, and what the law has kept of it, to a person."""
    say(f"erased {done['rows']} rows; {done['keys_destroyed']} keys destroyed; {done['remains']}")
    for held in done.get("kept", ()):
        why = f"{held['article']}: {held['says']}"
        say(f"kept, restricted, until {clock_text(held['until'])}: {held['rows']} rows ({why})")


@rights.command()
@click.argument("vin")
@at_site(shows="rights-show")
def show(here: "Site", vin: str, as_json: bool) -> None:
    """List the cases about VIN, with certificates where there are."""
    from onshore.register import vehicles
    from onshore.rights import cases

    for case in cases.of_vehicle(here, vehicles.find(here, vin).id):
        if as_json:
            put(_case(here, case))
        else:
            click.echo(f"{case.id}  {case.kind:9}{case.state:7}{clock_text(case.asked)}  {clock_text(case.done)}")


def _case(site: "Site", case: "Case") -> dict[str, Any]:
    from onshore.rights.certificates import certificate as its
    from onshore.rights.whose import told_of

    return {
        "case": case.id,
        "kind": case.kind,
        "state": case.state,
        "asked": iso(case.asked),
        "by": case.asked_by,
        "identity": case.wish.identity,
        "scope": json.loads(told_of(case.wish.scope)),
        "held_until": iso(case.held_until),
        "certificate": its(site, case) if case.certificate else None,
    }


def _wish(
    site: "Site",
    car: "Vehicle",
    person: int | None,
    categories: tuple[str, ...],
    first: str | None,
    last: str | None,
    identity: str | None,
) -> "Wish":
    from onshore.rights.whose import wish

    how = _checked(identity)
    return wish(site, car, person=person, categories=categories, first=first, last=last, identity=how)


def _checked(identity: str | None) -> str:
    """How who asks was checked; told where nobody said it."""
    from onshore.rights.cases import DESK

    if identity is None:
        say(
            f"who asks was checked as '{DESK}': whoever runs the desk knows them; --identity-checked HOW says it better"
        )
    return identity or DESK
