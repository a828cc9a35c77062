"""A site with its upload door open over real TLS, consents of its cars, files to send, and clients."""

import asyncio
import base64
import json
import subprocess
import time
from contextlib import asynccontextmanager
from pathlib import Path

from mqtt_makers import PATIENCE, Garage
from onshore.cli.doors import doors
from onshore.register import consents, vehicles
from onshore.site import open_site
from onshore.vault.journal_files import closed_journals, read_journal

SPEED, ANGLE = "Vehicle.Speed", "Vehicle.Chassis.SteeringWheel.Angle"
LATITUDE = "Vehicle.CurrentLocation.Latitude"
TIME = {"columns": ["t"], "format": "ms"}
T0 = int(time.time()) * 1000 + 3_600_000  # certificates are of today, and consents count from when they are given
DBC = """VERSION ""
BO_ 180 SPEED: 8 XXX
 SG_ SPEED : 47|16@0+ (0.01,0) [0|250] "km/h" XXX
BO_ 37 STEER: 8 XXX
 SG_ ANGLE : 3|12@0- (1.5,0) [-500|500] "deg" XXX
"""


class Site(Garage):
    """A site whose door upload is open, with a CAN database named "car"."""

    def __init__(self, folder: Path, more: str = "") -> None:
        super().__init__(folder)
        path = folder / "site" / "site.toml"
        text = path.read_text().replace("gb32960 = 32960", "upload = 0")
        path.write_text(f'{text}\n[gate.uploads]\n{more}\n[gate.uploads.dbc]\ncar = "car.dbc"\n')
        (folder / "site" / "car.dbc").write_text(DBC)
        self.site = open_site(folder / "site")

    def allow(self, car, *categories):
        """The owner consents to warranty-analysis on these categories."""
        wish = consents.Wish(purposes=("warranty-analysis",), categories=categories, notice="2026-11", separate=True)
        consents.give(self.site, vehicles.find(self.site, car.vin), wish)

    def allowed(self, number: int = 1):
        """A car whose driving may be collected, but not its track."""
        car = self.car(number)
        self.allow(car, "driving-behaviour")
        return car

    def rows(self):
        """All rows that journals hold; the gate is closed."""
        found = []
        for closed in closed_journals(self.site.engine, self.site.vault):
            for record in read_journal(closed, self.site.root, self.site.id):
                found += [] if record.batch is None else record.batch.to_pylist()
        return found


@asynccontextmanager
async def opened(site: Site):
    async with doors(site.site) as ports:
        yield f"https://localhost:{ports['upload']}"


def csv_drive(rows: int, first: int = 0) -> bytes:
    lines = [f"{T0 + 1000 * n},{n % 200 / 2},{31.2 + n / 1e6:.6f},note {n}" for n in range(first, first + rows)]
    return ("t,speed,lat,remark\n" + "\n".join(lines) + "\n").encode()


CSV = {"format": "csv", "time": TIME, "channels": {"speed": SPEED, "lat": LATITUDE, "seat": "No.Such.Signal"}}


def candump(frames: int) -> bytes:
    """Two messages in turn, and now and then a text that might be the beginning of a vehicle's number."""
    lines = []
    for n in range(frames):
        at = f"({(T0 + 10 * n) / 1000:.6f}) can0"
        lines.append(f"{at} 0B4#0000000000{n % 20000:04X}00" if n % 2 else f"{at} 025#{n % 1024:04X}000000000000")
        if n % 97 == 0:
            lines.append(f"{at} 3FF#575657{n % 7:02X}{'41423132' if n % 5 else '00000000'}")
    return ("\n".join(lines) + "\n").encode()


CAN = {"format": "candump", "dbc": "car", "channels": {"SPEED.SPEED": SPEED, "STEER.ANGLE": ANGLE}}


def metadata(manifest: dict) -> str:
    return "manifest " + base64.b64encode(json.dumps(manifest).encode()).decode()


async def curl(car, *options: str, data: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what the door answers to curl."""
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sS", "-i", "--cacert", str(car.ca), "--cert", str(car.cert), "--key", str(car.key), *options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        out, said = await process.communicate(data)
    assert out, said
    while out.startswith(b"HTTP/1.1 100"):
        out = out.split(b"\r\n\r\n", 1)[1]
    head, body = out.split(b"\r\n\r\n", 1)
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:])
    return int(lines[0].split()[1]), headers, body


def tus(*headers: str) -> list[str]:
    return [word for line in ("Tus-Resumable: 1.0.0", *headers) for word in ("-H", line)]


async def create(car, url: str, manifest: dict, size: int):
    said = tus(f"Upload-Length: {size}", f"Upload-Metadata: {metadata(manifest)}")
    return await curl(car, "-X", "POST", *said, f"{url}/files")


async def begun(car, url: str, manifest: dict, size: int) -> str:
    status, headers, body = await create(car, url, manifest, size)
    assert status == 201, body
    return url + headers["location"]


async def patch(car, place: str, offset: int, data: bytes, *more: str):
    said = tus(f"Upload-Offset: {offset}", "Content-Type: application/offset+octet-stream", *more)
    return await curl(car, "-X", "PATCH", *said, "--data-binary", "@-", place, data=data)


async def offset(car, place: str) -> int:
    status, headers, _ = await curl(car, "-I", *tus(), place)
    assert status == 200
    return int(headers["upload-offset"])
