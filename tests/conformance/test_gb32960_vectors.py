"""All vectors of the 2016 edition: ours, and where the shared folder is at hand the others too."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.decoding import decode as command
from onshore.gate.gb32960 import encode, reference
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import Splitter, reply
from onshore.words.errors import Malformed


@pytest.fixture(scope="module", params=["ours", "shared"])
def book(request):
    """The whole book of vectors: our copy, then the shared one."""
    name = "gbt32960_synthetic.json" if request.param == "ours" else "data/gbt32960_vectors.json"
    folder = request.getfixturevalue("vectors" if request.param == "ours" else "shared")
    return json.loads((folder / name).read_text())


@pytest.fixture(scope="module")
def frames_2016(book):
    return [v for v in book["vectors"] if v["expect"]["version"] == 2016]


def run(lines, *options):
    result = CliRunner().invoke(command, ["gb32960", *options], input="".join(f"{x}\n" for x in lines))
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def rejected(negative):
    """What our output says of a bad frame: the reason, or that there is too little of it."""
    said = negative["expect"]
    return said.removeprefix("reject: ") if said.startswith("reject: ") else "incomplete"


def test_the_book_is_not_thin(frames_2016, book):
    assert len(frames_2016) >= 25
    assert len(book["negative"]) >= 5
    assert len(book["streams"]) >= 6


def test_reference_decoder(frames_2016):
    for vector in frames_2016:
        assert reference.decode(bytes.fromhex(vector["hex"])) == vector["expect"], vector["name"]


def test_command_line(frames_2016):
    code, said = run(v["hex"] for v in frames_2016)
    assert code == 0
    assert said == [v["expect"] for v in frames_2016]


def test_encoder_writes_the_same_bytes(frames_2016):
    for vector in frames_2016:
        if vector["name"] != "2016_all_invalid":  # its gear byte has bits that have no meaning
            assert encode.encode(vector["expect"]).hex() == vector["hex"], vector["name"]


def test_fast_decoder_accepts_the_real_time_frames_and_no_others(frames_2016):
    frames = [bytes.fromhex(v["hex"]) for v in frames_2016]
    decoded = decode(frames, list(range(len(frames))), 0)
    accepted = {
        i
        for i, v in enumerate(frames_2016)
        if v["expect"]["command"] in {"realtime", "resend"}
        and v["expect"]["ack"] == "command"
        and v["expect"]["encryption"] == "none"
    }
    assert set(decoded.batch.column("vehicle").to_pylist()) == accepted
    assert {i for i, _ in decoded.rejected} == set(range(len(frames))) - accepted


def test_bad_frames(book):
    code, said = run(n["hex"] for n in book["negative"])
    assert code == 1
    assert said == [{"reject": rejected(n)} for n in book["negative"]]
    for negative in book["negative"]:
        with pytest.raises(Malformed) as bad:
            reference.decode(bytes.fromhex(negative["hex"]))
        assert bad.value.what == rejected(negative), negative["name"]


def test_streams_through_the_splitter(book):
    for stream in book["streams"]:
        splitter = Splitter()
        events = [e for read in stream["reads"] for e in splitter.feed(bytes.fromhex(read))]
        assert [e.hex() for e in events if isinstance(e, bytes)] == stream["frames"], stream["name"]
        assert splitter.rest.hex() == stream["rest"], stream["name"]


def test_streams_through_the_command_line(book):
    for stream in book["streams"]:
        code, said = run(stream["reads"], "--stream")
        assert code == 0
        assert said == [*({"frame": f} for f in stream["frames"]), {"rest": stream["rest"]}], stream["name"]


def test_replies(book):
    by_name = {v["name"]: bytes.fromhex(v["hex"]) for v in book["vectors"]}
    for pair in book["replies"]:
        answer = reply(by_name[pair["request"]], pair["ack"], bytes.fromhex(pair["now"]))
        assert answer.hex() == pair["reply_hex"], pair["request"]


def test_the_2025_edition_is_refused_and_not_misread(book):
    later = [v for v in book["vectors"] if v["expect"]["version"] == 2025]
    code, said = run(v["hex"] for v in later)
    assert code == int(bool(later))
    assert said == [{"reject": "edition 2025 is not supported"}] * len(later)
