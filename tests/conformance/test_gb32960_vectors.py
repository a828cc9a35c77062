"""All vectors of both editions: ours, and where the shared folder is at hand the others too."""

import json

import pytest
from click.testing import CliRunner

from onshore.cli.decoding import decode as command
from onshore.gate.gb32960 import encode, reference, signatures
from onshore.gate.gb32960.columns import SIGNATURE_STATE
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import Splitter, flag_of, reply
from onshore.gate.gb32960.signatures import State
from onshore.words.errors import Malformed


@pytest.fixture(scope="module", params=["ours", "shared"])
def book(request):
    """The whole book of vectors: our copy, then the shared one."""
    name = "gbt32960_synthetic.json" if request.param == "ours" else "data/gbt32960_vectors.json"
    folder = request.getfixturevalue("vectors" if request.param == "ours" else "shared")
    return json.loads((folder / name).read_text())


@pytest.fixture(scope="module")
def vectors(book):
    return book["vectors"]


def run(lines, *options):
    result = CliRunner().invoke(command, ["gb32960", *options], input="".join(f"{x}\n" for x in lines))
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def rejected(negative):
    """What our output says of a bad frame: the reason, or that there is too little of it."""
    said = negative["expect"]
    return said.removeprefix("reject: ") if said.startswith("reject: ") else "incomplete"


def test_the_book_is_not_thin(vectors, book):
    versions = [v["expect"]["version"] for v in vectors]
    assert (versions.count(2016) >= 25, versions.count(2025) >= 12) == (True, True)
    assert len(book["negative"]) >= 5
    assert len(book["streams"]) >= 6


def test_reference_decoder(vectors):
    for vector in vectors:
        assert reference.decode(bytes.fromhex(vector["hex"])) == vector["expect"], vector["name"]


def test_command_line(vectors):
    code, said = run(v["hex"] for v in vectors)
    assert code == 0
    assert said == [v["expect"] for v in vectors]


def test_encoder_writes_the_same_bytes(vectors):
    for vector in vectors:
        if vector["name"] != "2016_all_invalid":  # its gear byte has bits that have no meaning
            assert encode.encode(vector["expect"]).hex() == vector["hex"], vector["name"]


def test_fast_decoder_accepts_the_real_time_frames_and_no_others(vectors):
    frames = [bytes.fromhex(v["hex"]) for v in vectors]
    decoded = decode(frames, list(range(len(frames))), 0)
    accepted = {
        i
        for i, v in enumerate(vectors)
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


def test_signatures(book):
    """The signed frame, and its twin with one byte altered and the right checksum."""
    known = signatures.key(book["signed"]["public_key_pem"].encode())
    good, tampered = (bytes.fromhex(book["signed"][name]) for name in ("good_hex", "tampered_hex"))
    states = [signatures.verify(sent, known) for sent in (good, tampered)]
    assert states == [State.VALID, State.INVALID]
    decoded = decode([good, tampered], [1, 2], 0, signed=states)
    assert decoded.batch.column("vehicle").to_pylist() == [1]
    assert decoded.batch.column(SIGNATURE_STATE).to_pylist() == [1]
    assert decoded.rejected == [(1, "signature invalid")]
    assert flag_of(tampered, decoded.rejected[0][1]) == 5


def test_without_a_key_a_signature_is_not_verifiable(vectors):
    found = {v["expect"]["version"]: set() for v in vectors}
    for vector in vectors:
        said = vector["expect"]
        if said["command"] in {"realtime", "resend"} and said["ack"] == "command" and said["encryption"] == "none":
            found[said["version"]].add(signatures.verify(bytes.fromhex(vector["hex"]), None))
    assert found == {2016: {None}, 2025: {State.NOT_VERIFIABLE}}
