"""Logs as JSON: a line for each thing said, of an error its kind alone, and no car or place in any of it."""

import io
import json
import logging

import pytest

from onshore.cli import common, logs


@pytest.fixture
def lines():
    out = io.StringIO()
    root = logging.getLogger()
    handlers, level, talk = root.handlers[:], root.level, common._talk
    logs.begin("5f2c", ("gate", "keep"), out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    common.talk_to(talk)


def test_what_is_said_to_a_person_is_a_line(lines):
    common.say("gate gb32960 listens on 127.0.0.1:32960\nand says so")
    (line,) = lines()
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "site": "5f2c",
        "roads": ["gate", "keep"],
        "from": "onshore.serve",
        "says": "gate gb32960 listens on 127.0.0.1:32960\nand says so",
    }


def test_of_an_error_its_kind_and_place_are_told_and_not_its_words(lines):
    try:
        float("LTEST000000000001 at 31.2304, 121.4737")
    except ValueError:
        logging.getLogger("onshore.gate.door").exception("a batch was not kept")
    (line,) = lines()
    assert (line["level"], line["from"], line["error"]) == ("error", "onshore.gate.door", "ValueError")
    assert line["where"][-1].startswith("test_of_an_error")
    assert "LTEST" not in json.dumps(line)
    assert "31.2304" not in json.dumps(line)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("car LTEST000000000001 left", "car … left"),
        ("at 31.2304,-121.47370", "at …,…"),
        ("127.0.0.1:32960, version 0.1.0, 12.5 s", "127.0.0.1:32960, version 0.1.0, 12.5 s"),
        ("segment 9F86D081884C7D659A2FEAA0C55AD015", "segment 9F86D081884C7D659A2FEAA0C55AD015"),
    ],
)
def test_what_looks_like_a_car_or_a_place_is_masked(lines, said, kept):
    common.say(said)
    assert lines()[0]["says"] == kept


def test_warnings_of_others_are_lines_too(lines):
    logging.getLogger("py.warnings").warning("%s", "old")
    assert lines()[0]["from"] == "py.warnings"
