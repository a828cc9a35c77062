"""All vectors of the stream, byte for byte: ours, and the shared ones where they are at hand."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.decoding import decode as command
from onshore.gate.fleet import encode, envelope, protocol
from onshore.gate.fleet.decode import Record, decode
from onshore.gate.fleet.websocket import Frames, Message
from onshore.words.errors import Malformed


@pytest.fixture(scope="module", params=["ours", "shared"])
def book(request):
    """The whole book of vectors: our copy, then the shared one."""
    name = "fleet_telemetry_vectors.json" if request.param == "ours" else "data/fleet_telemetry_vectors.json"
    folder = request.getfixturevalue("vectors" if request.param == "ours" else "shared")
    return json.loads((folder / name).read_text())


def run(lines):
    result = CliRunner().invoke(command, ["fleet"], input="".join(f"{x}\n" for x in lines))
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def test_the_book_is_not_thin(book):
    assert len(book["vectors"]) >= 6
    assert len(book["negative"]) >= 5
    assert {v["expect"]["topic"] for v in book["vectors"]} == {"V", "alerts", "connectivity"}


def test_command_line(book):
    code, said = run(v["stream_hex"] for v in book["vectors"])
    assert code == 0
    assert said == [v["expect"] for v in book["vectors"]]


def test_bad_messages(book):
    code, said = run(n["hex"] for n in book["negative"])
    assert code == 1
    assert said == [{"reject": "incomplete"}] * len(book["negative"])
    for negative in book["negative"]:
        data = bytes.fromhex(negative["hex"])
        with pytest.raises(Malformed):
            envelope.read(data)
        [reply] = Frames(1 << 20, from_client=False).feed(protocol.heard(data))
        assert reply == Message(envelope.error(b"")), negative["name"]


def test_a_message_that_no_door_takes():
    assert run(["00" * 1_000_001]) == (1, [{"reject": "too long"}])
    assert run(["00" * 1_000_000])[1] == [{"reject": "bad envelope: a table without fields"}]


def test_envelopes_are_written_as_they_were(book):
    for vector in book["vectors"]:
        said = vector["expect"]
        stream = envelope.Stream(
            said["created_at"],
            said["sender_id"].encode(),
            bytes.fromhex(said["payload_hex"]),
            said["device_type"].encode(),
            said["device_id"].encode(),
        )
        sent = envelope.record(said["txid"].encode(), said["topic"].encode(), stream, said["message_id"].encode())
        assert sent.hex() == vector["stream_hex"], vector["name"]


def test_replies(book):
    for vector in book["vectors"]:
        read = envelope.read(bytes.fromhex(vector["stream_hex"]))
        assert envelope.ack(read.txid, read.topic).hex() == vector["ack_hex"], vector["name"]
        assert envelope.error(read.txid).hex() == vector["error_hex"], vector["name"]
        acknowledged = envelope.read(bytes.fromhex(vector["ack_hex"]))
        assert acknowledged == envelope.Envelope(read.txid, read.topic, envelope.ACK, b"", None)
        assert envelope.read(bytes.fromhex(vector["error_hex"])).stream.payload == envelope.WRONG


def test_payloads_are_written_as_they_were(book):
    for vector in book["vectors"]:
        said = vector["expect"]
        write = {"V": encode.payload, "alerts": encode.alerts}.get(said["topic"])
        if write is not None:
            assert write(said["payload_json"]).hex() == said["payload_hex"], vector["name"]


def test_a_reply_as_a_line_is_told_for_what_it_is(book):
    vector = book["vectors"][0]
    code, (ack, error) = run([vector["ack_hex"], vector["error_hex"]])
    assert code == 0
    assert ack == {"txid": vector["expect"]["txid"], "topic": "V", "message_type": 5, "message_id": ""}
    assert (error["topic"], error["proto"], error["payload_json"]) == ("", None, None)


def test_rows(book):
    """What the old firmware says in text and the new one with types comes out alike, in the units of VSS."""
    by_name = {v["name"]: v["expect"] for v in book["vectors"]}
    said = [by_name[name] for name in ("V_untyped_strings", "V_typed", "V_resend", "alerts")]
    records = [Record(one["topic"], bytes.fromhex(one["payload_hex"]), one["created_at"] * 1000) for one in said]
    decoded = decode(records, range(4), 0)
    old, new, again, alert = [
        {name: value for name, value in row.items() if value is not None} for row in decoded.batch.to_pylist()
    ]
    assert (decoded.rejected, decoded.batch.num_rows) == ([], 4)
    assert old["Vehicle.Speed"] == pytest.approx(55.5 * 1.609344)
    place = ("Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude")
    assert [old[half] for half in place] == [-37.412374, 122.145867]
    assert old["Vehicle.Powertrain.Transmission.SelectedGear"] == 127
    assert new["Vehicle.Speed"] == pytest.approx(61.5 * 1.609344)
    assert [new[half] for half in place] == [31.2304, 121.4737]
    assert new["Vehicle.TraveledDistance"] == round(15591 * 1609.344)
    assert new["Vehicle.Powertrain.Transmission.SelectedGear"] == 127
    assert new["Vehicle.Onshore.Charging.State"] == "Disconnected"
    assert new["Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"] is True
    assert new["Vehicle.Body.Trunk.Rear.IsOpen"] is False
    assert "Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed" not in new
    assert again["Vehicle.Powertrain.TractionBattery.StateOfCharge.Displayed"] == 74
    assert alert["Vehicle.Onshore.Alert.Name"] == "VCFRONT_a180"
    assert alert["Vehicle.Onshore.Alert.Audiences"] == "Customer,Service"
    assert alert["time"].isoformat() == "2026-01-01T00:00:00.123000+00:00"
