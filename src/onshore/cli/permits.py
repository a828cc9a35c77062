"""`onshore permit`: the regulator's papers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import answers_for_errors, at_site, clock_text, put, say
from onshore.cli.standing import counted
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.site import Site
    from onshore.words.permit import Method, Permit

_file = click.Path(path_type=Path, exists=True, dir_okay=False)
_day = click.DateTime(["%Y-%m-%d"])


@dataclass(frozen=True)
class Limits:
    """What the options say; `method`: None for the request's own."""

    persons: int | None
    start: datetime | None
    until: datetime | None
    signals: tuple[str, ...]
    rows: int
    method: "Method | None"
    transforms: tuple[str, ...]


def limiting(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a permit's limits, each an argument of the command."""
    for option in reversed(
        [
            click.option("--persons", type=click.IntRange(min=1), help="How many distinct persons at most."),
            click.option("--from", "start", type=_day, help="First day."),
            click.option("--until", type=_day, help="Last day, inclusive."),
            click.option("--signal", "signals", multiple=True, help="Only this signal; may be repeated."),
            click.option("--rows", type=click.IntRange(min=0), default=0, help="How many rows at most; 0: no cap."),
            click.option("--method", type=click.Choice(["file", "feed", "view"]), help="Only in this way."),
            click.option(
                "--transform",
                "transforms",
                multiple=True,
                help="Done to the rows first: drop:SIGNAL, mask:SIGNAL, space:METRES, time:SECONDS; may be repeated.",
            ),
        ]
    ):
        command = option(command)
    return command


@click.group()
def permit() -> None:
    """The regulator's papers: draft, sign, grant, record, revoke, show."""


@permit.command()
@click.argument("transfer_id", metavar="TRANSFER")
@limiting
@click.option("--by", metavar="NAME", help="Which regulator of site.toml is to sign; by default the only one.")
@at_site("officer", "regulator")
def draft(here: "Site", transfer_id: str, by: str | None, as_json: bool, **limits: Any) -> None:
    """Print the words of a permit for TRANSFER, for the regulator to read and sign ('onshore permit sign')."""
    from onshore.border.permits.permit import text_of

    drafted = _drafted(here, transfer_id, Limits(**limits), by or _only_regulator(here))
    text = text_of(drafted)
    if as_json:
        put({"permit": drafted.id, "text": text})
    else:
        click.echo(text, nl=False)


@permit.command()
@click.argument("text", metavar="DRAFT", type=_file)
@click.option("--key", "key", type=_file, required=True, help="The regulator's signing key ('onshore rules key').")
@answers_for_errors
def sign(text: Path, key: Path) -> None:
    """Sign the words of a permit, on any machine: no site is needed. The note goes to stdout."""
    from onshore.border import granting
    from onshore.border.permits.permit import is_one

    words = _text_of(text)
    if not is_one(f"{words}\n"):
        raise Malformed("these are not the words of a permit, as 'onshore permit draft' prints them", where=str(text))
    click.echo(granting.read_key(key, "").sign(words), nl=False)


@permit.command()
@click.argument("transfer_id", metavar="TRANSFER", required=False)
@limiting
@click.option("--key", type=_file, help="The regulator's signing key; by default the site's.")
@click.option("--note", type=_file, help="A permit that was signed elsewhere.")
@at_site("regulator")
def grant(
    here: "Site",
    transfer_id: str | None,
    key: Path | None,
    note: Path | None,
    actor: str,
    as_json: bool,
    **limits: Any,
) -> None:
    """Grant a permit for TRANSFER with limits, or take in one signed elsewhere (--note)."""
    from onshore.border import granting, grants

    if note:
        granted = grants.put_on_file(here, _text_of(note))
    else:
        said = Limits(**limits)
        if not (transfer_id and said.persons and said.start and said.until):
            raise click.UsageError("give TRANSFER with --persons, --from and --until, or --note FILE")
        signer = granting.signer(here, actor, "regulator", key or granting.key_beside(here.folder))
        granted = grants.grant(here, _drafted(here, transfer_id, said, actor), signer)
    _tell(granted, "granted", as_json=as_json)


@permit.command()
@click.argument("transfer_id", metavar="TRANSFER")
@limiting
@click.option("--number", required=True, help="The paper's own number.")
@click.option("--file", "scan", type=_file, required=True, help="Its scan; it is kept here, sealed.")
@click.option("--key", type=_file, required=True, help="The officer's own recording key ('onshore rules key').")
@at_site("officer")
def record(
    here: "Site", transfer_id: str, number: str, scan: Path, key: Path, actor: str, as_json: bool, **limits: Any
) -> None:
    """Record a permit on paper, under the officer's own signature; no regulator signs it, and that is said."""
    from dataclasses import replace

    from onshore.border import granting, grants
    from onshore.border.permits import scans
    from onshore.border.permits.permit import signed
    from onshore.ledger.entry import REFERENCE

    if not REFERENCE[1](number):
        raise Malformed("a paper's number has letters, digits and . _ / - alone", where="--number")
    signer, raw = granting.signer(here, actor, "officer", key), scan.read_bytes()
    drafted = _drafted(here, transfer_id, Limits(**limits), actor)
    on_paper = replace(drafted, scan=scans.digest_of(raw), number=number)
    _tell(grants.put_on_file(here, signed(on_paper, signer.sign), raw), "recorded from paper", as_json=as_json)


@permit.command()
@click.argument("permit_id", metavar="PERMIT")
@at_site("regulator")
def revoke(here: "Site", permit_id: str, as_json: bool) -> None:
    """Revoke a permit, from this instant."""
    from onshore.border import grants

    gone = grants.revoke(here, permit_id)
    if as_json:
        put({"revoked": permit_id, "on_their_way": gone})
        return
    say("revoked: nothing more leaves under it")
    for parcel in gone:
        say(f"  parcel {parcel} was on its way into the outbox already")


@permit.command()
@click.argument("permit_id", metavar="PERMIT", required=False)
@click.option("--scan", type=click.Path(path_type=Path, dir_okay=False), help="Write the scan of one on paper here.")
@at_site()
def show(here: "Site", permit_id: str | None, scan: Path | None, as_json: bool) -> None:
    """Show a permit as it was signed, with what was used of it; all of them without an id."""
    from onshore.border import grants
    from onshore.border.permits import scans

    if scan is not None and not permit_id:
        raise click.UsageError("--scan takes the PERMIT whose scan it is")
    for one in [permit_id] if permit_id else grants.listed(here):
        shown = grants.show(here, one)
        if scan is not None and shown.permit.scan:
            scan.write_bytes(scans.opened(here, shown.permit.scan))
        if as_json:
            said = {"used": shown.used, "rows": shown.rows, "revoked": shown.revoked, "signed_by": _signed_by(shown)}
            put({"permit": one, "note": shown.note} | said)
            continue
        click.echo(_line(one, shown))
        if permit_id:
            click.echo(f"{_words(shown)}\n\n{shown.note}", nl=False)


def _line(one: str, shown: Any) -> str:
    granted = shown.permit
    state = f"revoked {clock_text(shown.revoked)}" if shown.revoked else f"{granted.start} to {granted.until}"
    limit = counted(granted.persons, "person")
    from_paper = "  recorded from paper" if granted.scan else ""
    return f"{one}  {state}  {shown.used} of {limit}  {granted.purpose} -> {granted.recipient}{from_paper}"


def _signed_by(shown: Any) -> str:
    return "officer" if shown.permit.scan else "regulator"


def _words(shown: Any) -> str:
    granted = shown.permit
    if granted.scan:
        who = (
            f"NO REGULATOR SIGNED THIS: the officer '{granted.granted_by}' recorded it from paper number "
            f"{granted.number}, whose scan is {granted.scan}"
        )
    else:
        who = f"signed by the regulator '{granted.granted_by}'"
    rows = (
        f"{shown.rows} of {counted(granted.rows, 'row')}" if granted.rows else f"{counted(shown.rows, 'row')}, no cap"
    )
    signals = ", ".join(granted.signals) or "all of its categories"
    done = ", ".join(granted.transforms) or "nothing beyond pseudonyms"
    return f"  {who}\n  {rows}; by {granted.method}; signals: {signals}\n  done to the rows first: {done}"


def _tell(granted: "Permit", how: str, *, as_json: bool) -> None:
    if as_json:
        put({"permit": granted.id, "persons": granted.persons, "until": granted.until.isoformat()})
        return
    limit = f"at most {counted(granted.persons, 'person')}"
    say(f"{how}: {limit}, {granted.start} to {granted.until}, route {granted.route}")
    click.echo(granted.id)


def _text_of(note: Path) -> str:
    try:
        return note.read_bytes().decode()
    except UnicodeDecodeError:
        raise Malformed("it holds no text, so it is no permit", where=str(note)) from None


def _only_regulator(here: "Site") -> str:
    names = [name for name, person in here.settings.people.items() if person.role == "regulator"]
    if len(names) != 1:
        raise click.UsageError(f"say with --by which regulator is to sign: {', '.join(names) or 'site.toml has none'}")
    return names[0]


def _drafted(here: "Site", transfer_id: str, said: Limits, by: str) -> "Permit":
    from onshore.border import granting

    if not (said.persons and said.start and said.until):
        raise click.UsageError("a permit takes --persons, --from and --until")
    limits = granting.Limits(
        persons=said.persons,
        start=said.start.date(),
        until=said.until.date(),
        signals=said.signals,
        rows=said.rows,
        method=said.method,
        transforms=said.transforms,
    )
    return granting.drafted(here, transfer_id, limits, by)
