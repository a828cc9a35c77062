"""A car makes its key, is certified, and shakes hands with the gate; nobody else does, and not once it is revoked."""

import asyncio
import json
import ssl
import subprocess

import pytest
from click.testing import CliRunner
from cryptography import x509

from onshore.cli.main import cli
from onshore.gate.tls import Credentials
from onshore.register import certificates, vehicles
from onshore.register.certificates import Standing
from onshore.site import now_ms, open_site

VIN = "LTEST000000000017"
DAY = 86_400_000
CUT_OFF = {"SSLError", "ConnectionResetError", ""}


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Place:
    """A site, driven by its commands, and a car's own folder."""

    def __init__(self, folder):
        self.folder, self.site = folder, folder / "site"
        self.car = folder / "car"
        self.car.mkdir()
        self.run("init", "--jurisdiction", "CN", "--name", "shanghai")
        self.run("vehicle", "add", VIN, "--owner", "Anna", "--as", "operator")
        self.run("vehicle", "authority", "--out", self.car / "authority.pem")

    def run(self, *args, code=0):
        done = CliRunner().invoke(cli, [*map(str, args), "--site", str(self.site)])
        assert done.exit_code == code, (args, done.output, done.exception)
        return done

    def json(self, *args, code=0):
        return json.loads(self.run(*args, "--as", "operator", "--json", code=code).stdout)

    def shown(self):
        return json.loads(self.run("vehicle", "show", VIN, "--json").stdout)

    def key(self, name="car", kind=("EC", "-pkeyopt", "ec_paramgen_curve:P-256")):
        openssl("genpkey", "-algorithm", *kind, "-out", self.car / f"{name}.key")
        subject = ("-subj", f"/CN={VIN}/O=whatever the car says")
        openssl("req", "-new", "-key", self.car / f"{name}.key", *subject, "-out", self.car / f"{name}.csr")
        return self.car / f"{name}.csr"

    def certify(self, name="car"):
        asked = ("--csr", self.key(name), "--out", self.car / f"{name}.pem")
        return self.json("vehicle", "certify", VIN, *asked)

    def client(self, name=None):
        context = ssl.create_default_context(cafile=str(self.car / "authority.pem"))
        if name:
            context.load_cert_chain(self.car / f"{name}.pem", self.car / f"{name}.key")
        return context


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


class Door:
    """The smallest door: says to each car which vehicle it takes it for, and looks again at each tick."""

    def __init__(self, place):
        self.site = open_site(place.site)
        self.standing = Standing(self.site)
        self.credentials = Credentials(self.site, self.standing.authorities)
        self.open = {}

    async def __aenter__(self):
        context = self.credentials.context(required=True)
        self.server = await asyncio.start_server(self.hear, "127.0.0.1", 0, ssl=context)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        for writer in self.open:
            writer.transport.abort()
        self.server.close()

    async def hear(self, _reader, writer):
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self.open[writer] = der
        writer.write(f"{self.standing.identify(der) or 0:016x}\n".encode())

    def tick(self):
        if self.standing.changed():
            for writer in [w for w, der in self.open.items() if self.standing.identify(der) is None]:
                writer.close()

    async def call(self, context):
        """What the gate says to a car, and the connection; what TLS says where it lets nobody in."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=context, server_hostname="localhost")
        return await reader.readline(), reader, writer


async def said_to(door, context):
    try:
        told, _, writer = await door.call(context)
    except (ssl.SSLError, ConnectionError) as refused:
        return type(refused).__name__
    writer.close()
    return told.decode().strip()


def test_a_certified_car_is_known_and_a_revoked_one_is_cut_off(place):
    done = place.certify()
    vehicle = place.shown()["vehicle"]

    async def play():
        async with Door(place) as door:
            told, reader, _ = await door.call(place.client("car"))
            assert told.decode().strip() == vehicle
            place.json("vehicle", "certify", VIN, "--revoke", done["serial"])
            door.tick()
            assert await reader.read() == b""
            assert await said_to(door, place.client("car")) == "0" * 16

    asyncio.run(play())
    assert place.json("vehicle", "certify", VIN, "--revoke", done["serial"], code=1)["refused"] == "no-certificate"


def test_nobody_else_shakes_hands(place, tmp_path):
    place.certify()
    own = ("-key", place.car / "self.key", "-days", "30", "-subj", f"/CN={place.shown()['vehicle']}")
    place.key("self")
    openssl("req", "-new", "-x509", *own, "-out", place.car / "self.pem")
    (tmp_path / "elsewhere").mkdir()
    other = Place(tmp_path / "elsewhere")
    other.certify()
    for kind in ("key", "pem"):
        (place.car / f"other.{kind}").write_bytes((other.car / f"car.{kind}").read_bytes())

    async def play():
        async with Door(place) as door:
            assert await said_to(door, place.client("car")) != "0" * 16
            for stranger in (None, "self", "other"):
                assert await said_to(door, place.client(stranger)) in CUT_OFF, stranger

    asyncio.run(play())


def test_a_certificate_out_of_its_time_is_nobodys(place):
    early = open_site(place.site, clock=lambda: now_ms() - 90 * DAY)
    done = certificates.certify(early, vehicles.find(early, VIN).id, place.key().read_bytes())
    (place.car / "car.pem").write_bytes(done.chain)

    async def play():
        async with Door(place) as door:
            assert await said_to(door, place.client("car")) in CUT_OFF

    asyncio.run(play())


def test_openssl_and_others_believe_what_the_site_signs(place):
    first, second = place.certify("first"), place.certify("second")
    ca = place.car / "authority.pem"
    assert "OK" in openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", ca, place.car / "first.pem")
    place.json("vehicle", "certify", VIN, "--revoke", first["serial"])
    place.run("vehicle", "revoked", "--out", place.car / "revoked.pem")
    with_crl = ("-crl_check", "-CRLfile", place.car / "revoked.pem", "-CAfile", ca)
    assert "OK" in openssl("verify", *with_crl, place.car / "second.pem")
    with pytest.raises(AssertionError, match="certificate revoked"):
        openssl("verify", *with_crl, place.car / "first.pem")
    shown = place.shown()["certificates"]
    assert {c["serial"]: c["revoked"] != "-" for c in shown} == {first["serial"]: True, second["serial"]: False}
    text = openssl("x509", "-in", place.car / "second.pem", "-noout", "-text")
    assert VIN not in text
    assert "whatever the car says" not in text


def test_the_commands_refuse_and_tell(place):
    csr = place.key("rsa", ("RSA", "-pkeyopt", "rsa_keygen_bits:1024"))
    assert place.json("vehicle", "certify", VIN, "--csr", csr, code=1)["refused"] == "key-kind"
    place.run("vehicle", "certify", VIN, "--as", "operator", code=2)
    place.run("vehicle", "certify", VIN, "--csr", csr, "--revoke", "00", "--as", "operator", code=2)
    place.run("vehicle", "certify", VIN, "--csr", csr, "--as", "engineer", code=1)
    (place.car / "junk").write_bytes(b"junk")
    place.run("vehicle", "certify", VIN, "--csr", place.car / "junk", "--as", "operator", code=2)
    wrong = place.run("vehicle", "add", "LB9TB3E16KA000001", "--as", "operator", code=1)
    assert "check-digit" in wrong.stderr
    assert "LB9TB3E" not in wrong.stderr
    place.run("vehicle", "add", "LB9TB3E16KA000001", "--no-check-digit", "--as", "operator")


def test_a_car_is_lent_sold_and_retired(place):
    pem = place.run("vehicle", "certify", VIN, "--csr", place.key(), "--as", "operator").stdout
    assert len(x509.load_pem_x509_certificates(pem.encode())) == 2
    cleo = place.json("vehicle", "driver", "add", VIN, "--name", "Cleo", "--mark", "card 7")["driver"]
    what = ("--purpose", "warranty-analysis", "--category", "track", "--notice", "2026-11", "--separate")
    place.run("consent", "give", VIN, *what, "--driver", cleo, "--as", "officer")
    [given] = json.loads(place.run("consent", "show", VIN, "--person", cleo, "--json").stdout)
    assert json.loads(place.run("consent", "show", VIN, "--json").stdout) == []
    assert (given["person"], given["stands"]) == (cleo, True)
    assert json.loads(place.run("rights", "access", VIN, "--person", cleo, "--as", "officer").stdout)["consents"]
    assert not json.loads(place.run("rights", "access", VIN, "--as", "officer").stdout)["consents"]
    place.run("rights", "access", VIN, "--person", "f" * 16, "--as", "officer", code=1)
    place.run("consent", "withdraw", VIN, "--as", "officer", code=1)
    assert place.json("vehicle", "driver", "remove", VIN, cleo)["removed"] == cleo
    assert not json.loads(place.run("consent", "show", VIN, "--person", cleo, "--json").stdout)[0]["stands"]
    place.run("vehicle", "driver", "remove", VIN, cleo, "--as", "operator", code=1)
    place.run("vehicle", "driver", "remove", VIN, "nobody", "--as", "operator", code=2)
    sold = place.json("vehicle", "sell", VIN, "--owner", "Bo")
    retired = place.json("vehicle", "retire", VIN)
    assert retired["retired"] == place.shown()["vehicle"]
    shown = place.shown()
    assert (shown["owner"], shown["name"]) == (sold["owner"], "Bo")
    assert shown["retired"] != "-"
    assert [k["role"] for k in shown["keepers"]] == ["owner", "driver", "owner"]
    assert place.json("vehicle", "sell", VIN, "--owner", "Cy", code=1)["refused"] == "retired"
    text = place.run("vehicle", "show", VIN).stdout
    assert "certificate" in text
    assert "Anna" not in text
    receipt = place.folder / "receipt.json"
    receipt.write_text(json.dumps(retired["receipt"]))
    vkey = (place.site / "ledger" / "vkey").read_text().split()[0]
    done = CliRunner().invoke(cli, ["verify", str(receipt), "--key", vkey])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        (("EC", "-pkeyopt", "ec_paramgen_curve:P-256"), ssl.TLSVersion.TLSv1_2),
        (("EC", "-pkeyopt", "ec_paramgen_curve:P-384"), ssl.TLSVersion.TLSv1_3),
        (("RSA", "-pkeyopt", "rsa_keygen_bits:2048"), ssl.TLSVersion.TLSv1_2),
        (("RSA", "-pkeyopt", "rsa_keygen_bits:2048"), ssl.TLSVersion.TLSv1_3),
        (("ED25519",), ssl.TLSVersion.TLSv1_3),
    ],
    ids=["P-256 1.2", "P-384 1.3", "RSA 1.2", "RSA 1.3", "Ed25519 1.3"],
)
def test_every_kind_of_key_that_is_certified_shakes_hands(place, kind, version):
    place.run(
        "vehicle", "certify", VIN, "--csr", place.key("car", kind), "--out", place.car / "car.pem", "--as", "operator"
    )
    context = place.client("car")
    context.minimum_version = context.maximum_version = version

    async def play():
        async with Door(place) as door:
            assert await said_to(door, context) == place.shown()["vehicle"]

    asyncio.run(play())


def test_a_car_of_a_maker_with_its_own_authority_is_known_by_the_issuing_one_alone(place):
    maker = place.folder / "maker"
    maker.mkdir()
    (maker / "ca.cnf").write_text(
        "[ca]\nbasicConstraints = critical,CA:TRUE\n[car]\nextendedKeyUsage = clientAuth,1.3.6.1.4.1.49279.2.5.1\n"
    )

    def signed(name, subject, by, part):
        key, request, out = (maker / f"{name}.{end}" for end in ("key", "csr", "pem"))
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
        openssl("req", "-new", "-key", key, "-subj", subject, "-out", request)
        issuer = ("-CA", maker / f"{by}.pem", "-CAkey", maker / f"{by}.key") if by else ("-key", key)
        extensions = ("-extfile", maker / "ca.cnf", "-extensions", part)
        openssl("x509", "-req", "-in", request, *issuer, "-days", "30", *extensions, "-out", out)

    signed("root", "/CN=Tesla Root", None, "ca")
    signed("issuing", "/CN=Tesla China Product Access Issuing CA", "root", "ca")
    signed("car", f"/CN={VIN}", "issuing", "car")
    signed("other", "/CN=LTEST000000000018", "issuing", "car")
    signed("root-car", f"/CN={VIN}", "root", "car")
    with (place.site / "site.toml").open("a") as file:
        file.write('\n[gate.issuers.tesla]\nca = "../maker/issuing.pem"\ndevices = ["1.3.6.1.4.1.49279.2.5.1"]\n')

    def client(name):
        context = place.client()
        context.load_cert_chain(maker / f"{name}.pem", maker / f"{name}.key")
        return context

    async def play():
        async with Door(place) as door:
            assert await said_to(door, client("car")) == place.shown()["vehicle"]
            assert await said_to(door, client("other")) == "0" * 16
            assert await said_to(door, client("root-car")) in CUT_OFF

    asyncio.run(play())
