"""What is said to a platform, and which frames its answers answer."""

import pytest

from onshore.gate.forward.talk import Answer, Ear, Login, Window, again_after, pause
from onshore.gate.gb32960 import encode, reference
from onshore.gate.gb32960.protocol import HEADER, TIME, Command, Flag, frame, reply

AT = 1_790_000_000_000
VIN, OTHER = b"LTEST000000000017", b"LTEST000000000018"


def sent(at=AT, vin=VIN, speed=1.0):
    return encode.realtime(vin, at, {"vehicle": {"speed_kmh": speed}})


def to(frame_, flag=Flag.OK, command=None):
    return Answer(frame_[2] if command is None else command, frame_[4:21], frame_[HEADER : HEADER + TIME], flag)


@pytest.mark.parametrize("edition", [2016, 2025])
def test_login_and_logout_are_those_of_a_platform(edition):
    login = Login(b"SHANGHAI", "user", "password", edition)
    said = reference.decode(login.say(AT, 3))
    assert (said["version"], said["command"], said["body"]["serial"]) == (edition, "platform_login", 3)
    assert (said["body"]["username"], said["body"]["password"]) == ("user", "password")
    assert reference.decode(login.leave(AT, 3))["command"] == "platform_logout"
    assert reference.decode(login.alive())["command"] == "heartbeat"


def test_a_platforms_answers_are_heard_and_its_commands_are_not():
    one, other = sent(), sent(AT + 1000)
    control = frame(Command.TERMINAL_CONTROL, Flag.COMMAND, VIN, b"\0" * 7)
    data = reply(one, Flag.OK, b"") + b"noise" + control + reply(other, Flag.ERROR, b"")
    ear = Ear()
    found = [answer for at in range(0, len(data), 7) for answer in ear.hear(data[at : at + 7])]
    assert found == [to(one), to(other, Flag.ERROR)]


def test_a_window_is_done_when_all_are_answered_in_whatever_order():
    frames = [sent(), b"", sent(AT + 1000), sent(vin=OTHER), sent(speed=2.0)]
    window = Window(frames)
    for answer, answered in (
        (to(frames[2]), 0),
        (to(frames[3], command=Command.HEARTBEAT), 0),
        (to(sent(AT + 5000)), 0),
        (to(frames[0]), 3),
        (to(frames[3], Flag.ERROR), 4),
        (to(frames[4], Flag.ERROR, Command.RESEND), 5),
    ):
        window.heard(answer)
        assert window.answered == answered
    assert window.done
    assert window.refused == [3, 4]
    window.heard(to(frames[0]))  # said once too often
    assert window.refused == [3, 4]


def test_nothing_to_send_is_done_at_once():
    assert Window([b"", b""]).done
    assert Window([]).answered == 0


def test_what_is_refused_is_tried_a_bounded_number_of_times():
    assert [again_after(tries) for tries in range(8)] == [60, 60, 60, 1800, 1800, 1800, None, None]


def test_a_minute_twice_then_half_an_hour():
    assert [pause(n) for n in range(1, 8)] == [60, 60, 1800, 60, 60, 1800, 60]
