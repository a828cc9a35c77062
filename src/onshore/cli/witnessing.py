"""Witnesses of this site's ledger: asked while it runs."""

import threading
from collections.abc import Callable

from onshore.cli.common import say
from onshore.cli.told import Told, text
from onshore.ledger.log import Log
from onshore.site import Site
from onshore.words.errors import OnshoreError


def ask(site: Site, stop: threading.Event, tell: Callable[[str], None] = say) -> None:
    """Have each new checkpoint cosigned, now and then, until told to stop; what fails is told once, and tried again.

    A thread of its own: nothing that keeps the site waits for a witness, and nothing of it depends on one.
    """
    told = Told()
    while not stop.is_set():
        try:
            trouble = _round(site)
            told.well("round")
        except (OnshoreError, OSError) as error:
            if told.is_new("round", error):
                tell(f"witnesses: {text(error)}; tried again until it works")
            trouble = {}
        for name, says in trouble.items():
            if told.is_new(name, OSError(says)):
                tell(f"witness {name}: {says}; tried again until it cosigns")
        stop.wait(site.settings.witnesses.every_seconds)


def _round(site: Site) -> dict[str, str]:
    """One round; the witnesses that did not cosign, and why."""
    if site.witnesses is None or not latest(site)[0].checkpoint:
        return {}
    return dict(site.witnesses.gather(lambda: latest(site)).missing)


def latest(site: Site) -> tuple[Log, int]:
    """The present log, opened anew, and the number of its first entry."""
    site.__dict__.pop("ledger", None)
    return site.ledger.log, 0
