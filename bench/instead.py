"""The gate beside what one would build instead, in one run: Mosquitto, a paho consumer, JSON, COPY into PostgreSQL.

What stands instead governs nothing: no certificate, no consent, no encryption. It is measured before and after the
gate, so that a neighbour who comes or goes shows; the ratios are to the better of the two.
"""

import os
import tempfile
from pathlib import Path

from bench import gate, mqtt
from bench._mqtt_instead import instead, mosquitto, postgres

SECONDS = 6.0
WAYS = (
    gate.Way("one frame to a packet, eight on their way", window=8),
    gate.Way("one frame to a packet, eight on their way, consented", window=8, consents=True),
    gate.Way("ten frames to a packet", window=2, burst=10),
)


def run() -> dict[str, float]:
    """Records a second of wall time, durable before they are acknowledged; and how many times as many as instead."""
    if not (mosquitto() and postgres()):
        return {}
    cores = os.sched_getaffinity(0)
    before = instead(SECONDS)
    with tempfile.TemporaryDirectory() as folder:
        sites = {asked: gate.made_site(Path(folder) / str(asked), asked) for asked in (False, True)}
        os.sched_setaffinity(0, {max(cores)})  # the sender has the other
        gb = {way.name: gate.on_loop(gate.kept(way, sites[way.consents])) for way in WAYS}
        os.sched_setaffinity(0, cores)
    with tempfile.TemporaryDirectory() as folder:
        ours = mqtt.through_the_door(Path(folder))["per_second"]
    after = instead(SECONDS)
    best = max(before, after)
    figures = {"records/s instead, before": before, "records/s instead, after": after}
    for name, said in gb.items():
        figures[f"frames/s over GB/T, {name}"] = said["per_second"]
        figures[f"times as many as instead: GB/T, {name}"] = said["per_second"] / best
    figures["messages/s over our MQTT door (TLS, consented), the same JSON"] = ours
    figures["times as many as instead: MQTT"] = ours / best
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{value:>14,.2f}  {name}")
