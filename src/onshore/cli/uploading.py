"""The door upload, as the settings have it: one gate process of a site opens it, for it holds what is on its way."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass

from onshore.gate.intake import Intake
from onshore.gate.limits import Room
from onshore.gate.upload.known import Known
from onshore.gate.upload.server import Door, Limits
from onshore.register.certificates import Standing
from onshore.register.policies import Policies
from onshore.site import Site
from onshore.vault.lock import hold
from onshore.words.errors import Refusal


@dataclass
class Uploading:
    """The door, and the lock that says that no other process of the site has it."""

    door: Door
    held: ExitStack

    def flush(self) -> None:
        """Keep what waits."""
        self.door.flush()

    def press(self, held: str) -> None:
        """Take nothing in for now, or go on."""
        self.door.press(held)

    def recheck(self) -> None:
        """End the connections of those who may no longer be here."""
        self.door.recheck()

    async def stop(self, *servers: asyncio.Server) -> None:
        """Close the door, then let another process have it."""
        with self.held:
            await self.door.stop(*servers)


def uploading(
    site: Site, intake: Intake, room: Room, standing: Standing, policies: Policies, *, shared: bool
) -> Uploading | None:
    """The door; None where another of several gate processes (`shared`) has it already."""
    held = ExitStack()
    try:
        held.enter_context(hold(site.folder / "locks" / "upload", "upload"))
    except Refusal:
        if shared:
            return None
        raise
    settings = site.settings.gate.uploads
    limits = Limits(
        most=settings.most,
        unpacked=settings.unpacked,
        rows=settings.rows,
        day=settings.day,
        begins=settings.begins,
        days=settings.days,
    )
    known = Known(site, standing, policies)
    return Uploading(Door(known, intake.take_in, site.clock, limits, shared=room), held)
