"""A frame made again from kept rows is decoded to the same rows: nothing that was kept is lost on its way on."""

import pyarrow as pa
from gb32960_frames import VIN, good
from hypothesis import given
from hypothesis import strategies as st

from onshore.gate.gb32960.again import frames_of
from onshore.gate.gb32960.columns import SIGNATURE_STATE
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.layout import CUSTOM_UNITS
from onshore.gate.gb32960.protocol import START_2025, Command
from onshore.gate.gb32960.signatures import State


def decoded(frames):
    signed = [State.NOT_VERIFIABLE if f[:2] == START_2025 else None for f in frames]
    found = decode(frames, [1] * len(frames), 5, signed=signed)
    assert found.rejected == []
    return found.batch


def rows(batch):
    """Per row what it has, by signal; units of makers are withheld by the sieve."""
    told = [{k: v for k, v in row.items() if v is not None and k != CUSTOM_UNITS} for row in batch.to_pylist()]
    for row in told:
        for name in ("Vehicle.CurrentLocation.Longitude", "Vehicle.CurrentLocation.Latitude"):
            if row.get(name) == 0:
                row[name] = 0.0  # the equator has no south
    return told


@given(st.lists(good, min_size=1, max_size=8), st.booleans())
def test_what_was_kept_comes_out_of_the_frame_made_again(frames, again):
    batch = decoded(frames)
    made = frames_of(pa.table(batch), {1: VIN}, resend=[again] * len(frames))
    base = {"vehicle", "time", "received", "door", SIGNATURE_STATE}
    expected = rows(batch)
    there = [i for i, frame in enumerate(made) if frame]
    assert all(expected[i].keys() <= base for i in range(len(frames)) if i not in there)
    if not there:
        return
    back = rows(decoded([made[i] for i in there]))
    for i, row in zip(there, back, strict=True):
        assert row == expected[i]
        assert made[i][:2] == frames[i][:2]
        assert made[i][2] == (Command.RESEND if again else Command.REALTIME)


def test_a_car_without_a_vin_here_sends_nothing_on():
    from onshore.gate.gb32960 import encode

    sent = encode.realtime(VIN, 1_790_000_000_000, {"vehicle": {"speed_kmh": 42.0}})
    assert frames_of(pa.table(decoded([sent])), {2: VIN}, resend=[False]) == [b""]
