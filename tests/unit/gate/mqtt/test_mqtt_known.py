"""Who a broker's cars are, and the broker itself, as the settings and the register have it."""

import ssl

import pytest
from sqlalchemy.exc import OperationalError

from mqtt_makers import Garage
from onshore.cli.mqtt import Mqtt
from onshore.gate.mqtt import known
from onshore.gate.mqtt.client import Cars
from onshore.gate.mqtt.known import broker_of, finder, patterns_of
from onshore.gate.mqtt.packets import Connect
from onshore.register import vehicles
from onshore.vault.lock import hold
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings_gate import MqttBridge


@pytest.fixture(scope="module")
def garage(tmp_path_factory):
    return Garage(tmp_path_factory.mktemp("garage"))


def settings(**said):
    return MqttBridge(**{"host": "broker", "jurisdiction": "CN", "topics": {"f/{vin}": "alerts"}} | said)


def test_cars_are_found_by_vin_and_by_id(garage):
    car = garage.car(1)
    find = finder(garage.site, lambda vin: vehicles.look_up(garage.site, vin))
    assert find(car.vin, True) == find(car.name, False) == car.id
    assert find("LTEST999999999999", True) is None
    for name in ("0" * 15 + "1", "f" * 16, "tbox", car.name.upper() + "x"):
        assert find(name, False) is None


def test_papers_that_do_not_answer_are_an_os_error(garage, monkeypatch):
    def broken(_):
        raise OperationalError("select", {}, Exception("locked"))

    monkeypatch.setattr(known, "reading", broken)
    with pytest.raises(OSError, match="do not answer"):
        finder(garage.site, lambda _: None)("0" * 15 + "1", False)


def test_cars_are_remembered_until_the_next_look(monkeypatch):
    monkeypatch.setattr("onshore.gate.mqtt.client._KNOWN", 2)
    asked = []
    cars = Cars(lambda name, by_vin: asked.append(name) or 7)
    assert [cars.find(name, by_vin=True) for name in "aab"] == [7, 7, 7]
    assert asked == ["a", "b"]
    cars.find("c", by_vin=True)
    cars.look()
    cars.find("c", by_vin=True)
    assert asked == ["a", "b", "c", "c"]


def test_cars_are_asked_for_again_only_where_the_register_may_say_something_else():
    asked, changes = [], iter((False, True))
    cars = Cars(lambda name, by_vin: asked.append(name) or 7, lambda: next(changes))
    for _ in range(3):
        cars.find("a", by_vin=True)
        if len(asked) < 2:
            cars.look()
    assert asked == ["a", "a"]


def test_the_broker_as_the_settings_have_it(garage):
    car = garage.car(2)
    folder = garage.site.folder
    (folder / "secret").write_text("open sesame\nmore")
    shown = {"ca": str(car.ca), "certificate": str(car.cert), "key": str(car.key)}
    broker = broker_of(garage.site, settings(user="onshore", password="secret", **shown))
    assert (broker.user, broker.password) == ("onshore", b"open sesame")
    assert broker.ssl.verify_mode == ssl.CERT_REQUIRED
    hello = broker.connect(70_000, 1 << 18)
    assert isinstance(hello, Connect)
    assert (hello.version, hello.clean, hello.user) == (5, False, "onshore")
    old = broker_of(garage.site, settings(version="3.1.1", tls=False))
    assert old.ssl is None
    assert old.connect(1, 1).properties == {}
    assert [p.kind for p in patterns_of(settings())] == ["a"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"password": "none"}, "cannot be read"),
        ({"ca": "none"}, "for TLS with the broker"),
        ({"certificate": "x"}, "TLS"),
    ],
)
def test_files_that_are_not_there_are_told(garage, said, words):
    with pytest.raises(Malformed, match=words):
        broker_of(garage.site, settings(**said))


def test_a_broker_elsewhere_is_refused(garage):
    with pytest.raises(Refusal, match="stands in DE") as refused:
        broker_of(garage.site, settings(jurisdiction="DE"))
    assert refused.value.reason == "bridge-abroad"


class Noted:
    """Stands in for a bridge that is asked to start."""

    def __init__(self):
        self.started = 0

    def start(self):
        self.started += 1


def test_one_gate_of_a_site_runs_the_bridge(tmp_path):
    first, second = Mqtt(None, Noted(), tmp_path / "bridge"), Mqtt(None, Noted(), tmp_path / "bridge")
    Mqtt(None).start()
    with hold(tmp_path / "bridge", "bridge"):
        first.start()
        assert first.bridge.started == 0
    first.start()
    first.start()
    second.start()
    assert (first.bridge.started, second.bridge.started) == (1, 0)
    first._held.close()
    second.start()
    assert second.bridge.started == 1
    second._held.close()
