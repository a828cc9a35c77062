"""`onshore keys`: which keys stand over which, what is lost with each, and rotating them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import answers_for_errors, at_site, clock_text, iso, json_option, put, say, site_option
from onshore.words.errors import OnshoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from onshore.site import Site
    from onshore.vault.losses import Under
    from onshore.vault.wrapping import WrappingKey

_DAY = 86_400_000
_DONE = "every key is under it, and those before it are destroyed"
_LATER = "whoever keeps the site goes on with it, and destroys those once nobody is in the way"


@click.group()
def keys() -> None:
    """The root key, the wrapping keys, and what is under each: show, rotate."""


@keys.command()
@site_option
@json_option
@answers_for_errors
def show(site: Path, as_json: bool) -> None:
    """Provider, fingerprint, wrapping keys by month, and what would be lost with each; works without the root key."""
    from onshore.site import now_ms, open_papers_of, read_settings
    from onshore.vault.losses import under_all, under_key, under_root
    from onshore.vault.papers import reading
    from onshore.vault.wrapping import wrapping_keys_in

    settings = read_settings(site / "site.toml")
    with reading(open_papers_of(settings, site)) as conn:
        known = wrapping_keys_in(conn)
        told = {
            "provider": settings.keys.provider,
            "backup_days": settings.keys.backup_days,
            "root": known[-1].root if known else None,
            "opens": _opens(site, known, conn),
            "wrapping": [_shown(key, under_key(conn, key.id), now_ms()) for key in known],
            "by_root": _lost(under_root(conn)),
            "all": _lost(under_all(conn)),
        }
        words = [(key, under_key(conn, key.id).told()) for key in known]
        direct, whole = under_root(conn), under_all(conn)
    if as_json:
        put(told)
        return
    click.echo(f"root     {told['root'] or 'none yet'}, provider {told['provider']}: {told['opens'] or 'opens'}")
    click.echo(f"  lost with it: {whole.told()}")
    for key, lost in words:
        click.echo(f"wrapping {key.id} of {key.month}, made {clock_text(key.made)}, {_state(key)}")
        click.echo(f"  lost with it: {lost}")
    if direct.keys:
        click.echo(f"by the root itself: {direct.told()}; they are re-wrapped by whoever keeps the site")


def _opens(site: Path, known: "list[WrappingKey]", conn: "Connection") -> str:
    """Why the root does not open, empty where it does."""
    import secrets

    from onshore.site import now_ms, read_settings
    from onshore.vault.roots.places import Roots
    from onshore.vault.wrapping import Keyring

    try:
        roots = Roots(site, lambda: read_settings(site / "site.toml").keys, secrets.token_bytes)
        root = roots.find(known[-1].root) if known else roots.first()
        ring = Keyring(conn.engine, roots, root, read_settings(site / "site.toml").site.id, now_ms, secrets.token_bytes)
        for key in known:
            if key.struck is None:
                ring.open(conn, key)
    except OnshoreError as why:
        return str(why)
    return ""


def _state(key: "WrappingKey") -> str:
    copies = "" if key.until is None else f", copies of it end {clock_text(key.until)}"
    if key.struck is not None:
        return f"destroyed {clock_text(key.struck)}, its bytes not yet forgotten{copies}"
    if key.retired is not None:
        return f"retired {clock_text(key.retired)}, what is under it is being re-wrapped{copies}"
    return f"current{copies}"


def _shown(key: "WrappingKey", under: "Under", now: int) -> dict[str, Any]:
    ages = {name: iso(getattr(key, name)) for name in ("made", "retired", "struck", "until")}
    about = {"id": key.id, "month": key.month, "root": key.root, **ages, "age_days": (now - key.made) // _DAY}
    return about | _lost(under)


def _lost(under: "Under") -> dict[str, Any]:
    return {"keys": under.keys, **vars(under)}


@keys.command()
@click.option("--root", is_flag=True, help="Make a new root key too, where [keys] of site.toml wishes for it.")
@at_site("operator", default="operator")
def rotate(here: "Site", root: bool, as_json: bool) -> None:
    """Make a new wrapping key, wrap every other key by it, destroy the old one; no segment is rewritten."""
    from onshore.cli.key_rounds import new_root, round_of, telling
    from onshore.vault.keeping import suppress_taken
    from onshore.vault.patience import looks
    from onshore.vault.rotation import ended, left
    from onshore.vault.rotation import rotate as begin

    if root:
        new_root(here)
        say(f"the root key is now {here.root.root.fingerprint}: keep a copy of it elsewhere, never beside a backup")
    key = begin(here.root, telling(here), here.settings.keys.backup_days)
    for _ in looks():
        with suppress_taken():
            round_of(here)
        if ended(here.root):
            break
    here.settle()
    rest, done = left(here.root), ended(here.root)
    if as_json:
        put({"root": here.root.root.fingerprint, "wrapping": key.id, "month": key.month, "left": rest, "done": done})
    say(f"wrapping key {key.id} of {key.month}: " + (_DONE if done else f"{rest} keys are under others; {_LATER}"))
