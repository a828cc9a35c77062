"""The MQTT door from TLS to fsync to PUBACK; beside it Mosquitto, a paho consumer and COPY, for the same JSON."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from bench._mqtt_cars import message
from bench._mqtt_instead import instead, mosquitto, postgres
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from onshore.cli.doors import doors
from onshore.cli.init import make_site
from onshore.cli.simulate import test_vins
from onshore.gate.mqtt.decode import decode
from onshore.gate.mqtt.shapes import Shapes
from onshore.register import authority, certificates, vehicles
from onshore.register.consents import Wish, give
from onshore.site import Site, open_site, read_catalogue

CARS, SECONDS, WINDOW = 50, 6.0, 100
WISH = Wish(("trip-history",), ("track", "vehicle-operation", "driving-behaviour"), "2026-11", separate=True)


def run() -> dict[str, float]:
    """Records a second: decoded on a core; kept and acknowledged by the door; and by what one would build instead."""
    with tempfile.TemporaryDirectory() as folder:
        here = through_the_door(Path(folder))
    figures = {
        "messages/s decoded of a core, 96 cell voltages, batches of 1,000": _decoded(),
        "messages/s kept and acknowledged over TLS, all signals consented": here["per_second"],
        "messages/s of the gate's CPU": here["per_core"],
        "bytes of a message": float(sum(map(len, message(1))) + 13),
    }
    if mosquitto() and postgres():
        other = instead(SECONDS)
        figures["messages/s instead: Mosquitto (no TLS), paho, JSON, COPY into PostgreSQL"] = other
        figures["times as many as that"] = here["per_second"] / other
    return figures


def _decoded() -> float:
    shapes, count = Shapes(read_catalogue()), 1000
    messages = [
        b"%b%d%b" % (before, 1_790_000_000_000 + n, after) for n in range(count) for before, after in [message(n)]
    ]
    cars = [n % 50 for n in range(count)]
    decode(messages, cars, 0, shapes)
    begun = time.process_time()
    for _ in range(20):
        assert decode(messages, cars, 0, shapes).batch.num_rows == count
    return 20 * count / (time.process_time() - begun)


def through_the_door(folder: Path) -> dict[str, float]:
    make_site(folder / "site", "CN", "bench")
    toml = folder / "site" / "site.toml"
    toml.write_text(toml.read_text().replace("gb32960 = 32960", "mqtt = 0"))
    site = open_site(folder / "site")
    for number, vin in enumerate(test_vins(CARS)):
        vehicles.add(site, vin.decode())
        car = vehicles.find(site, vin.decode())
        give(site, car, WISH)
        _certified(site, car.id, folder / str(number))
    (folder / "ca.pem").write_bytes(b"".join(authority.pem(one.certificate) for one in authority.trusted(site)))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_driven(site, folder))


def _certified(site: Site, car: int, stem: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256())
    stem.with_suffix(".pem").write_bytes(
        certificates.certify(site, car, csr.public_bytes(serialization.Encoding.DER)).chain
    )
    plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    stem.with_suffix(".key").write_bytes(key.private_bytes(*plain))
    stem.with_suffix(".topic").write_text(f"v1/{car:016x}/t")


async def _driven(site: Site, folder: Path) -> dict[str, float]:
    async with doors(site) as ports:
        command = [sys.executable, "-m", "bench._mqtt_cars", str(ports["mqtt"]), str(CARS), str(SECONDS), str(WINDOW)]
        load = await asyncio.create_subprocess_exec(*command, str(folder), stdout=subprocess.PIPE)
        assert load.stdout is not None
        await load.stdout.readline()  # all cars are connected
        cpu = time.process_time()
        figures: dict[str, float] = json.loads(await load.stdout.read())
        figures["per_core"] = figures["acknowledged"] / (time.process_time() - cpu)
        await load.wait()
    return figures
