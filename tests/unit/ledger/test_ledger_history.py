"""The links between a log's years, as a log that we did not write may tell them."""

import json

import pytest

from onshore.ledger import history
from onshore.ledger.log import Log
from onshore.ledger.note import Wrong
from onshore.ledger.signer import LogSigner
from onshore.ledger.verify import Trust

SEED, ORIGIN = b"s" * 32, "example.org/shanghai"


def made(**fields):
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def looked_at(folder, *entries):
    log = Log(folder, SEED, ORIGIN)
    log.recover()
    log.append(entries)
    return [str(one) for one in history.log(lambda name: _read(folder / name), Trust(LogSigner(ORIGIN, SEED).keys))]


def _read(path):
    return path.read_bytes() if path.exists() else None


def test_a_log_that_nothing_was_appended_to(tmp_path):
    assert "0 entries" in looked_at(tmp_path)[0]


@pytest.mark.parametrize(
    "words",
    [
        {"t": "recall", "obj": "sha256:00", "because": {"t": "log"}},
        {"t": "log", "state": "resting", "last": "example.org/shanghai", "size": 1, "root": "00", "year": 2025},
    ],
)
def test_an_entry_that_speaks_of_logs_and_links_none(tmp_path, words):
    assert not [line for line in looked_at(tmp_path, made(**words)) if "goes on" in line]


def test_a_link_that_does_not_say_to_which_log(tmp_path):
    with pytest.raises(Wrong, match="entry 0: it links two logs, and does not say which"):
        looked_at(
            tmp_path, made(t="log", state="opened", last="example.org/shanghai", size="many", root="00", year=2025)
        )
