"""A car's chip is activated once; its key is the car's until somebody takes it back."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.init import make_site
from onshore.cli.main import cli
from onshore.register import chips, vehicles
from onshore.register.chips import Info
from onshore.site import open_site
from onshore.words.errors import Malformed, Refusal

VIN = "LTEST000000000001"
ACTOR = ("--as", "officer")


@pytest.fixture
def site(tmp_path):
    make_site(tmp_path / "site", "CN", "s")
    return open_site(tmp_path / "site")


@pytest.fixture
def cars(site):
    return [vehicles.add(site, f"LTEST00000000000{n}", check_digit=False).id for n in (1, 2)]


def test_the_first_key_stays(site, cars):
    one, two = cars
    assert chips.key_of(site, one) is None
    assert chips.activate(site, one, b"chip", b"key") == Info.KEPT
    assert chips.activate(site, one, b"chip", b"key") == Info.KEPT
    assert chips.activate(site, one, b"chip", b"other") == Info.VIN_IN_USE
    assert chips.activate(site, one, b"another", b"key") == Info.VIN_IN_USE
    assert chips.activate(site, two, b"chip", b"key") == Info.CHIP_IN_USE
    assert chips.activate(site, two, b"second", b"second") == Info.KEPT
    assert [chips.key_of(site, car) for car in cars] == [b"key", b"second"]


def test_a_key_that_was_taken_back_leaves_room_for_another(site, cars):
    assert not chips.forget(site, cars[0])
    chips.activate(site, cars[0], b"chip", b"key")
    assert chips.forget(site, cars[0])
    assert chips.activate(site, cars[0], b"new", b"new") == Info.KEPT
    site.settle()
    told = [json.loads(e) for e in site.ledger.entries()]
    assert [e["state"] for e in told if e["t"] == "vehicle" and "activated" in e["state"]] == [
        "activated",
        "deactivated",
        "activated",
    ]


def test_neither_chip_nor_key_stands_in_the_clear(site, cars):
    chips.activate(site, cars[0], b"chip-of-a-car", b"key-of-a-car")
    papers = b"".join(path.read_bytes() for path in site.folder.glob("papers.sqlite*"))
    assert b"chip-of-a-car" not in papers
    assert b"key-of-a-car" not in papers


def chip(name):
    return name.encode().ljust(16, b"\0")


def test_no_chip_but_the_awaited_one_is_believed(site, cars):
    one, two = cars
    assert chips.activate(site, one, chip("C1"), b"key", first=False) == Info.VIN_IN_USE
    chips.expect(site, one, "C1")
    assert chips.key_of(site, one) is None
    assert chips.activate(site, one, chip("C2"), b"key") == Info.VIN_IN_USE
    assert chips.activate(site, two, chip("C1"), b"key") == Info.CHIP_IN_USE
    assert chips.activate(site, one, chip("C1"), b"key", first=False) == Info.KEPT
    assert chips.key_of(site, one) == b"key"
    assert chips.activate(site, one, chip("C1"), b"key", first=False) == Info.KEPT
    for car, name in ((one, "C3"), (two, "C1")):
        with pytest.raises(Refusal) as refused:
            chips.expect(site, car, name)
        assert refused.value.reason == "chip-in-use"


@pytest.mark.parametrize("name", ["", "x" * 17, "\u00e9", "a\nb"])
def test_a_chip_has_a_name(site, cars, name):
    with pytest.raises(Malformed, match="1 to 16"):
        chips.expect(site, cars[0], name)


def test_a_chip_is_awaited_and_taken_back_by_command(site, cars):
    def said(*args):
        done = CliRunner().invoke(cli, ["vehicle", "chip", VIN, *args, "--site", str(site.folder), *ACTOR])
        return done.exit_code, done.stdout + done.stderr

    assert said()[0] == 2
    assert said("--await", "C1", "--forget")[0] == 2
    assert said("--forget") == (0, "it had none\n")
    assert said("--await", "C1") == (0, "awaited\n")
    assert said("--await", "C2")[0] == 1
    assert json.loads(said("--forget", "--json")[1]) == {"chip": "forgotten"}
    assert chips.activate(site, cars[0], chip("C2"), b"key") == Info.KEPT
