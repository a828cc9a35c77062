"""Cars stream to a real site, each with a certificate, through a WebSocket client of another make."""

import asyncio
import json
import ssl
from contextlib import asynccontextmanager

import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from websockets.asyncio.client import connect

from fleet_place import Authority
from onshore.cli.doors import doors
from onshore.cli.init import make_site
from onshore.gate.fleet import encode, envelope
from onshore.gate.fleet.envelope import Stream
from onshore.register import certificates, consents, vehicles
from onshore.register.authority import pem, trusted
from onshore.site import now_ms, open_site
from onshore.vault.read import read
from onshore.words.vocabulary import CATEGORIES

ALLOWS, SILENT, UNKNOWN = "LTEST000000000017", "LTEST000000000025", "LTEST000000000099"
DEVICE = "1.3.6.1.4.1.49279.2.5.1"


class Place:
    """A site with one car of its own and one of a maker that has its own authority."""

    def __init__(self, folder):
        self.folder = folder
        self.maker = Authority(folder)
        (folder / "maker.pem").write_bytes(self.maker.pem)
        make_site(folder / "site", "CN", "shanghai", clock=now_ms)
        toml = folder / "site" / "site.toml"
        text = toml.read_text().replace("gb32960 = 32960", "fleet = 0")
        text += f'\n[gate.issuers.tesla]\nca = "../maker.pem"\ndevices = ["{DEVICE}"]\n'
        toml.write_text(text)
        self.site = open_site(folder / "site")
        self.cars = {vin: vehicles.add(self.site, vin, owner="Anna") for vin in (ALLOWS, SILENT)}
        what = {"notice": "2026-11", "separate": True}
        wish = consents.Wish(purposes=("warranty-analysis",), categories=("track", "vehicle-operation"), **what)
        consents.give(self.site, self.cars[ALLOWS], wish)

    def own(self):
        """A client whose key the site's authority signed, and the serial of its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whoever")])
        asked = x509.CertificateSigningRequestBuilder(name).sign(key, hashes.SHA256())
        request = asked.public_bytes(serialization.Encoding.PEM)
        done = certificates.certify(self.site, self.cars[ALLOWS].id, request)
        raw = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._client("own", raw + done.chain), done.serial

    def makers(self, vin, by=None):
        """A client whose certificate a maker signed."""
        usage = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ObjectIdentifier(DEVICE)]), False)
        chain, key, _ = (by or self.maker).signed(vin, usage)
        return self._client(f"{vin}-{by is None}", key + chain)

    def _client(self, name, bundle):
        path = self.folder / f"{name}.pem"
        path.write_bytes(bundle)
        own = b"".join(pem(one.certificate) for one in trusted(self.site))
        context = ssl.create_default_context(cadata=own.decode())
        context.load_cert_chain(path)
        return context

    def rows(self):
        """Everything that the vault holds for the purpose, of the two cars."""
        tables = read(
            self.site.engine,
            self.site.root,
            self.site.vault,
            self.site.id,
            use="warranty-analysis",
            categories=CATEGORIES,
            start=0,
            until=now_ms() + 60_000,
        )
        rows = [row for table in tables for row in table.to_pylist()]
        return [(row["vehicle"], name, value) for row in rows for name, value in row.items() if value is not None]


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


@asynccontextmanager
async def streaming(place, context):
    async with (
        doors(place.site) as ports,
        connect(f"wss://localhost:{ports['fleet']}/", ssl=context, additional_headers={"X-TXID": "x"}) as car,
    ):
        yield car


def message(txid, soc, *, topic=b"V"):
    said = {
        "data": [
            {"key": "VehicleSpeed", "value": {"double_value": 61.5}},
            {"key": "Soc", "value": {"string_value": f"{soc}"}},
            {"key": "Location", "value": {"string_value": "(31.230400 N, 121.473700 E)"}},
            {"key": "MediaNowPlayingTitle", "value": {"string_value": "a song"}},
        ],
        "created_at": now_ms(),
        "vin": UNKNOWN,
    }
    return envelope.record(txid, topic, Stream(0, b"s", encode.payload(said), b"vehicle_device", UNKNOWN.encode()))


async def acknowledged(car, txid, soc):
    await car.send(message(txid, soc))
    async with asyncio.timeout(10):
        return envelope.read(await car.recv()) == envelope.Envelope(txid, b"V", envelope.ACK, b"", None)


def test_what_people_allowed_reaches_the_vault_and_nothing_else(place):
    context, _ = place.own()

    async def play():
        async with doors(place.site) as ports:
            address = f"wss://localhost:{ports['fleet']}/"
            async with connect(address, ssl=context) as car, connect(address, ssl=place.makers(SILENT)) as silent:
                for n in range(3):
                    assert await acknowledged(car, b"t-%d" % n, 70 + n)
                    assert await acknowledged(silent, b"t-%d" % n, 40 + n)
                await asyncio.to_thread(place.site.bring_in)
                assert {name for _, name, _ in place.rows()} >= {"Vehicle.CurrentLocation.Latitude"}

    asyncio.run(play())
    place.site.bring_in()
    rows = place.rows()
    assert {vehicle for vehicle, _, _ in rows} == {place.cars[ALLOWS].id}
    kept = {name for _, name, _ in rows}
    assert "Vehicle.CurrentLocation.Longitude" in kept
    assert "Vehicle.Onshore.Client.IsConnected" in kept
    assert "Vehicle.Speed" not in kept
    charge = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
    assert sorted(value for _, name, value in rows if name == charge) == [70, 71, 72]
    assert json.dumps(rows, default=str).count("song") == 0


def test_a_revoked_car_is_cut_off_in_mid_connection(place):
    context, serial = place.own()

    async def play():
        async with streaming(place, context) as car:
            assert await acknowledged(car, b"t-1", 70)
            certificates.revoke(place.site, place.cars[ALLOWS].id, serial)
            async with asyncio.timeout(10):
                with pytest.raises(websockets.ConnectionClosedError) as closed:
                    await car.recv()
            assert closed.value.rcvd.code == 1008
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with streaming(place, context):
                pass
        assert refused.value.response.status_code == 403

    asyncio.run(play())


def test_nobody_else_is_let_in(place):
    async def play():
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with streaming(place, place.makers(UNKNOWN)):
                pass
        assert refused.value.response.status_code == 403
        (place.folder / "elsewhere").mkdir()
        with pytest.raises((ssl.SSLError, ConnectionError, websockets.InvalidMessage)):
            async with streaming(place, place.makers(ALLOWS, Authority(place.folder / "elsewhere"))):
                pass
        context, _ = place.own()
        async with streaming(place, context) as car:
            await (await car.ping())
            assert await acknowledged(car, b"big" * 5, 12)
            await car.send(bytes(1_000_001))
            assert envelope.read(await car.recv()).stream.payload == envelope.WRONG
            await car.send("text")
            with pytest.raises(websockets.ConnectionClosedError) as closed:
                await car.recv()
            assert closed.value.rcvd.code == 1003

    asyncio.run(play())


def test_a_withdrawn_consent_counts_at_once(place):
    context, _ = place.own()

    async def play():
        async with streaming(place, context) as car:
            assert await acknowledged(car, b"t-1", 70)
            consents.withdraw(place.site, place.cars[ALLOWS])
            assert await acknowledged(car, b"t-2", 80)

    asyncio.run(play())
    place.site.bring_in()
    charge = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
    assert [value for _, name, value in place.rows() if name == charge] == [70]
