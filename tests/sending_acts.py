"""What is done to a parcel for a host in a process of its own, in small parts, killed before its k-th commit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import life_acts
from onshore.border import underway
from onshore.border.sending import destinations
from onshore.site import Site
from onshore.vault.lock import hold

PART = 4096


def do(act: str, folder: Path, now: int, asked: str, turn: int) -> None:
    """As `life_acts.do`; `take up` is what whoever ships next does first."""
    small()
    life_acts.ACTS["take up"] = lambda site, _: take_up(site)
    life_acts.do(act, folder, now, asked, turn)


def small() -> None:
    """Have parcels go in parts of a few KiB; settings allow MiB, and a test's parcel is smaller."""
    of = destinations.of
    destinations.of = lambda *said: of_small(of, *said)  # type: ignore[assignment]


def of_small(of: Callable[..., Any], *said: object) -> Any:
    """What `destinations.of` says, in small parts."""
    return replace(of(*said), part=PART)


def take_up(site: Site) -> None:
    """What a crash left is gone on with, unwound, or cut."""
    with hold(site.folder / "locks" / "border", "border"):
        underway.resume(site)
