"""Topics: what a car may publish and subscribe to, and where in a maker's topics its cars are named."""

import re
from dataclasses import dataclass

from onshore.words.errors import Malformed

TELEMETRY, ALERTS, CHECK_IN, POLICY = "t", "a", "c", "p"
UP = (TELEMETRY, ALERTS, CHECK_IN)
"""What a car publishes; its policy alone comes down."""

_ID = re.compile("[0-9a-f]{16}")


def name_of(vehicle: int) -> str:
    """A vehicle's id as topics and certificates have it."""
    return f"{vehicle:016x}"


def topic(vehicle: int, kind: str) -> str:
    """A vehicle's own topic of a kind."""
    return f"v1/{name_of(vehicle)}/{kind}"


def is_name(text: str) -> bool:
    """Whether it could be a vehicle's id."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Pattern:
    """A maker's topic with `{vin}` or `{vehicle}` (its id in 16 hex digits) as one level; `kind` of its messages."""

    before: str
    after: str
    by_vin: bool
    kind: str

    @property
    def filter(self) -> str:
        """What a client subscribes to."""
        return f"{self.before}+{self.after}"

    def named(self, found: str) -> str | None:
        """The name in a message's topic; None where the topic is another."""
        end = len(found) - len(self.after)
        if end <= len(self.before) or not (found.startswith(self.before) and found.endswith(self.after)):
            return None
        name = found[len(self.before) : end]
        return None if "/" in name else name


def pattern(text: str, kind: str) -> Pattern:
    """Read a pattern such as `fleet/{vin}/telemetry`; Malformed where no whole level names the car, or two do."""
    levels = text.split("/")
    marks = [level for level in levels if level in {"{vin}", "{vehicle}"}]
    others = [level for level in levels if level not in marks]
    if len(marks) != 1 or any(set(level) & set("{}+#\0") for level in others):
        says = "a topic names the car in one level, {vin} or {vehicle}, and has no wildcard"
        raise Malformed(says, where="site.toml, gate.mqtt_bridge.topics")
    before, after = text.split(marks[0])
    return Pattern(before, after, marks[0] == "{vin}", kind)
