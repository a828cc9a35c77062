"""The door of GB/T 32960 over real sockets, with a register and a vault of their own, and clients."""

import asyncio
import contextlib
import ssl as tls
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.cipher import Secret
from onshore.gate.gb32960.protocol import HEADER, reply, time6
from onshore.gate.gb32960.server import Door, Limits, serve
from onshore.gate.gb32960.signatures import Key
from onshore.gate.gb32960.signatures import key as read_key

NOW = 1_768_437_059_000
NOW6 = time6(NOW)
VIN, OTHER, STRANGER = b"LTEST000000000017", b"LTEST000000000018", b"LTEST000000000099"
CARS = {VIN: 17, OTHER: 18, **{b"LTEST1%011d" % i: 1000 + i for i in range(200)}}
NOT_DELTAS = b"LTEST100000000000"
QUICK = Limits(batch_ms=2)


@dataclass
class Kept:
    """Takes batches in, and can be told to fail."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    fails: list[Exception] = field(default_factory=list)
    on_take: Callable[[], None] = lambda: None
    heard: bytes = b""

    def __call__(self, batch: pa.RecordBatch, *, heard: bytes = b"") -> None:
        self.on_take()
        if self.fails:
            raise self.fails.pop(0)
        self.batches.append(batch)
        self.heard += heard

    @property
    def vehicles(self) -> list[int]:
        return [v for b in self.batches for v in b.column("vehicle").to_pylist()]


@dataclass
class Register:
    """Whom the door knows, without a site."""

    cars: dict[bytes, int] = field(default_factory=lambda: dict(CARS))
    keys: dict[int, Key] = field(default_factory=dict)
    certificates: dict[bytes, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    fails: bool = False

    def look_up(self, vin: bytes) -> int | None:
        if self.fails:
            raise OSError("the papers do not answer")
        return self.cars.get(vin)

    def accepts(self, vehicle: int) -> bool:
        return vehicle not in self.gone

    def identify(self, certificate: bytes) -> int | None:
        return self.certificates.get(certificate)

    def key_of(self, vehicle: int) -> Key | None:
        return self.keys.get(vehicle)

    def activate(self, vehicle: int, chip: bytes, key: bytes) -> int:
        if vehicle in self.keys:
            return 3
        self.keys[vehicle] = read_key(key)
        return 1

    def platform(self, user: bytes, password: bytes) -> str | None:
        return "delta" if (user, password) == (b"delta", b"secret") else None

    def sends(self, platform: str, vin: bytes) -> bool:
        return platform == "delta" and vin != NOT_DELTAS


@dataclass
class Car:
    """A client: sends bytes, reads whole answers."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *frames: bytes) -> None:
        self.writer.write(b"".join(frames))

    async def hear(self) -> bytes:
        async with asyncio.timeout(5):
            head = await self.reader.readexactly(HEADER)
            return head + await self.reader.readexactly(int.from_bytes(head[22:24], "big") + 1)

    async def ask(self, *frames: bytes) -> list[bytes]:
        self.send(*frames)
        return [await self.hear() for _ in frames]

    async def closed(self) -> bytes:
        """What comes until the door closes."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read()
            except ConnectionError:  # it was still sending
                return b""


@dataclass
class Place:
    door: Door
    kept: Kept
    port: int
    server: asyncio.Server
    register: Register
    cars: list[Car] = field(default_factory=list)

    async def stranger(self, address: str = "127.0.0.1") -> Car:
        car = Car(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0)))
        self.cars.append(car)
        return car

    async def strangers(self, count: int, address: str = "127.0.0.1") -> list[Car]:
        """Connections that say nothing, each known to the door before the next one comes."""
        cars = []
        for _ in range(count):
            seen = self.seen()
            cars.append(await self.stranger(address))
            async with asyncio.timeout(5):
                while self.seen() == seen:
                    await asyncio.sleep(0)
        return cars

    def seen(self) -> int:
        counts = self.door.counts
        return len(self.door.connections) + counts["crowded out"] + counts["full"]

    async def car(self, vin: bytes = VIN, address: str = "127.0.0.1") -> Car:
        car = await self.stranger(address)
        assert await car.ask(login(vin)) == [ok(login(vin))]
        return car


@contextlib.asynccontextmanager
async def open_door(
    limits: Limits = QUICK, ssl: tls.SSLContext | None = None, secret: Secret | None = None, heard: bytes = b""
) -> AsyncIterator[Place]:
    kept, register = Kept(), Register()
    door = Door(register, kept, lambda: NOW, limits, secret=secret, key=b"of a site", heard=heard)
    server = await serve(door, "127.0.0.1", 0, ssl)
    place = Place(door, kept, server.sockets[0].getsockname()[1], server, register)
    try:
        yield place
    finally:
        await door.stop(server)
        for car in place.cars:
            car.writer.close()
        assert not door.connections


def login(vin: bytes = VIN) -> bytes:
    return encode.login(vin, NOW, 1, "89860000000000000017")


def data(minute: int = 0, vin: bytes = VIN, **more: object) -> bytes:
    units = {"vehicle": {"status": "started", "speed_kmh": 65.5}, **more}
    return encode.realtime(vin, NOW - 60_000 * minute, units)


def ok(request: bytes) -> bytes:
    return reply(request, 1, NOW6)


def error(request: bytes) -> bytes:
    return reply(request, 2, NOW6)


def certificate(folder):
    """A TLS context of the door with a certificate of its own, and one of a car that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, day, day + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    raw = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "pem").write_bytes(raw + pem)
    here = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(folder / "pem")
    return here, tls.create_default_context(cadata=pem.decode())


class Chip:
    """A car's security chip."""

    def __init__(self, secret: int) -> None:
        self._key = ec.derive_private_key(secret, ec.SECP256R1())
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        self.public = self._key.public_key().public_bytes(serialization.Encoding.DER, form)

    def sign(self, body: bytes) -> tuple[int, bytes, bytes]:
        r, s = decode_dss_signature(self._key.sign(body, ec.ECDSA(hashes.SHA256())))
        return 3, r.to_bytes(32, "big"), s.to_bytes(32, "big")

    def activation(self, vin: bytes = VIN, chip: str = "CHIP000000000001") -> bytes:
        return encode.activation(vin, NOW, chip, self.public, self.sign)
