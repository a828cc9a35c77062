"""The MQTT door and the bridge to a maker's broker, as the settings have them."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from onshore.cli.pressing import batches
from onshore.gate.intake import Intake
from onshore.gate.limits import Room
from onshore.gate.mqtt.client import Bridge, Cars
from onshore.gate.mqtt.known import Known, broker_of, finder, patterns_of
from onshore.gate.mqtt.server import Door, Limits
from onshore.register.certificates import Standing
from onshore.register.policies import Policies
from onshore.site import Site
from onshore.vault.lock import hold
from onshore.vault.watch import Watch
from onshore.words.errors import Refusal

_LOOK = 10  # ticks of the gate, each a tenth of a second


@dataclass
class Mqtt:
    """The door and what feeds it; either may be closed. `lock`: held by the one gate process that runs the bridge."""

    door: Door
    bridge: Bridge | None = None
    lock: Path | None = None
    _held: ExitStack = field(default_factory=ExitStack)
    _runs: bool = False
    _ticks: int = 0

    def start(self) -> None:
        """Run the bridge, unless another gate process of the site does; asked again, take it over once that is gone."""
        if self.bridge is None or self._runs:
            return
        try:
            if self.lock is not None:
                self._held.enter_context(hold(self.lock, "bridge"))
        except Refusal:
            return
        self._runs = True
        self.bridge.start()

    def flush(self) -> None:
        """Keep what waits; at every tenth tick of the gate, see what else there is to do."""
        self.door.flush()
        self._ticks += 1
        if self._ticks % _LOOK == 0:
            self.look()

    def look(self) -> None:
        """Send new policies down, see whether the broker is there, ask a register that changed about its cars again."""
        self.door.look()
        self.start()
        if self.bridge is not None:
            self.bridge.look()

    def press(self, held: str) -> None:
        """Take nothing in for now, or go on; the bridge sees it at its next look."""
        self.door.press(held)

    def recheck(self) -> None:
        """End the connections of those who may no longer be here."""
        self.door.recheck()

    async def stop(self, *servers: asyncio.Server) -> None:
        """Accept nothing more, keep and answer what waits, close every connection."""
        self.door.flush()
        with self._held:
            if self.bridge is not None:
                await self.bridge.stop()
        await self.door.stop(*servers)


def mqtt_of(
    site: Site, intake: Intake, room: Room, standing: Standing, policies: Policies, *, key: bytes, heard: bytes
) -> Mqtt:
    """The door, not yet listening, and the bridge, not yet started, where the settings have one.

    `heard`: the digests, by the site's `key`, of what was kept before the gate was started.
    """
    settings = site.settings.gate
    limits = Limits(**batches(settings), rate=settings.rate)
    known = Known(standing, policies)
    door = Door(known, intake.take_in, site.clock, site.catalogue, limits, shared=room, key=key, heard=heard)
    if settings.mqtt_bridge is None:
        return Mqtt(door)
    held, watch = ExitStack(), Watch(site.engine)
    held.callback(watch.close)
    cars = Cars(finder(site, intake.look_up), watch.changed)
    bridge = Bridge(door, broker_of(site, settings.mqtt_bridge), patterns_of(settings.mqtt_bridge), cars)
    return Mqtt(door, bridge, site.folder / "locks" / "bridge", held)
