"""The fleet door over real TLS sockets, with an authority and a register of its own, and cars."""

import asyncio
import contextlib
import os
import ssl as tls
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from door_makers import NOW, Kept
from onshore.gate.fleet import encode, envelope, upgrade
from onshore.gate.fleet.envelope import Stream
from onshore.gate.fleet.server import Door, Limits, serve
from onshore.gate.fleet.websocket import Frames, Message, Opcode, frame
from onshore.gate.tls import server_context

QUICK = Limits(batch_ms=2)
CAR, OTHER, STRANGER = 17, 18, 99


class Authority:
    """Signs certificates, and puts them into files for those who want files."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = self._sign(self.name, self.key, (constraint, True))
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM)

    def _sign(self, name, key, *extensions):
        day = datetime(2026, 1, 1, tzinfo=UTC)
        number = x509.random_serial_number()
        built = x509.CertificateBuilder(self.name, name, key.public_key(), number, day, day + timedelta(days=36500))
        for extension, critical in extensions:
            built = built.add_extension(extension, critical=critical)
        return built.sign(self.key, hashes.SHA256())

    def signed(self, name, *extensions):
        """A certificate and its key, PEM, and the certificate, DER."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, *extensions)
        raw = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return made.public_bytes(serialization.Encoding.PEM), raw, made.public_bytes(serialization.Encoding.DER)

    def client(self, name):
        """What a client of that name connects with, and its certificate, DER."""
        pem, key, der = self.signed(name)
        path = self.folder / f"{name}.pem"
        path.write_bytes(key + pem)
        context = tls.create_default_context(cadata=self.pem.decode())
        context.load_cert_chain(path)
        return context, der

    def server(self):
        """What the door listens with."""
        pem, key, _ = self.signed("localhost", (x509.SubjectAlternativeName([x509.DNSName("localhost")]), False))
        return server_context(pem, key, self.pem, required=True, alpn=("http/1.1",))


@dataclass
class Car:
    """A client that speaks bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    frames: Frames = field(default_factory=lambda: Frames(1 << 22, from_client=False))
    heard: list = field(default_factory=list)

    def send(self, *parts):
        self.writer.write(b"".join(parts))

    async def event(self):
        async with asyncio.timeout(5):
            while not self.heard:
                data = await self.reader.read(1 << 16)
                if not data:
                    return None
                self.heard += self.frames.feed(data)
        return self.heard.pop(0)

    async def reply(self):
        event = await self.event()
        return envelope.read(event.data) if isinstance(event, Message) else event

    async def head(self):
        async with asyncio.timeout(5):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def closed(self):
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError, tls.SSLError):
                return await self.reader.read()


@dataclass
class Place:
    kept: Kept
    authority: Authority
    known: dict
    door: Door | None = None
    port: int = 0
    clients: dict = field(default_factory=dict)
    cars: list = field(default_factory=list)
    down: bool = False

    def identify(self, der):
        if self.down:
            raise OSError("the papers do not answer")
        return self.known.get(der)

    async def connected(self, vehicle=CAR):
        if vehicle not in self.clients:
            self.clients[vehicle], der = self.authority.client(f"car-{vehicle}")
            if vehicle != STRANGER:
                self.known[der] = vehicle
        context = self.clients[vehicle]
        opened = await asyncio.open_connection("localhost", self.port, ssl=context, server_hostname="localhost")
        self.cars.append(Car(*opened))
        return self.cars[-1]

    async def car(self, vehicle=CAR, **headers):
        """A car whose WebSocket is open."""
        car = await self.connected(vehicle)
        nonce = os.urandom(16)
        car.send(upgrade.asked("localhost", nonce, headers={k.replace("_", "-"): v for k, v in headers.items()}))
        assert upgrade.opens(await car.head(), nonce)
        return car

    def rows(self, column):
        """Values of a column over all batches, null where it was absent."""
        found = []
        for batch in self.kept.batches:
            there = column in batch.schema.names
            found += batch.column(column).to_pylist() if there else [None] * batch.num_rows
        return [value for value in found if value is not None]

    def times(self):
        return [t for b in self.kept.batches for t in b.column("time").cast(pa.int64()).to_pylist()]


@contextlib.asynccontextmanager
async def open_place(folder, limits=QUICK, take_in=None, heard=b""):
    kept, authority, known = take_in or Kept(), Authority(folder), {}
    place = Place(kept, authority, known)
    door = place.door = Door(place.identify, kept, lambda: NOW, limits, key=b"of a site", heard=heard)
    server = await serve(door, "127.0.0.1", 0, authority.server())
    place.port = server.sockets[0].getsockname()[1]
    try:
        yield place
    finally:
        for car in place.cars:
            car.writer.close()
        await door.stop(server)
        assert not door.connections


async def until(true):
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0)


def binary(data, **more):
    """A client's message."""
    return frame(Opcode.BINARY, data, mask=os.urandom(4), **more)


def control(opcode, data=b""):
    return frame(opcode, data, mask=os.urandom(4))


def speed(value=55.0, minute=0, **more):
    """A payload: how fast, and when."""
    data = [{"key": "VehicleSpeed", "value": {"double_value": value}}]
    return encode.payload({"data": data, "created_at": NOW - 60_000 * minute, **more})


def record(payload=None, txid=b"t-1", topic=b"V", created=NOW // 1000):
    """A message that holds a payload."""
    sent = speed() if payload is None else payload
    return envelope.record(
        txid, topic, Stream(created, b"vehicle_device.LTEST000000000017", sent, b"vehicle_device", b"")
    )
