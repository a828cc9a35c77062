"""What tests of backups are made with: a site that may be backed up, the backup, and the site that comes of it."""

import os

from databases import papers_url
from onshore.cli.backing_up import back_up
from onshore.cli.key_rounds import round_of
from onshore.cli.restoring import Asked, restore
from onshore.site import open_site

DAYS = 9


def kept(hands):
    """The same site, with leave to copy its keys."""
    with (hands.site.folder / "site.toml").open("a") as file:
        file.write(f"\n[keys]\nbackup_days = {DAYS}\n")
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    round_of(hands.site)
    return hands


def backed_up(hands, **more):
    """A backup of now, in the folder `backup` beside the site; what was made."""
    hands.now += 1000
    return back_up(hands.site, hands.site.folder.parent / "backup", **more)


def asked(hands, name="new", **more):
    """What is asked of a restore, unless a test says otherwise: the old disk's ledger, papers in a new place."""
    there = hands.site.folder.parent
    said = {"folder": there / "backup", "ledger": hands.site.folder / "ledger"}
    said |= {"root_key": hands.site.folder / "keys" / "root.key"}
    url = papers_url(there / name)
    said |= {"newest": True} | ({"papers": url} if url else {})
    return Asked(target=there / name, **(said | more))


def restored(hands, name="new", *, step=lambda _step: None, **more):
    """The site restored beside the old one, opened, and what was told of it."""
    hands.now += 1000
    what = asked(hands, name, **more)
    done = restore(what, clock=lambda: hands.now, randomness=os.urandom, step=step)
    return open_site(what.target, clock=lambda: hands.now), done
