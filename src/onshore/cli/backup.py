"""`onshore backup` and `onshore restore`: a copy of a site while it runs, and a site out of it."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import answers_for_errors, at_site, clock_text, iso, json_option, put, say, site_option

if TYPE_CHECKING:
    from onshore.site import Site

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--look", is_flag=True, help="Read what is there too, and copy anew what is no longer what it was.")
@at_site("operator", default="operator")
def backup(here: "Site", folder: Path, look: bool, as_json: bool) -> None:
    """Copy the site into DIR while it runs, or bring the copy there up to date; never the root key."""
    from onshore.cli.backing_up import back_up

    made = back_up(here, folder, look=look)
    stands = made.manifest
    if as_json:
        said = {"at": iso(stands.at), "until": iso(stands.until), "manifest": made.digest, "segments": stands.segments}
        put(said | {"rows": stands.rows, "files_new": made.files, "bytes_new": made.bytes})
    say(f"backed up: {stands.told()}, as of {clock_text(stands.at)}; {made.files} files were new, {made.bytes} bytes")
    part = folder / "keys" / f"{stands.wrapping}.json"
    say(f"its key part, {part}, ends at {clock_text(stands.until)}: destroy every copy of it then")


@click.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--ledger", type=_FOLDER, help="The ledger as it stood last: the old disk's, or a mirror of it.")
@click.option("--recall", type=_FOLDER, help="The folder 'recall' of that time, unless it lies beside the ledger.")
@click.option("--since", type=_FILE, help="A checkpoint seen elsewhere (a witness, a receipt), which it must extend.")
@click.option("--newest", is_flag=True, help="You state that there is no newer ledger, where nothing shows it.")
@click.option("--root-key", type=_FILE, help="A copy of the root key, unless that is in a token.")
@click.option("--pin", type=_FILE, help="The token's PIN, where the settings have that in the site's folder.")
@click.option("--key-part", type=_FILE, help="The backup's key part, unless it lies in DIR.")
@click.option("--papers", metavar="URL", help="Another database for the papers; '' for a file of the folder.")
@click.option("--papers-password", type=_FILE, help="Whose first line is that database's password.")
@site_option
@json_option
@answers_for_errors
def restore(folder: Path, site: Path, as_json: bool, **said: Any) -> None:
    """Restore DIR into the empty folder --site, with all that was erased, restricted or withdrawn since."""
    from onshore.cli.restoring import Asked, restore
    from onshore.site import now_ms

    asked = Asked(folder, site, password=said.pop("papers_password"), **said)
    done = restore(asked, clock=now_ms, randomness=secrets.token_bytes)
    if as_json:
        put({"site": str(site), "at": iso(done.at), "recalled": done.recalled, "erased": done.erased})
    say(f"restored as of {clock_text(done.at)} into {site}; {done.recalled} things decided since were done again")
    say(f"{done.erased} erasures were carried out anew; the ledger goes on, with {done.entries} entries")
    say(
        "what happened after the last entry of that ledger nobody knows here: see docs/backup.md for what is asked anew"
    )
