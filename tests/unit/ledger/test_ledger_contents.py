"""An opened parcel: what is in it is what the ledger names, and no more than its permit lets go."""

import base64

import pytest

from onshore.ledger import verify
from onshore.ledger.contents import contents
from onshore.ledger.entry import digest
from onshore.ledger.note import Wrong
from release_makers import LISTED, MANIFEST, PARTS, PERMIT, SAID, permit_of, release


def proof_with(**fields):
    raw = release(**fields)
    return f"{verify.PROOF}\nextra {base64.b64encode(raw).decode()}\nindex 0\n\nx".encode()


def test_what_an_opened_parcel_holds():
    found = [str(f) for f in contents(proof_with(), MANIFEST, PERMIT, PARTS)]
    assert [line.split(":")[1].strip() for line in found] == ["manifest", "permit", "permit's terms", "parts"]


def test_opened_parcels_that_are_wrong():
    other = verify.canonical(SAID | {"permit": digest(b"else")})
    twice = verify.canonical(SAID | {"parts": [*LISTED, LISTED[0]]})
    alike = verify.canonical(SAID | {"parts": [LISTED[0], LISTED[1] | {"name": LISTED[0]["name"]}]})
    twins = MANIFEST.replace(b'"parts"', b'"parts":[],"parts"', 1)
    shapeless = verify.canonical(SAID | {"parts": [{"name": "parts/0.parquet", "category": "track", "rows": 2}]})
    cases = [
        ({}, MANIFEST + b" ", PERMIT, PARTS, "manifest"),
        ({}, MANIFEST, PERMIT + b"x", PARTS, "permit"),
        ({"manifest": digest(other)}, other, PERMIT, PARTS, "permit"),
        ({"manifest": digest(b"[]")}, b"[]", PERMIT, PARTS, "manifest"),
        ({"manifest": digest(twins)}, twins, PERMIT, PARTS, "manifest"),
        ({"manifest": digest(twice)}, twice, PERMIT, PARTS, "manifest"),
        ({"manifest": digest(alike)}, alike, PERMIT, PARTS, "manifest"),
        ({"manifest": digest(shapeless)}, shapeless, PERMIT, PARTS, "manifest"),
        ({}, MANIFEST, PERMIT, PARTS | {"parts/0.parquet": "00"}, "parts/0.parquet"),
        ({}, MANIFEST, PERMIT, PARTS | {"parts/2.parquet": "00"}, "parts/2.parquet"),
        ({}, MANIFEST, PERMIT, {}, "parts/0.parquet"),
        ({"parts": [digest(b"0")]}, MANIFEST, PERMIT, PARTS, "parts"),
    ]
    for fields, manifest, permit, parts, where in cases:
        with pytest.raises(Wrong) as wrong:
            list(contents(proof_with(**fields), manifest, permit, parts))
        assert wrong.value.where == where


def held(said, permit=PERMIT, **entry):
    """What an opened parcel is told where everything but the words is as the ledger names it."""
    manifest = verify.canonical({k: v for k, v in (SAID | {"permit": digest(permit)} | said).items() if v is not None})
    fields = {"manifest": digest(manifest), "permit": digest(permit)} | entry
    return list(contents(proof_with(**fields), manifest, permit, PARTS))


@pytest.mark.parametrize(
    "said",
    [
        *(
            {name: "other"}
            for name in ("site", "transfer", "request", "purpose", "recipient", "dest", "start", "until")
        ),
        *({name: None} for name in ("site", "transfer", "request", "purpose", "recipient", "dest", "start", "until")),
        {"categories": ["track", "voice"]},
        {"parts": [LISTED[0] | {"category": "voice"}, LISTED[1]]},
        {"subjects": 2},  # the ledger says 1
        {"subjects": -1},
    ],
)
def test_a_manifest_beyond_its_permit_or_its_entry_is_wrong(said):
    assert held({})
    with pytest.raises(Wrong) as wrong:
        held(said)
    assert wrong.value.where == "manifest"


@pytest.mark.parametrize(
    "change",
    [
        *(
            {name: "other"}
            for name in ("site", "transfer", "request", "purpose", "recipient", "recipient_jurisdiction")
        ),
        {"events_from": 6},
        {"events_until": 8},
        {"categories": ["cabin"]},
        {"persons": 0},
        {"until": "2025-12-15"},
        {"start": "2025-12-19"},
    ],
)
def test_a_permit_that_allows_less_than_what_left_is_wrong(change):
    with pytest.raises(Wrong) as wrong:
        held({}, permit_of(**change))
    assert wrong.value.where == "manifest"


SCHEMA = {"track": [{"name": "vehicle"}, {"name": "time"}, {"name": "Vehicle.Speed"}]}
SPEED = {"signals": ["Vehicle.Speed"], "rows": 2, "method": "feed", "transforms": ["drop:Vehicle.X", "space:500"]}
DONE = [{"name": "drop:Vehicle.X"}, {"name": "space:500"}, {"name": "pseudonym"}]


def test_rows_signals_method_and_transforms_are_those_of_the_permit():
    whole = {"rows": 2, "method": "feed", "schema": SCHEMA, "transforms": DONE}
    assert held(whole, permit_of(**SPEED))
    more = {"track": [*SCHEMA["track"], {"name": "Vehicle.CurrentLocation.Longitude"}]}
    dropped = {"track": [{"name": "Vehicle.X"}]}
    for said, terms, wrong in (
        ({"rows": 1}, {}, "rows"),
        ({"parts": [LISTED[0] | {"rows": 900}, LISTED[1]]}, {}, "rows"),
        ({"parts": [LISTED[0] | {"rows": 900}, LISTED[1] | {"rows": -898}]}, {}, "rows"),
        ({}, {"rows": 1}, "rows"),
        ({"schema": more}, {}, "signals"),
        ({"schema": dropped}, {"signals": []}, "signals"),
        ({"method": "file"}, {}, "method"),
        ({"transforms": DONE[1:]}, {}, "transforms"),
    ):
        with pytest.raises(Wrong, match=f"its {wrong}: beyond"):
            held(whole | said, permit_of(**SPEED | terms))
    for lacks in ("schema", "transforms"):
        with pytest.raises(Wrong, match="does not say what was permitted"):
            held(whole | {lacks: None}, permit_of(**SPEED))
    with pytest.raises(Wrong, match="does not say what was permitted"):
        held({"parts": [LISTED[0] | {"rows": "1"}, LISTED[1]]})


def test_an_entry_that_says_another_place_than_the_manifest_is_wrong():
    with pytest.raises(Wrong, match="dest"):
        held({}, dest="US")


def test_the_permits_days_are_those_of_some_zone_on_earth():
    assert held({}, permit_of(start="2025-12-18", until="2025-12-18"))  # 19:33 UTC is the next day in Shanghai


@pytest.mark.parametrize("terms", [{"persons": "2"}, {"categories": 1}, {"until": 5}])
def test_a_permit_that_does_not_say_what_it_allows_is_wrong(terms):
    with pytest.raises(Wrong) as wrong:
        held({}, permit_of(**terms))
    assert wrong.value.where == "permit"


@pytest.mark.parametrize("said", [{"subjects": None}, {"categories": None}, {"parts": [{"name": "parts/0.parquet"}]}])
def test_a_manifest_that_does_not_say_what_was_permitted_is_wrong(said):
    with pytest.raises(Wrong) as wrong:
        held(said)
    assert wrong.value.where == "permit"


def test_a_permit_that_is_no_json_is_wrong():
    with pytest.raises(Wrong) as wrong:
        held({}, b"permit\n")
    assert wrong.value.where == "permit"
