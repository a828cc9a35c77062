"""Entries are canonical JSON of known fields, and nothing that could be somebody's data."""

import json

import pytest

from onshore.ledger.entry import KINDS, article, digest, entry, read
from onshore.words.errors import Broken, Malformed

HEAD = {"at": 1_766_000_000_123, "site": "0123456789abcdef", "jurisdiction": "CN"}
D = "sha256:" + "0" * 64
INGEST = {
    "pack": "cn/2026-02",
    "packdigest": D,
    "rows_in": 10,
    "rows_kept": 7,
    "cells": [("track", "consent", "consented", 7), ("", "none", "not-in-catalogue", 3)],
    "segments": 1,
    "obj": D,
    "journals": 1,
}
JUDGED = {"verdict": "refuse", "reasons": ["assessment-required"], "facts": D, "packs": [D, D]}
SAMPLES = {
    "site": {},
    "ingest": INGEST,
    "log/closed": {"state": "closed", "next": "onshore.example/cn/shanghai/2027"},
    "log/opened": {"state": "opened", "last": "onshore.example/cn/shanghai", "size": 7, "root": D, "year": 2026},
    "consent/given": {"obj": D, "state": "given", **JUDGED},
    "consent/withdrawn": {"obj": D, "state": "withdrawn"},
    "permit": {"obj": D, "state": "revoked"},
    "permit/recorded": {"obj": D, "state": "recorded", "scan": D, "number": "2026-0042"},
    "clock/doubted": {"obj": D, "state": "doubted", "until": 7, "number": "2026-0042", "by": "officer"},
    "clock/lifted": {
        "obj": D,
        "state": "lifted",
        "until": 7,
        "number": "2026-0042",
        "by": "officer",
        "vouched": "witnesses",
    },
    "view/leaving": {
        "obj": D,
        "state": "leaving",
        "request": D,
        "permit": D,
        "categories": ["track"],
        "dest": "DE",
        "subjects": 2,
    },
    "view/left": {"obj": D, "state": "left", "rows": 3},
    "view/cut": {"obj": D, "state": "cut", "rows": 3},
    "view/unsent": {"obj": D, "state": "unsent"},
    "declared": {"obj": D, "by": D, "year": 2026, "sensitive": 1, "ordinary": 2, "number": "2026-0042"},
    "move": {"obj": D, "to": "asked"},
    "approval": {"obj": D, "state": "given", "basis": D},
    "request": {"obj": D, **JUDGED},
    "release/leaving": {
        "obj": D,
        "state": "leaving",
        "manifest": D,
        "permit": D,
        "parts": [D, D],
        "dest": "DE",
        "subjects": 1,
        "rows": 2,
        "bytes": 3,
    },
    "release/unsent": {"obj": D, "state": "unsent"},
    "release/cut": {"obj": D, "state": "cut", "bytes": 3},
    "egress": {"total": 9, "payload": 7, "to": [("DE", 9)], "unexplained": 0},
    "attempt": {"what": "connect", "bytes": 0},
    "receipt": {"obj": D, "parcel": D, "bytes": 3},
    "switch/lenient": {"name": "strict_art3_5", "state": "lenient", "opinion": "2026/12", "obj": D},
    "switch/strict": {"name": "strict_art3_5", "state": "strict"},
    "witnesses/asked": {"state": "asked", "obj": D, "witnesses": 3},
    "witnesses/none": {"state": "none"},
    "zone": {"obj": D, "state": "imported"},
    "erase": {"obj": D, "segments_old": 2, "segments_new": 1, "rows": 5},
    "take": {"obj": D, "rows": 5, "parts": 2, "bytes": 900},
    "vehicle": {"obj": D, "state": "sold"},
    "policy": {"obj": D, "signals": 3, "purposes": 1},
    "compact": {"old": [D, D], "new": [D], "rows": 5},
    "retire": {
        **JUDGED,
        "category": "track",
        "ground": "consent",
        "articles": ["TC260-001 (2021)", D],
        "first": "2026-09-21",
        "last": "2026-09-22",
        "rows": 5,
        "old": [D, D],
        "new": [D],
    },
    "forward": {"to": "national", "rows": 2, "refused": 1},
    "unsent": {"to": "national", "rows": 2, "why": "unlisted"},
    "query/asked": {
        "obj": D,
        "state": "asked",
        "role": "officer",
        "purpose": "warranty-analysis",
        "categories": ["track"],
    },
    "query/refused": {"obj": D, "state": "refused", "why": "category-not-served"},
    "query": {"obj": D, "state": "answered", "rows": 5},
    "paper": {"obj": D, "paper": D, "which": "export-notice", "state": "filed"},
    "task": {"obj": D, "what": "rejected-offer-report", "state": "done"},
    "court/asked": {"obj": D, "state": "asked", "dest": "US", **JUDGED},
    "court/approved": {"obj": D, "state": "approved", "dest": "US", **JUDGED},
    "court/refused": {"obj": D, "state": "refused", "dest": "US"},
    "view/refused": {"state": "refused", "what": "vehicle-show", "role": "officer", "dest": "DE", **JUDGED},
    "view/shown": {"obj": D, "state": "shown", "what": "spot-check", "role": "regulator", "rows": 20},
    "account": {"obj": D, "state": "added", "role": "officer"},
    "incident/reported": {"obj": D, "state": "reported", "to": "CN", "number": "CAC-2026-7"},
    "incident": {"obj": D, "state": "opened"},
    "complaint": {"obj": D, "state": "answered", "about": "export"},
    "report": {"obj": D, "what": "annual", "year": 2026},
    "recall": {"obj": D},
    "backup": {"obj": D, "files": 3, "bytes": 900, "rows": 5},
    "restore": {"obj": D, "since": 7, "recalled": 2, "erased": 1, "newest": "shown"},
    "key": {"role": "root", "state": "rotated"},
}


def test_every_kind_has_a_sample():
    assert set(SAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", SAMPLES)
def test_entries_are_canonical_and_read_back(kind):
    raw = entry(kind.split("/")[0], **HEAD, **SAMPLES[kind])
    said = json.loads(raw)
    assert raw == json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    assert read(raw) == said
    assert said["t"] == kind.split("/")[0]
    assert said["at"] == "2025-12-17T19:33:20.123Z"
    assert said["v"] == 1


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_field_is_needed_and_held_to_its_form(kind):
    for name in SAMPLES[kind]:
        rest = {k: v for k, v in SAMPLES[kind].items() if k != name}
        with pytest.raises(Malformed):
            entry(kind.split("/")[0], **HEAD, **rest)
        for value in ("LSVAU2180N2183294", 1.5, None, -1, True, 2**53, [None], {"a": 1}, "Zhang San", ["31.2304"]):
            with pytest.raises(Malformed):
                entry(kind.split("/")[0], **HEAD, **rest, **{name: value})


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("drive", {}),
        ("release", {"obj": D, "state": "gone"}),
        ("release/unsent", {"obj": D, "state": "unsent"}),
        ("site", {"vin": "LSVAU2180N2183294"}),
        ("consent", {"obj": D, "state": "given", **JUDGED, "note": "hello"}),
        ("consent", {"obj": D, "state": "given"}),
        ("ingest", INGEST | {"cells": [("track", "consent", "consented")]}),
        ("ingest", INGEST | {"cells": [("track", "consent", "consented", "7")]}),
        ("ingest", INGEST | {"cells": "track"}),
        ("request", {"obj": D, "verdict": "refuse", "reasons": ["lsvau2180n2183294"]}),
    ],
)
def test_what_has_no_place_in_a_log_is_refused(kind, fields):
    with pytest.raises(Malformed) as refused:
        entry(kind, **HEAD, **fields)
    assert "LSVAU" not in str(refused.value).upper()


@pytest.mark.parametrize("head", [{"at": -1}, {"at": 253_402_300_800_000}, {"site": "a b"}, {"jurisdiction": "China"}])
def test_the_head_is_held_to_its_form(head):
    with pytest.raises(Malformed):
        entry("site", **(HEAD | head))


def test_an_entry_fits_a_bundle():
    with pytest.raises(Malformed, match="65535"):
        entry("ingest", **HEAD, **(INGEST | {"cells": INGEST["cells"] * 1000}))


def test_digests_name_text_bytes_and_fields():
    assert digest("a") == digest(b"a") == "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert digest({"b": 1, "a": (1, "x")}) == digest('{"a":[1,"x"],"b":1}')


def test_foreign_entries_are_broken():
    with pytest.raises(Broken):
        read(b'{"a": 1}')


def test_an_article_stands_as_its_pack_writes_it_or_by_its_digest():
    assert article("PIPL Art. 47 (1); PIPL Art. 19") == "PIPL Art. 47 (1); PIPL Art. 19"
    assert article("第四十七条") == digest("第四十七条")
    assert article("LTEST000000000001") == digest("LTEST000000000001"), "whatever looks like a VIN is none of the log's"
