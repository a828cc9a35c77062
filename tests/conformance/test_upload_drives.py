"""Recorded drives of real cars, read by every reader that can; the same drive says the same in each format."""

import pytest

from onshore.gate.upload.candump import CandumpReader
from onshore.gate.upload.dbc import parse
from onshore.gate.upload.decode import Target
from onshore.gate.upload.delimited import DelimitedReader
from onshore.gate.upload.frames import Database
from onshore.gate.upload.manifest import Instant
from onshore.gate.upload.mcap import McapReader
from onshore.gate.upload.mdf4 import Mdf4Reader
from onshore.gate.upload.reading import Limits
from onshore.site import read_catalogue
from upload_files import read_all, told

CATALOGUE = read_catalogue()
SPEED, ANGLE = CATALOGUE["Vehicle.Speed"], CATALOGUE["Vehicle.Chassis.SteeringWheel.Angle"]
LATITUDE = CATALOGUE["Vehicle.CurrentLocation.Latitude"]
CHANNELS = {"SPEED.SPEED": Target(SPEED), "STEER_ANGLE_SENSOR.STEER_ANGLE": Target(ANGLE)}


@pytest.fixture
def drives(shared):
    return shared / "data" / "drives"


@pytest.fixture
def messages(drives):
    return parse((drives / "_toyota_2017.dbc").read_text())


def candump(drives, messages):
    data = (drives / "rav4_can_5s.log").read_bytes()
    return told(read_all(CandumpReader(Database(messages, [0], CHANNELS), Limits()), data, range(0, len(data), 7001)))


def test_a_can_log_says_the_same_as_candump_and_as_mcap(drives, messages):
    reader = McapReader(
        {**CHANNELS, "/gnss.lat": Target(LATITUDE)}, Database(messages, [0], CHANNELS), ["/can"], Limits()
    )
    rows = told(read_all(reader, (drives / "rav4_can_5s.mcap").read_bytes()))
    places = [row for row in rows if LATITUDE.name in dict(row[1])]
    assert len(places) == 48
    assert [row for row in rows if row not in places] == candump(drives, messages)


def test_signals_in_mdf_are_those_of_the_frames(drives, messages):
    rows = told(read_all(Mdf4Reader(CHANNELS, Limits()), (drives / "rav4_signals_5s.mf4").read_bytes()))
    frames = candump(drives, messages)
    for signal in (SPEED, ANGLE):
        one, other = ([c[signal.name] for _, cells in r if signal.name in (c := dict(cells))] for r in (rows, frames))
        assert len(one) > 200
        assert one == pytest.approx(other, abs=1e-3)
    assert rows[-1][0] - rows[0][0] == pytest.approx(frames[-1][0] - frames[0][0], abs=2)


def test_every_database_is_read(drives, messages):
    assert messages[180].signals["SPEED"].scale == 0.01
    assert len(parse((drives / "toyota_2017_ref_pt.dbc").read_text())) == 143


def test_a_drive_in_csv(drives):
    reader = DelimitedReader(
        {"Speed": Target(SPEED), "LAT": Target(LATITUDE)},
        Instant(columns=["Date", "Time"], format="%m/%d/%Y %H:%M:%S"),
        Limits(),
    )
    rows = told(read_all(reader, (drives / "twizy_T3_04_22_2021_1.csv").read_bytes(), range(0, 130_000, 999)))
    assert len(rows) == 1049
    assert dict(rows[0][1])[LATITUDE.name] == 33.986153
    assert rows[0][0] == 1_619_080_970_000
