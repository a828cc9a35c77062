from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID, ObjectIdentifier

from onshore.register import handover, vehicles
from onshore.register.certificates import Standing
from onshore.site import open_site
from onshore.words.errors import Malformed

VIN = "LTEST000000000017"
VEHICLE, BOARD, CHARGER, WIFI = (f"1.3.6.1.4.1.49279.2.5.{n}" for n in ("1", "11", "2", "1.1"))
DER = serialization.Encoding.DER


class Maker:
    """An authority of a maker: signs whatever it is asked to."""

    def __init__(self, name="Tesla China Product Access Issuing CA"):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._built(self.name, self.key).sign(self.key, hashes.SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def sign(self, *names, usages=(VEHICLE,), begin=datetime(2026, 1, 1, tzinfo=UTC)):
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])
        built = self._built(subject, ec.generate_private_key(ec.SECP256R1()), begin)
        if usages:
            asked = x509.ExtendedKeyUsage([ObjectIdentifier(one) for one in usages])
            built = built.add_extension(asked, critical=False)
        return built.sign(self.key, hashes.SHA256()).public_bytes(DER)

    def _built(self, subject, key, begin=datetime(2020, 1, 1, tzinfo=UTC)):
        number = x509.random_serial_number()
        end = begin + timedelta(days=3650)
        return x509.CertificateBuilder(self.name, subject, key.public_key(), number, begin, end)


@pytest.fixture
def maker():
    return Maker()


def settled(hands, maker, devices=f'["{VEHICLE}", "{BOARD}"]'):
    """The site again, with a maker's authority in its settings."""
    (hands.site.folder / "tesla.pem").write_bytes(maker.pem)
    with (hands.site.folder / "site.toml").open("a") as file:
        file.write(f'\n[gate.issuers.tesla]\nca = "tesla.pem"\nkind = "vin-in-cn"\ndevices = {devices}\n')
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    return Standing(hands.site)


def test_a_car_of_another_authority_is_known_by_the_vin_in_its_certificate(hands, maker):
    standing = settled(hands, maker)
    car = vehicles.add(hands.site, VIN)
    assert standing.identify(maker.sign(VIN)) == car.id
    assert standing.identify(maker.sign(VIN, usages=(BOARD,))) == car.id
    assert maker.pem.strip() in standing.authorities()


def test_whoever_else_the_maker_certifies_is_no_vehicle(hands, maker):
    standing = settled(hands, maker)
    vehicles.add(hands.site, VIN)
    assert standing.identify(maker.sign(VIN, usages=(CHARGER,))) is None
    assert standing.identify(maker.sign(VIN, usages=(WIFI,))) is None
    assert standing.identify(maker.sign(VIN, usages=())) is None
    assert standing.identify(maker.sign(VIN, VIN)) is None
    assert standing.identify(maker.sign("LTEST000000000018")) is None
    assert standing.identify(maker.sign(f"{vehicles.look_up(hands.site, VIN.encode()):016x}")) is None
    assert standing.identify(maker.certificate.public_bytes(DER)) is None


def test_a_namesake_of_the_authority_signs_nothing(hands, maker):
    standing = settled(hands, maker)
    vehicles.add(hands.site, VIN)
    assert standing.identify(Maker().sign(VIN)) is None
    assert standing.identify(Maker("somebody").sign(VIN)) is None
    assert standing.identify(b"no certificate") is None


def test_without_a_list_of_usages_any_certificate_with_a_vin_will_do(hands, maker):
    standing = settled(hands, maker, devices="[]")
    car = vehicles.add(hands.site, VIN)
    assert standing.identify(maker.sign(VIN, usages=())) == car.id


def test_it_counts_in_its_time_and_until_the_car_is_retired(hands, maker):
    standing = settled(hands, maker)
    car = vehicles.add(hands.site, VIN)
    assert standing.identify(maker.sign(VIN, begin=datetime(2030, 1, 1, tzinfo=UTC))) is None
    assert standing.identify(maker.sign(VIN, begin=datetime(2015, 1, 1, tzinfo=UTC))) is None
    good = maker.sign(VIN)
    assert standing.identify(good) == car.id
    handover.retire(hands.site, vehicles.find(hands.site, VIN))
    assert standing.changed()
    assert standing.identify(good) is None


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_file_that_is_none_is_named_with_its_key(hands, maker, content):
    settled(hands, maker)
    file = hands.site.folder / "tesla.pem"
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(Malformed, match=r"gate\.issuers\.tesla\.ca"):
        Standing(hands.site)
