"""A car's policy as the configuration that Tesla's cloud takes for it (fleet_telemetry_config), for the maker to sign.

A field is asked for only where every signal that it gives may be sent. Conditions have no place there, so what they
would hold back comes, and is sieved like everything else.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from onshore.gate.fleet.signals import ALERT, ALERT_AUDIENCES, ALERT_ENDED, TARGETS, Target
from onshore.gate.fleet.tables import FIELDS

DOOR = "fleet"
ALERT_TYPES = ("customer", "service", "service_fix")
_STEP = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:e-[0-9]+)?", re.ASCII)


def configuration(policy: Mapping[str, Any], hostname: str, port: int, ca: str) -> dict[str, Any]:
    """The object `config` of fleet_telemetry_config: where to, which fields, how often, until when.

    `policy`: its fields (docs/policy.md). `ca`: PEM of who signed the gate's certificate. `interval_seconds` is never
    shorter than the policy's period, `minimum_delta` its precision in the field's own unit. `exp` is the policy's end,
    after which the car stops by itself.
    """
    lines = [line for line in policy["collect"] if line.get("door", DOOR) == DOOR]
    periods: dict[str, int] = {}
    steps: dict[str, str] = {}
    for line in sorted(lines, key=lambda line: -int(line["period_ms"])):
        periods |= dict.fromkeys(line["signals"], line["period_ms"])
        steps |= line["signals"]
    fields = {
        FIELDS[number]: _field(targets, periods, steps)
        for number, targets in TARGETS.items()
        if all(target.signal in periods for target in targets)
    }
    alerts = ALERT_TYPES if all(name in periods for name in (ALERT, ALERT_AUDIENCES, ALERT_ENDED)) else ()
    return {
        "hostname": hostname,
        "port": port,
        "ca": ca,
        "fields": fields,
        "alert_types": list(alerts),
        "prefer_typed": True,
        "delivery_policy": "latest",
        "exp": policy["until"] // 1000,
    }


def _field(targets: tuple[Target, ...], periods: Mapping[str, int], steps: Mapping[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {"interval_seconds": math.ceil(min(periods[t.signal] for t in targets) / 1000)}
    deltas = [delta for t in targets if t.plain and (delta := _number(steps[t.signal]) / t.factor)]
    return said | ({"minimum_delta": min(deltas)} if deltas else {})


def _number(step: str) -> float:
    """The number before a precision's unit, such as "0.1 km/h"; zero where nothing is said."""
    found = _STEP.match(step)
    return float(found[0]) if found else 0.0
