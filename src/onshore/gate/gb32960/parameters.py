"""Parameters (80, 81) and terminal controls (82): what a platform asks of a car. Read here; no control is ever sent."""

from onshore.gate.gb32960.reading import Data, Reader
from onshore.words.errors import Malformed

PARAMETERS = {
    0x01: ("local_store_period_ms", 2),
    0x02: ("report_period_s", 2),
    0x03: ("alarm_report_period_ms", 2),
    0x04: ("platform_domain_length", 1),
    0x05: ("platform_domain", 0),
    0x06: ("platform_port", 2),
    0x07: ("hardware_version", 5),
    0x08: ("firmware_version", 5),
    0x09: ("heartbeat_s", 1),
    0x0A: ("terminal_timeout_s", 2),
    0x0B: ("platform_timeout_s", 2),
    0x0C: ("login_retry_min", 1),
    0x0D: ("public_platform_domain_length", 1),
    0x0E: ("public_platform_domain", 0),
    0x0F: ("public_platform_port", 2),
    0x10: ("sampling", 1),
}
"""Name and bytes by identifier (2016); 0: as many as the parameter before it says. Texts are 05, 07, 08 and 0E."""

PARAMETERS_2025 = PARAMETERS | {0x02: ("report_period_s", 1), 0x03: ("alarm_report_period_s", 1)}
TEXTS = frozenset((0x05, 0x07, 0x08, 0x0E))
CONTROLS = {
    1: "upgrade",
    2: "shutdown",
    3: "reset",
    4: "factory_reset",
    5: "disconnect",
    6: "alarm",
    7: "start_sampling",
}

Known = dict[int, tuple[str, int]]


def query(read: Reader) -> Data:
    """The identifiers that are asked for."""
    data = {"time": read.time()}
    return {**data, "ids": list(read.take(read.number(1)))}


def setting(read: Reader, known: Known) -> Data:
    """Parameters by name; Malformed from one on whose length nobody knows."""
    data = {"time": read.time()}
    said: Data = {}
    length = 0
    for _ in range(read.number(1)):
        kind = read.number(1)
        if kind not in known:
            raise Malformed(f"unknown parameter 0x{kind:02x}")
        name, size = known[kind]
        value = read.take(size or length)
        length = 0
        if kind in TEXTS:
            said[name] = value.rstrip(b"\0").decode("ascii", "backslashreplace")
        else:
            said[name] = length = int.from_bytes(value, "big")
    return {**data, "parameters": said}


def control(read: Reader) -> Data:
    """A terminal control, its parameters as sent: it is for the car, and this platform sends none."""
    data = {"time": read.time()}
    kind = read.number(1)
    return {**data, "control": CONTROLS.get(kind, kind), "parameters": read.all().hex()}
