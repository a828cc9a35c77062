"""A running MQTT door over real TLS, with cars that the site's own authority has certified."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from onshore.cli.init import make_site
from onshore.gate.mqtt.packets import Connect
from onshore.gate.mqtt.protocol import V5, Reader, encode
from onshore.gate.mqtt.server import Door, Limits, serve
from onshore.gate.tls import Credentials
from onshore.register import authority, certificates, vehicles
from onshore.register.certificates import Standing
from onshore.site import open_site

NOW = 1_790_000_000_000
PATIENCE = timedelta(seconds=20).total_seconds()


class Car:
    """A registered car: its id, and the files that it needs to connect."""

    def __init__(self, garage: "Garage", number: int) -> None:
        self.vin = f"LTEST{number:012d}"
        vehicles.add(garage.site, self.vin)
        self.id = vehicles.find(garage.site, self.vin).id
        self.name = f"{self.id:016x}"
        key = ec.generate_private_key(ec.SECP256R1())
        csr = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256())
        done = certificates.certify(garage.site, self.id, csr.public_bytes(serialization.Encoding.DER))
        self.serial = done.serial
        self.cert, self.key = garage.folder / f"{number}.pem", garage.folder / f"{number}.key"
        self.cert.write_bytes(done.chain)
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.ca = garage.folder / "ca.pem"

    def topic(self, kind: str) -> str:
        return f"v1/{self.name}/{kind}"

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        context.load_cert_chain(self.cert, self.key)
        return context

    def options(self) -> list[str]:
        """For mosquitto_pub and mosquitto_sub."""
        return ["--cafile", str(self.ca), "--cert", str(self.cert), "--key", str(self.key)]


class Garage:
    """A site with its authority."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_site(folder / "site", "CN", "shanghai")
        self.site = open_site(folder / "site")
        self.standing = Standing(self.site)
        (folder / "ca.pem").write_bytes(b"".join(authority.pem(a.certificate) for a in authority.trusted(self.site)))

    def car(self, number: int = 1) -> Car:
        return Car(self, number)

    def revoke(self, car: Car) -> None:
        certificates.revoke(self.site, car.id, car.serial)


class Papers:
    """What the door asks: identities from the site, policies and check-ins in memory."""

    def __init__(self, garage: Garage) -> None:
        self.identify = garage.standing.identify
        self.policies: dict[int, bytes] = {}
        self.seen: list[tuple[int, int]] = []
        self.news: list[tuple[int, bytes]] = []
        self.fails: Exception | None = None

    def policy(self, vehicle: int) -> bytes | None:
        if self.fails:
            raise self.fails
        return self.policies.get(vehicle)

    def changed(self, vehicles) -> list[tuple[int, bytes]]:
        news, self.news = [one for one in self.news if one[0] in vehicles], []
        return news

    def checked_in(self, vehicle: int, version: int, at: int) -> None:
        if self.fails:
            raise self.fails
        self.seen.append((vehicle, version))


class Running:
    """A door that listens, and all rows that it handed over."""

    def __init__(self, garage: Garage, limits: Limits | None = None, heard: bytes = b"") -> None:
        self.papers = Papers(garage)
        self.rows: list[dict] = []
        self.fails = False
        self.heard = b""
        known = {"key": b"of a site", "heard": heard}
        self.door = Door(self.papers, self.take_in, lambda: NOW, garage.site.catalogue, limits, **known)

    def take_in(self, batch, *, heard: bytes = b"") -> None:
        if self.fails:
            raise OSError("the disk is full")
        self.rows += batch.to_pylist()
        self.heard += heard

    def drive(self, car: Car) -> list[dict]:
        return [row for row in self.rows if row["vehicle"] == car.id]


@asynccontextmanager
async def running(garage: Garage, limits: Limits | None = None, heard: bytes = b""):
    here = Running(garage, limits, heard)
    context = Credentials(garage.site, garage.standing.authorities).context(required=True)
    server = await serve(here.door, "127.0.0.1", 0, context)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        await here.door.stop(server)


async def until(condition, patience: float = PATIENCE) -> None:
    """Wait until something holds, looking at every turn of the loop."""
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0)


class Wire:
    """A client that says and hears packets."""

    def __init__(self, reader, writer, version):
        self.reader, self.writer, self.version = reader, writer, version
        self.packets, self._parts = [], Reader(1 << 20, version=version)

    def say(self, *packets):
        self.writer.write(b"".join(encode(packet, self.version) for packet in packets))

    async def hear(self):
        """The next packet; None at the end."""
        async with asyncio.timeout(20):
            while not self.packets:
                try:
                    data = await self.reader.read(65536)
                except (ConnectionError, OSError):
                    return None
                if not data:
                    return None
                self.packets += self._parts.feed(data)
        return self.packets.pop(0)

    async def rest(self):
        """All until the end."""
        return [packet async for packet in self._until_end()]

    async def _until_end(self):
        while (packet := await self.hear()) is not None:
            yield packet

    async def close(self):
        self.writer.transport.abort()


async def dialled(here, car, version=V5):
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", here.port, ssl=car.context(), server_hostname="localhost"
    )
    return Wire(reader, writer, version)


@asynccontextmanager
async def client(here, car, version=V5, client_id="tbox", **more):
    """Connected; and what it was answered."""
    wire = await dialled(here, car, version)
    wire.say(Connect(version, client_id, **more))
    wire.connack = await wire.hear()
    try:
        yield wire
    finally:
        await wire.close()


def message(speed=1, at=0):
    """What a car says at an instant."""
    return b'{"time":%d,"Vehicle.Speed":%d}' % (NOW + at, speed)


def play(story, garage, limits=None):
    """Tell a story at a running door."""

    async def told():
        async with running(garage, limits) as here:
            await story(here)

    asyncio.run(told())
