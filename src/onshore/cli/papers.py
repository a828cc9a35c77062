"""`onshore papers`: copy a site's papers out of their file into the database that its settings name."""

from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, json_option, put, say, site_option
from onshore.words.errors import Refusal


@click.group()
def papers() -> None:
    """The papers' database: copy them into PostgreSQL."""


@papers.command()
@site_option
@json_option
@answers_for_errors
def copy(site: Path, as_json: bool) -> None:
    """Copy papers.sqlite into the database of [papers] in site.toml, while nothing of the site runs.

    Every row is read back before it counts. The file stays: delete it once the site runs on the database, for it
    holds keys that are struck from the database later.
    """
    from onshore.site import open_papers_of, read_settings
    from onshore.vault.moving import copy_papers
    from onshore.vault.opening import alone, open_papers, sqlite_url

    settings, file = read_settings(site / "site.toml"), site / "papers.sqlite"
    if not settings.papers.url or not file.exists():
        raise Refusal(
            "nothing-to-copy",
            f"site.toml names no database in [papers], or there is no {file}",
            remedy="stop the site, write [papers] url into site.toml, and copy then",
        )
    with alone(site):
        found = copy_papers(open_papers(sqlite_url(file)), open_papers_of(settings, site, new=True))
    if as_json:
        put(found)
    say(f"copied {sum(found.values())} rows of {len(found)} tables, and read them back")
    say(f"start the site, see that 'onshore check' is content, and then delete {file} with what lies beside it")
