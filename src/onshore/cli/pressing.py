"""What the gate asks of the disk: how batches are bounded, how much stays free, and who is told when it does not."""

import logging
from functools import partial
from typing import TypedDict

from sqlalchemy.exc import DBAPIError

from onshore.gate.pressure import Pressure
from onshore.site import Site
from onshore.vault.journal import Journal
from onshore.vault.space import free_bytes, note_held
from onshore.words.settings_gate import Gate

log = logging.getLogger(__name__)


class Batches(TypedDict):
    """How large a batch may become, and how old (milliseconds)."""

    batch_frames: int
    batch_bytes: int
    batch_ms: int


def batches(settings: Gate) -> Batches:
    """What the settings say of batches, for a door's limits."""
    return {
        "batch_frames": settings.batch_frames,
        "batch_bytes": settings.batch_bytes,
        "batch_ms": settings.batch_ms,
    }


def pressure_of(site: Site, journal: Journal) -> Pressure:
    """Whether the disk under the vault has room and keeps up with a gate's journal, as the settings ask."""
    settings = site.settings.vault
    return Pressure(
        partial(free_bytes, site.vault),
        lambda: journal.synced,
        partial(_tell, site, journal.gate),
        least=settings.least_free,
        slow=settings.slow_ms / 1000,
    )


def _tell(site: Site, gate: str, why: str) -> None:
    """One line as it begins and one as it ends, and a note for `onshore check`, where the papers still take one."""
    least, slow = site.settings.vault.least_free >> 20, site.settings.vault.slow_ms
    log.warning("gate %s %s", gate, {
        "full": f"takes nothing in: less than {least} MiB of the disk are free; what cars send stays with them until "
        "there is more room (settings: [vault] least_free); reading, erasing and draining go on",
        "slow": f"rests between batches: the disk took longer than {slow} ms to sync; what cars send stays with them",
        "": "takes in again",
    }[why])  # fmt: skip
    try:
        note_held(site.engine, gate, why, site.clock())
    except (OSError, DBAPIError) as failed:
        log.warning("gate %s: the papers took no note of it: %s", gate, type(failed).__name__)
