"""Period settings: how often a car is asked to report, and what its answers are taken for."""

from collections import Counter

import pytest

from onshore.gate.gb32960 import encode, reference
from onshore.gate.gb32960.door import Door
from onshore.gate.gb32960.protocol import HEADER, START_2025, TIME, Command, Flag, frame
from onshore.gate.gb32960.setting import period_of, report_period
from onshore.gate.gb32960.talk import Talk

VIN, CAR, NOW = b"LTEST000000000017", 7, 1_790_000_000_000
CARRIED = frozenset({"Vehicle.Speed"})


def policy(*lines):
    return {"collect": [{"period_ms": ms, "signals": dict.fromkeys(names, "")} | more for ms, names, more in lines]}


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        ([], 30),
        ([(10_000, ["Vehicle.Speed"], {"door": "gb32960"}), (2_500, ["Vehicle.Speed"], {})], 2),
        ([(100, ["Vehicle.Speed"], {})], 1),
        ([(3_600_000, ["Vehicle.Speed"], {})], 30),
        ([(1_000, ["Vehicle.Cabin.Temperature"], {}), (9_000, ["Vehicle.Speed"], {})], 9),
        ([(1_000, ["Vehicle.Speed"], {"door": "mqtt"})], 30),
    ],
)
def test_the_shortest_period_of_what_this_door_carries_counts(lines, seconds):
    assert period_of(policy(*lines), "gb32960", CARRIED) == seconds


@pytest.mark.parametrize("later", [False, True])
def test_the_command_is_read_back(later):
    said = reference.decode(report_period(VIN, NOW, 20, later=later))
    assert (said["command"], said["ack"], said["version"]) == ("parameter_set", "command", 2025 if later else 2016)
    assert said["body"]["parameters"] == {"report_period_s": 20}


class Orders:
    def __init__(self):
        self.due, self.heard, self.fails = (3, policy((5_000, ["Vehicle.Speed"], {}))), [], None

    def untold(self, vehicle):
        assert vehicle == CAR
        if self.fails:
            raise self.fails
        return self.due

    def checked_in(self, vehicle, version, at):
        if self.fails:
            raise self.fails
        self.heard.append((vehicle, version, at))

    def changed(self, vehicles):
        return [(vehicle, b"") for vehicle in vehicles]


class Papers:
    def look_up(self, vin):
        return CAR if vin == VIN else None

    def key_of(self, vehicle):
        return None


class Line:
    certificate, address, answers, identity = None, "here", [], None

    def __init__(self, door):
        self.said, self.ended = [], []
        self.talk = Talk(door, self)

    def say(self, answer):
        self.said.append(answer)

    def end(self, why):
        self.ended.append(why)

    def charge(self, frames):
        pass

    def tell(self):
        self.talk.tell()


@pytest.fixture
def orders():
    return Orders()


@pytest.fixture
def line(orders):
    door = Door(Papers(), lambda _: None, lambda: NOW, orders=orders, carried=CARRIED)
    door.logged_in = lambda line: door.by_identity.setdefault(CAR, line)
    door.counts = Counter()
    return Line(door)


def log_in(line):
    line.talk.hear(encode.login(VIN, NOW, 1, "89860000000000000017"))
    return line.said[1:]


def answer(asked, flag=Flag.OK, vin=VIN, time=None):
    return frame(asked[2], flag, vin, time or asked[HEADER : HEADER + TIME], start=asked[:2])


def test_a_car_is_asked_after_its_login_and_says_that_it_obeys(line, orders):
    [asked] = log_in(line)
    assert asked[HEADER + TIME : -1] == b"\x01\x02\x00\x05"
    line.talk.hear(answer(asked))
    assert orders.heard == [(CAR, 3, NOW)]
    line.talk.hear(answer(asked))
    assert orders.heard == [(CAR, 3, NOW)]
    assert line.talk._door.counts == {"answers ignored": 1}


@pytest.mark.parametrize(
    "wrong",
    [{"vin": b"LTEST000000000018"}, {"time": b"\x01" * 6}],
)
def test_an_answer_to_something_else_says_nothing(line, orders, wrong):
    [asked] = log_in(line)
    line.talk.hear(answer(asked, **wrong))
    line.talk.hear(frame(Command.PARAMETER_QUERY, Flag.OK, VIN, asked[HEADER : HEADER + TIME]))
    assert orders.heard == []
    line.talk.hear(answer(asked))
    assert len(orders.heard) == 1


def test_a_car_that_refuses_is_counted(line, orders):
    [asked] = log_in(line)
    line.talk.hear(answer(asked, Flag.ERROR))
    assert orders.heard == []
    assert line.talk._door.counts["setting refused"] == 1


def test_papers_that_do_not_answer_keep_nobody_out(line, orders):
    orders.fails = OSError()
    assert log_in(line) == []
    assert line.ended == []
    orders.fails = None
    line.talk.tell()
    orders.fails = OSError()
    line.talk.hear(answer(line.said[-1]))
    assert line.talk._door.counts["policy not told"] == 2


def test_a_car_that_obeys_is_asked_nothing_and_a_new_policy_is_told_at_once(line, orders):
    due, orders.due = orders.due, None
    assert log_in(line) == []
    orders.due = due
    line.talk._door.tell()
    assert line.said[-1][2] == Command.PARAMETER_SET


def test_a_door_without_orders_tells_nothing():
    door = Door(Papers(), lambda _: None, lambda: NOW)
    door.tell()
    line = Line(door)
    line.talk.tell()
    assert line.said == []
    assert report_period(VIN, NOW, 1, later=True)[:2] == START_2025
