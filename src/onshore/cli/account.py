"""`onshore account`: who may sign in at the desk."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from onshore.cli.common import SEERS, at_site, clock_text, iso, missing_desk, person_id, put, say
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.site import Site
    from onshore.words.settings import Role

_password_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Whose first line is the password; without it, it is asked for.",
)


@click.group()
def account() -> None:
    """Who may sign in at the desk: accounts of this site, each act on one in its ledger."""
    if missing := missing_desk():
        raise click.ClickException(f"accounts need {missing}: pip install 'onshore[desk]'")


@account.command()
@click.argument("name")
@click.option("--role", type=click.Choice(SEERS), required=True, help="What they may see and do.")
@click.option("--person", metavar="ID", help="Of an owner: the person, by 16 hex digits ('onshore vehicle show').")
@click.option("--sits", default="", metavar="CODE", help="The jurisdiction they look from, where site.toml has none.")
@click.option("--employer", default="", metavar="NAME", help="For whom they work: of [recipients], or anybody.")
@click.option("--code", is_flag=True, help="Ask for a second factor too (RFC 6238).")
@_password_option
@at_site()
def add(
    here: "Site",
    name: str,
    role: "Role",
    person: str | None,
    sits: str,
    employer: str,
    code: bool,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Have somebody be able to sign in. NAME: of site.toml for whoever acts under it; an owner's is any."""
    from onshore.register import accounts

    password = _password(password_file)
    made = accounts.add(here, name, role, password, person=person_id(person), sits=sits, employer=employer)
    shown = accounts.ask_for_codes(here, name) if code else None
    if as_json:
        put({"id": made.id, "name": made.name, "role": made.role, "code": shown})
    say(f"'{name}' signs in as {role}")
    if shown and not as_json:
        _tell_code(shown)


@account.command(name="list")
@at_site()
def list_(here: "Site", as_json: bool) -> None:
    """Who may sign in, and who may no more."""
    from onshore.register import accounts

    found = accounts.listed(here)
    if as_json:
        put(
            [
                {
                    "id": one.id,
                    "name": one.name,
                    "role": one.role,
                    "person": None if one.person is None else f"{one.person:016x}",
                    "sits": one.sits,
                    "employer": one.employer,
                    "code": one.coded,
                    "added": iso(one.added),
                    "disabled": iso(one.disabled),
                }
                for one in found
            ]
        )
        return
    for one in found:
        code = "with a code" if one.coded else "without a code"
        ended = f", disabled {clock_text(one.disabled)}" if one.disabled else ""
        click.echo(f"{one.name}  {one.role}, {code}, added {clock_text(one.added)}{ended}")


@account.command()
@click.argument("name")
@at_site()
def disable(here: "Site", name: str) -> None:
    """Have NAME sign in no more, and end where they are signed in."""
    from onshore.register import accounts

    accounts.disable(here, name)
    say(f"'{name}' signs in no more")


@account.command()
@click.argument("name")
@_password_option
@at_site()
def password(here: "Site", name: str, password_file: Path | None) -> None:
    """Give NAME another password; whoever is signed in with it signs in anew, and a lock ends."""
    from onshore.register import accounts

    accounts.find(here, name)
    accounts.change_password(here, name, _password(password_file))
    say(f"'{name}' has another password")


@account.command()
@click.argument("name")
@at_site()
def code(here: "Site", name: str, as_json: bool) -> None:
    """Have NAME sign in with a second factor, or with another one."""
    from onshore.register import accounts

    shown = accounts.ask_for_codes(here, name)
    if as_json:
        put({"name": name, "code": shown})
    else:
        _tell_code(shown)


def _tell_code(shown: str) -> None:
    click.echo(shown)
    say("that goes into an authenticator app, as it is or as a QR code; it is not shown again")


def _password(file: Path | None) -> str:
    if file is None:
        return str(click.prompt("password", hide_input=True, confirmation_prompt=True, err=True))
    lines = file.read_text("utf-8").splitlines()
    if not lines:
        raise Malformed("the file holds no password", where=str(file))
    return lines[0]
