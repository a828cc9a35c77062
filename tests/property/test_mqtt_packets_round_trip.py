"""Decode undoes encode, for every packet of both versions, however the bytes are split into reads."""

from hypothesis import given
from hypothesis import strategies as st
from mqtt_packets import connects, from_client, from_server

from onshore.gate.mqtt.protocol import V3, V5, Reader, encode

versions = st.sampled_from((V3, V5))


def split(data, cuts):
    ends = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


def read(reader, pieces):
    return [event for piece in pieces for event in reader.feed(piece)]


cuts = st.lists(st.integers(0, 1 << 16), max_size=6)


@given(versions.flatmap(lambda v: st.tuples(connects(v), st.lists(from_client(v), max_size=4))), cuts)
def test_what_a_client_sends(sent, places):
    connect, more = sent
    everything = [connect, *more]
    data = b"".join(encode(packet, connect.version) for packet in everything)
    reader = Reader(1 << 20)
    assert read(reader, split(data, places)) == everything
    assert reader.version == connect.version
    assert not reader.unfinished


@given(versions.flatmap(lambda v: st.tuples(st.just(v), st.lists(from_server(v), min_size=1, max_size=4))), cuts)
def test_what_a_server_sends(sent, places):
    version, packets = sent
    data = b"".join(encode(packet, version) for packet in packets)
    assert read(Reader(1 << 20, version=version), split(data, places)) == packets
