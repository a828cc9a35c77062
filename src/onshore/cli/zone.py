"""`onshore zone`: where no pictures and no tracks are kept, whatever was allowed."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import at_site, clock_text, put, say

if TYPE_CHECKING:
    from onshore.site import Site

_MOST = 32 << 20  # bytes of a file; the parser has its own limit


@click.group()
def zone() -> None:
    """Restricted zones: import, list, remove."""


@zone.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--source", required=True, help="Whose list it is, and of when.")
@click.option("--kind", type=click.Choice(["military", "government"]), required=True)
@click.option("--datum", type=click.Choice(["WGS-84", "GCJ-02"]), required=True, help="What its coordinates are in.")
@click.option("--margin", type=click.IntRange(min=0), required=True, metavar="METRES", help="Kept clear around it.")
@click.option("--name", help="What to call the list; by default the file's name.")
@at_site("officer")
def import_(
    here: "Site",
    file: Path,
    source: str,
    kind: str,
    datum: str,
    margin: int,
    name: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """Import the zones of FILE (GeoJSON); they hold from now on for every batch that arrives."""
    from onshore.register import zones

    origin = zones.Origin(name or file.name, source, kind, datum, margin)
    done = zones.put_on_file(here, _text(file), origin, actor)
    _told(here, done, f"imported: {done.paper['features']} zones, {margin} m around each", as_json=as_json)


@zone.command("list")
@at_site()
def list_(here: "Site", as_json: bool) -> None:
    """List what was imported and removed, with sources; no coordinate is shown."""
    from onshore.register import zones

    rows = [
        {
            "zone": one.id,
            "name": one.origin.name,
            "kind": one.origin.kind,
            "source": one.origin.source,
            "datum": one.origin.datum,
            "margin_m": one.origin.margin,
            "features": one.features,
            "sha256": one.sha256,
            "imported": clock_text(one.imported),
            "by": one.imported_by,
            "removed": clock_text(one.removed),
        }
        for one in zones.listed(here)
    ]
    if as_json:
        put(rows)
    for row in () if as_json else rows:
        state = "stands" if row["removed"] == "-" else f"removed {row['removed']}"
        click.echo(
            f"{row['zone']}  {row['kind']:11}{row['features']:>6} zones  {row['datum']} + {row['margin_m']} m  "
            f"{row['imported']}  {state}  {row['name']} ({row['source']})"
        )
    if not rows:
        say("no zones were ever imported: nothing is withheld for where it was recorded")


@zone.command()
@click.argument("zone_id", metavar="ID")
@at_site("officer")
def remove(here: "Site", zone_id: str, as_json: bool) -> None:
    """Remove a list of zones, from this instant; what arrived before stays withheld."""
    from onshore.register import zones

    _told(here, zones.remove(here, zone_id), "removed", as_json=as_json)


def _text(file: Path) -> str:
    from onshore.words.errors import Malformed

    if file.stat().st_size > _MOST:
        raise Malformed(f"more than {_MOST} bytes; import it in parts", where=file.name)
    try:
        return file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8", where=file.name) from None


def _told(here: Any, done: Any, what: str, *, as_json: bool) -> None:
    proof = here.proof(done.entry)
    if as_json:
        put({"zone": done.id, "paper": done.paper, "proof": proof})
        return
    say(f"{what}; in the ledger as entry {proof.splitlines()[2]}")
    click.echo(done.id)
