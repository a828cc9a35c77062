"""`onshore decode gb32960`: what goes where, and the exit codes."""

import json

from click.testing import CliRunner

from onshore.cli.decoding import decode
from onshore.gate.gb32960.protocol import frame

HEARTBEAT = frame(7, 0xFE, b"LTEST000000000017").hex()
BAD = HEARTBEAT[:-2] + "00"


def run(text, *arguments):
    result = CliRunner().invoke(decode, ["gb32960", *arguments], input=text)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def test_good_frames_blank_lines_and_capitals():
    code, said, talk = run(f"{HEARTBEAT}\n\n{HEARTBEAT.upper()}\r\n")
    assert (code, talk) == (0, "")
    assert [s["command"] for s in said] == ["heartbeat"] * 2


def test_a_bad_frame_does_not_stop_the_rest():
    code, said, talk = run(f"{BAD}\n{HEARTBEAT[:-2]}\n{HEARTBEAT}\n")
    assert (code, talk) == (1, "")
    assert said[:2] == [{"reject": "bad checksum"}, {"reject": "incomplete"}]
    assert said[2]["body"] == {}


def test_not_hex_is_wrong_usage_and_says_which_line():
    for line in ("2323zz", "é"):
        code, said, talk = run(f"{HEARTBEAT}\n{line}\n{HEARTBEAT}\n")
        assert (code, len(said)) == (2, 1)
        assert "line 2 is not hex" in talk


def test_a_file(tmp_path):
    path = tmp_path / "frames.txt"
    path.write_text(HEARTBEAT)
    assert run("", str(path))[0] == 0
    assert run("", str(tmp_path / "absent"))[0] == 2


def test_unknown_protocol_is_wrong_usage():
    assert CliRunner().invoke(decode, ["morse"]).exit_code == 2


def test_stream_tells_frames_and_rest_on_stdout_and_damage_on_stderr():
    cut = len(HEARTBEAT) - 10
    code, said, talk = run(f"00{HEARTBEAT[:cut]}\n{HEARTBEAT[cut:]}{BAD}{HEARTBEAT}2323\n", "--stream")
    assert said == [{"frame": HEARTBEAT}, {"frame": HEARTBEAT}, {"rest": "2323"}]
    assert (code, talk) == (1, "rejected: bad checksum\n")


def test_stream_of_a_frame_longer_than_the_standard_allows():
    code, said, talk = run(HEARTBEAT[:44] + "ffff00\n", "--stream")
    assert said[-1].keys() == {"rest"}
    assert (code, talk) == (1, "rejected: too long\n")
