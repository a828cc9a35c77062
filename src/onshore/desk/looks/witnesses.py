"""Witnesses of the ledger: how far each cosigned and when, and whether the quorum stands."""

from collections.abc import Iterator

from onshore.site import Site
from onshore.words.instants import clock_text

_HOUR = 3600
"""Seconds after which a cosignature is old: by then every witness was asked many times."""


def looks(site: Site) -> Iterator[tuple[str, bool, str]]:
    """Each witness, how far it cosigned and when, or why not; bad where no quorum stands.

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
