"""Witnesses of this site's ledger: asked while it runs, told of by `onshore check`."""

import threading
from collections.abc import Callable, Iterator

from onshore.cli.common import clock_text, say
from onshore.cli.told import Told, text
from onshore.ledger.log import Log
from onshore.site import Site
from onshore.words.errors import OnshoreError

_HOUR = 3600
"""Seconds after which a cosignature is old: by then every witness was asked many times."""


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


def looks(site: Site) -> Iterator[tuple[str, bool, str]]:
    """For `onshore check`: each witness, how far it cosigned and when, or why not; bad where no quorum stands.

    In capital letters: one that saw another history of this ledger. Onshore that was put back from a copy, or whoever
    altered it, is told apart from a witness that is merely away.
    """
    if site.witnesses is None:
        yield "witnesses", True, "none are asked for ([witnesses] names no policy)"
        return
    policy, now = site.witnesses.policy, site.clock() // 1000
    fresh = []
    for one in site.witnesses.standings():
        where = site.witnesses.places[one.name]
        cosigned = f"{one.size} entries cosigned {clock_text(one.at * 1000)}" if one.at else "nothing cosigned yet"
        recent = not one.trouble and now - one.at <= _HOUR
        fresh += [policy.witnesses[one.name]] if recent else []
        says = f"{one.name} ({where.host}, {where.jurisdiction}): {cosigned}"
        yield "witness", not one.refuses, f"{says}; {one.trouble}" if one.trouble else says
    met = policy.met_by(fresh)
    says = f"the quorum '{policy.quorum}' is {'reached' if met else 'NOT reached: nothing can leave'}"
    yield "witnesses", met, says
