"""The plain reader finds what Google's protobuf finds, value by value, and refuses what it refuses."""

import math

import pytest
from bench._fleet_proto import SMALL, Payload
from google.protobuf.message import DecodeError
from hypothesis import given, settings

from fleet_makers import payloads
from onshore.gate.fleet import reference, tables
from onshore.words.errors import Malformed

NAMES = tables.PLAIN | tables.ENUM_FIELDS


def value(datum):
    """The kind of a value, and the value."""
    name = datum.value.WhichOneof("value") if datum.HasField("value") else None
    if name is None:
        return 0, None
    kind = {name: kind for kind, name in NAMES.items()}[name]
    raw = getattr(datum.value, name)
    return kind, tuple(getattr(raw, part) for part in SMALL[kind][1]) if kind in SMALL else raw


def same(ours, theirs):
    if isinstance(ours, tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs or (isinstance(ours, float) and math.isnan(ours) and math.isnan(theirs))


@settings(max_examples=300)
@given(payloads())
def test_payloads(sent):
    try:
        found = reference.payload(sent)
    except Malformed as bad:
        if "groups" not in bad.what:  # which proto3 has no more, and which protobuf skips
            with pytest.raises(DecodeError):
                Payload.FromString(sent)
        return
    theirs = Payload.FromString(sent)
    assert (found.vin, found.resend) == (theirs.vin, theirs.is_resend)
    when = (theirs.created_at.seconds, theirs.created_at.nanos) if theirs.HasField("created_at") else None
    assert found.created == when
    assert [key for key, _, _ in found.data] == [one.key for one in theirs.data]
    for (_, kind, raw), one in zip(found.data, theirs.data, strict=True):
        their_kind, their_raw = value(one)
        assert kind == their_kind
        assert same(raw, their_raw)
