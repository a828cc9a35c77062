"""`onshore check`: what must be well at a site, one line each."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy.exc import SQLAlchemyError

from onshore.cli.common import answers_for_errors, json_option, put, site_option
from onshore.words.errors import OnshoreError

if TYPE_CHECKING:
    from onshore.site import Site

_EARLIEST = 1_735_689_600  # 2025-01-01: a clock before it was never set

Line = tuple[str, bool, str]


@click.command()
@click.option("--deep", is_flag=True, help="Also recompute the whole ledger and open every segment.")
@site_option
@json_option
@answers_for_errors
def check(deep: bool, site: Path, as_json: bool) -> None:
    """Look at settings, keys, clock, disk, rule pack and ledger; exit 1 if any is bad."""
    lines = list(_looks(site, deep=deep))
    if as_json:
        put([{"what": what, "good": good, "says": says} for what, good, says in lines])
    for what, good, says in () if as_json else lines:
        click.echo(f"{'good' if good else 'BAD ':5}{what:9} {says}")
    raise SystemExit(0 if all(good for _, good, _ in lines) else 1)


def _looks(folder: Path, *, deep: bool) -> Iterator[Line]:
    from onshore.desk.looks.status import looks
    from onshore.site import open_site

    if time.time() <= _EARLIEST:
        yield "clock", False, "was never set"
    rotten = list(_rot(folder)) if deep else []  # before anything of it is opened
    yield from rotten
    if any(says.startswith("papers.sqlite: it is missing") for _, _, says in rotten):
        return  # to open it would be to begin another
    try:
        site = open_site(folder)
    except (OnshoreError, SQLAlchemyError) as error:
        lost = "the papers do not open: papers.sqlite, or the database that [papers] names; restore it from a backup"
        yield "settings", False, str(error) if isinstance(error, OnshoreError) else lost
        return
    yield "settings", True, f"{folder / 'site.toml'} is read"
    yield from looks(site, deep=deep)
    if deep:
        yield from _deep(site)


def _rot(folder: Path) -> Iterator[Line]:
    """Files which are not what was sealed, as far as one can tell of a site that need not open."""
    from onshore.vault import seal

    papers = folder / seal.PAPERS
    if seal.covers(folder, seal.PAPERS) and not (papers.exists() and papers.stat().st_size):
        yield "damage", False, f"{seal.PAPERS}: it is missing or empty; restore it from a backup"
        return
    for name, wrong in seal.broken(folder, None):
        yield "damage", False, f"{name}: {wrong}"


def _deep(site: "Site") -> Iterator[Line]:
    from onshore.cli import deep
    from onshore.vault.papers import reading
    from onshore.vault.segments import segments_where

    found = list(deep.damage(site))
    for name, wrong in found:
        yield "damage", False, f"{name}: {wrong}"
    if not found:
        with reading(site.engine) as conn:
            count = len(segments_where(conn))
        yield "deep", True, f"every file is what it should be: {count} segments open, the whole log holds"
