"""Headers of tus and manifests: read, or refused in words that repeat nothing of them."""

import base64
import hashlib
import json

import pytest

from onshore.gate.upload import protocol
from onshore.gate.upload.manifest import permitted, read, targets
from onshore.words.errors import Malformed, Refusal

SAID = {"format": "csv", "channels": {"speed": "Vehicle.Speed"}, "time": {"columns": ["t"]}}


def b64(data):
    return base64.b64encode(data).decode()


def test_metadata_is_pairs_in_base64():
    assert protocol.metadata({}) == {}
    assert protocol.metadata({"upload-metadata": f"a {b64(b'x')}, flag,"}) == {"a": b"x", "flag": b""}
    for wrong in ("a !!", f"a {b64(b'x')},a {b64(b'y')}", "a é"):
        with pytest.raises(Malformed):
            protocol.metadata({"upload-metadata": wrong})


def test_a_count_of_bytes_is_digits():
    assert protocol.whole_number({"upload-offset": "17"}, "Upload-Offset") == 17
    for wrong in ("", "-1", "1.5", "x", "٣", "9" * 19):
        with pytest.raises(Malformed):
            protocol.whole_number({"upload-offset": wrong}, "Upload-Offset")


def test_a_checksum_fits_or_not():
    assert protocol.checksum({}) is None
    for name in protocol.ALGORITHMS:
        said = protocol.checksum({"upload-checksum": f"{name} {b64(hashlib.new(name, b'abc').digest())}"})
        assert said is not None
        assert said.fits(b"abc")
        assert not said.fits(b"abd")
    for wrong in ("sha256", "md5 AAAA", "sha256 !!"):
        with pytest.raises(Malformed):
            protocol.checksum({"upload-checksum": wrong})


def test_a_manifest_must_be_there():
    assert protocol.manifest({"manifest": b"{}"}) == b"{}"
    with pytest.raises(Malformed):
        protocol.manifest({})


def test_refusals_are_told_to_people_and_programs():
    said = protocol.refused(Refusal("busy", "later", remedy="wait"))
    assert (said.status, said.headers["Retry-After"]) == (503, "10")
    assert json.loads(said.body) == {"refused": "busy", "says": "later", "article": "", "remedy": "wait"}
    assert protocol.refused(Refusal("no-ground", "no")).status == 403
    assert protocol.refused(Malformed("what", where="byte 1")).status == 422
    assert protocol.refused(Malformed("what")).status == 400
    assert protocol.options(7).headers["Tus-Max-Size"] == "7"
    assert protocol.other_version().status == 412


BAD = [
    b"",
    b"[]",
    b"\xff",
    b"[" * 10_000,
    json.dumps({**SAID, "more": 1}).encode(),
    json.dumps({**SAID, "format": "bag"}).encode(),
    json.dumps({**SAID, "drive": "../x"}).encode(),
    json.dumps({**SAID, "channels": {}}).encode(),
    json.dumps({**SAID, "time": None}).encode(),
    json.dumps({"format": "candump", "channels": {"a": "b"}}).encode(),
]


@pytest.mark.parametrize("data", BAD, ids=lambda d: d[:20].decode("latin-1"))
def test_what_is_no_manifest_is_malformed(data):
    with pytest.raises(Malformed, match=r"manifest|CSV|CAN"):
        read(data)


def test_a_manifest_is_held_against_the_car_and_the_limits():
    said = read(json.dumps({**SAID, "vehicle": f"{7:016x}", "size": 5}).encode())
    permitted(said, 7, 5, 5)
    for vehicle, size, reason in ((8, 5, "another-vehicle"), (7, 6, "too-large"), (7, 4, "size-differs")):
        with pytest.raises(Refusal) as refused:
            permitted(said, vehicle, size, 5)
        assert refused.value.reason == reason


def test_channels_that_may_not_be_collected_are_not_read():
    from onshore.site import read_catalogue

    catalogue = read_catalogue()
    channels = {"v": {"signal": "Vehicle.Speed", "scale": 3.6}, "lat": "Vehicle.CurrentLocation.Latitude", "x": "None"}
    said = read(json.dumps({**SAID, "channels": channels}).encode())
    assert targets(said, catalogue, {"driving-behaviour"})["v"].scale == 3.6
    assert list(targets(said, catalogue, {"driving-behaviour"})) == ["v"]
    with pytest.raises(Refusal, match="nobody allowed it"):
        targets(said, catalogue, {"health"})
