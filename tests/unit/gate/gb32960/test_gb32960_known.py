"""Whom the door knows: by the register and by the settings of a real site."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from onshore.cli.init import make_site
from onshore.gate.gb32960.cipher import Secret
from onshore.gate.gb32960.known import Known, secret_of
from onshore.register import vehicles
from onshore.register.certificates import Standing
from onshore.site import open_site
from onshore.vault.papers import writing
from onshore.words.errors import Malformed

VIN = b"LTEST000000000001"
PLATFORM = '[gate.platforms.delta]\nuser = "delta"\npassword = "keys/delta"\n'


@pytest.fixture
def folder(tmp_path):
    make_site(tmp_path / "site", "CN", "s")
    return tmp_path / "site"


def known(folder, more="", **files):
    for name, text in files.items():
        (folder / "keys" / name).write_bytes(text)
    toml = folder / "site.toml"
    toml.write_text(f"{toml.read_text()}\n{more}")
    site = open_site(folder)
    return Known(site, lambda vin: vehicles.look_up(site, vin), Standing(site)), site


def test_a_car_and_its_key(folder):
    here, site = known(folder)
    car = vehicles.add(site, VIN.decode(), check_digit=False).id
    assert (here.look_up(VIN), here.accepts(car), here.identify(b"no certificate")) == (car, True, None)
    assert here.key_of(car) is None
    point = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    assert here.activate(car, b"chip", point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)) == 1
    assert here.key_of(car).public.public_numbers() == point.public_numbers()


def test_a_platform_is_known_by_user_and_password(folder):
    here, _ = known(folder, PLATFORM, delta=b"a password\nand a remark\n")
    asked = [(b"delta", b"a password"), (b"delta", b"a passwor"), (b"delt", b"a password"), (b"", b"")]
    assert [here.platform(*words) for words in asked] == ["delta", None, None, None]


@pytest.mark.parametrize(("vins", "sends"), [("[]", True), ('["LTEST", "LX"]', True), ('["LX"]', False)])
def test_a_platform_sends_for_the_cars_that_the_settings_name(folder, vins, sends):
    here, _ = known(folder, f"{PLATFORM}vins = {vins}\n", delta=b"a password\n")
    assert here.sends("delta", VIN) == sends


def test_no_chip_is_believed_that_nobody_awaits_where_the_settings_say_so(folder):
    toml = folder / "site.toml"
    toml.write_text(toml.read_text().replace("[gate]", '[gate]\nactivation = "awaited"'))
    here, site = known(folder)
    car = vehicles.add(site, VIN.decode(), check_digit=False).id
    assert here.activate(car, b"chip", b"key") == 3


def test_papers_that_do_not_answer_are_told_as_a_disk_that_does_not(folder):
    here, site = known(folder)
    with writing(site.engine) as conn:
        conn.exec_driver_sql("DROP TABLE chips")
    for ask in (lambda: here.key_of(1), lambda: here.activate(1, b"chip", b"key")):
        with pytest.raises(OSError, match="do not answer"):
            ask()


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "password: the file cannot be read: FileNotFoundError"),
        ({"delta": b""}, "a password has 1 to 20 characters"),
        ({"delta": b"x" * 21}, "a password has 1 to 20 characters"),
        ({"delta": "\u5bc6".encode()}, "the file cannot be read: UnicodeDecodeError"),
    ],
)
def test_a_password_that_is_none(folder, files, says):
    with pytest.raises(Malformed, match=says):
        known(folder, PLATFORM, **files)


def test_the_keys_of_bodies(folder):
    assert secret_of(known(folder)[1]) is None
    keys = '[gate.body_keys]\naes128 = "keys/aes"\nmode = "cbc"\n'
    _, site = known(folder, keys, aes=b"000102030405060708090a0b0c0d0e0f\n")
    assert secret_of(site) == Secret(bytes(range(16)), None, "cbc")


@pytest.mark.parametrize(("key", "says"), [(b"xx", "32 hex digits"), (b"00" * 15, "16 bytes")])
def test_a_key_that_is_none(folder, key, says):
    _, site = known(folder, '[gate.body_keys]\nsm4 = "keys/sm4"\n', sm4=key)
    with pytest.raises(Malformed, match=says):
        secret_of(site)
