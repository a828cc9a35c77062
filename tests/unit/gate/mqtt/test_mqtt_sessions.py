"""Sessions end when they said they would; topics say whose they are; what is known of a broker's disk."""

import pytest

from onshore.gate.mqtt.packets import Filter
from onshore.gate.mqtt.persistence import persistence
from onshore.gate.mqtt.sessions import NEVER, Sessions
from onshore.gate.mqtt.topics import is_name, pattern, topic
from onshore.words.errors import Malformed
from onshore.words.settings_gate import MqttBridge


def begun(sessions, name, expiry, now=0.0, *, clean=False):
    return sessions.begin((1, name), expiry, now, clean=clean)


def test_a_session_is_there_until_it_expires():
    sessions = Sessions(10, 1000, 3)
    session, present = begun(sessions, "a", 60)
    assert not present
    session.subscribed = Filter("p", 1)
    sessions.leave(session, 5.0)
    again, present = begun(sessions, "a", 60, 64.9)
    assert present
    assert again.subscribed == Filter("p", 1)
    sessions.leave(session, 65.0)  # the one that was taken up elsewhere
    assert begun(sessions, "a", 60, 66.0)[1]
    sessions.leave(begun(sessions, "a", 60, 66.0)[0], 70.0)
    assert not begun(sessions, "a", 60, 130.0)[1]


def test_a_clean_start_and_no_expiry_leave_nothing():
    sessions = Sessions(10, 1000, 3)
    sessions.leave(begun(sessions, "a", 60)[0], 1.0)
    assert not begun(sessions, "a", 0, 2.0, clean=True)[1]
    sessions.leave(begun(sessions, "a", 0, 3.0)[0], 3.0)
    assert not begun(sessions, "a", 60, 3.0)[1]


def test_who_left_first_is_forgotten_first():
    sessions = Sessions(2, NEVER, 3)
    for name in "abc":
        sessions.leave(begun(sessions, name, NEVER)[0], 1.0)
    assert [begun(sessions, name, 1, 1e9)[1] for name in "abc"] == [False, True, True]


def test_a_car_forgets_its_own_sessions_alone():
    sessions = Sessions(10, NEVER, 2)
    sessions.leave(sessions.begin((2, "other"), NEVER, 0.0, clean=False)[0], 0.0)
    for name in "abc":
        sessions.leave(begun(sessions, name, NEVER)[0], 1.0)
    assert [begun(sessions, name, 1, 1e9)[1] for name in "abc"] == [False, True, True]
    assert sessions.begin((2, "other"), 1, 1e9, clean=False)[1]
    assert not sessions._of


def test_sessions_that_ended_are_let_go():
    sessions = Sessions(10, 100, 3)
    assert sessions.granted(NEVER) == 100
    for name, expiry in (("a", 10), ("b", 50)):
        sessions.leave(begun(sessions, name, expiry)[0], 0.0)
    sessions.forget(20.0)
    assert list(sessions._away) == [(1, "b")]


def test_packet_identifiers_go_round():
    session, _ = begun(Sessions(1, 1, 3), "a", 0)
    session.last_id = 0xFFFE
    assert [session.next_id(), session.next_id()] == [0xFFFF, 1]


def test_topics():
    assert topic(255, "t") == "v1/00000000000000ff/t"
    assert is_name("00000000000000ff")
    assert not any(map(is_name, ("00000000000000FF", "00000000000000ff0", "tbox", "")))
    found = pattern("fleet/{vin}/telemetry", "t")
    assert found.filter == "fleet/+/telemetry"
    assert found.named("fleet/LTEST000000000017/telemetry") == "LTEST000000000017"
    for other in ("fleet//telemetry", "fleet/a/b/telemetry", "fleet/telemetry", "other/a/telemetry", "fleet/a/alarm"):
        assert found.named(other) is None
    assert pattern("{vehicle}", "a").named("00000000000000ff") == "00000000000000ff"
    for bad in ("fleet/+/{vin}", "fleet/telemetry", "{vin}/{vehicle}", "a{vin}", "fleet/{car}/{vin}", "#/{vin}"):
        with pytest.raises(Malformed, match="names the car in one level"):
            pattern(bad, "t")


def broker(**said):
    return MqttBridge(host="broker", jurisdiction="CN", topics={"{vin}": "telemetry"}, **said)


@pytest.mark.parametrize(
    ("said", "good", "words"),
    [
        ({}, False, "nobody answers"),
        ({"persistence": "off"}, False, "nobody answers"),
        ({"persistence": "off", "stated_by": "the platform team"}, True, "as the platform team says; a client cannot"),
        ({"persistence": "on", "stated_by": "the platform team"}, False, "writes what cars send to its disk, as the"),
        ({"persistence": "on"}, False, "nobody by name"),
    ],
)
def test_somebody_answers_for_the_brokers_disk(tmp_path, said, good, words):
    found = persistence(broker(**said), tmp_path)
    assert found[0] == good
    assert words in found[1]


@pytest.mark.parametrize(
    ("text", "good", "words"),
    [
        ("# persistence true\nlistener 8883\n", True, "in memory alone"),
        ("persistence false\n\n", True, "in memory alone"),
        ("persistence\n", True, "in memory alone"),
        ("  persistence   true\n", False, "configured to write"),
        ("include_dir {folder}/more\n", False, "configured to write"),
    ],
)
def test_or_its_files_do(tmp_path, text, good, words):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "a.conf").write_text("persistence true\n")
    (tmp_path / "mosquitto.conf").write_text(text.format(folder=tmp_path))
    found = persistence(broker(config=["mosquitto.conf"]), tmp_path)
    assert found[0] == good
    assert words in found[1]


def test_files_that_cannot_be_read_answer_for_nothing(tmp_path):
    assert persistence(broker(config=["none.conf"]), tmp_path) == (
        False,
        "the configuration of broker:8883 cannot be read: FileNotFoundError",
    )
