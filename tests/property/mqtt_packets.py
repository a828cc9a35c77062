"""Control packets of both versions of MQTT, as anybody may send them."""

from hypothesis import strategies as st

from onshore.gate.mqtt import packets as p
from onshore.gate.mqtt.properties import TABLE, Kind, Property, _flag, _four, _pair, _two
from onshore.gate.mqtt.protocol import V3, V5
from onshore.gate.mqtt.reading import RETURN_CODES
from onshore.gate.mqtt.wire import MOST, Cursor

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
topics = st.text(st.sampled_from("ab/é"), min_size=1, max_size=8)
blobs = st.binary(max_size=40)
two = st.integers(1, 0xFFFF)
reasons = st.integers(0, 255)
_VALUES = {
    _flag: st.integers(0, 1),
    _two: two,
    _four: st.integers(1, 0xFFFFFFFF),
    Cursor.varint: st.integers(1, MOST),
    Cursor.text: texts,
    Cursor.binary: blobs,
    _pair: st.tuples(texts, texts),
}


def properties(kind):
    """Properties that a packet may have, in any order; a user property as often as it likes."""

    def values(name):
        value = _VALUES[TABLE[name][0]]
        many = name == Property.USER or (name == Property.SUBSCRIPTION_ID and kind == Kind.PUBLISH)
        return st.lists(value, min_size=1, max_size=3) if many else value

    allowed = [n for n in TABLE if kind in TABLE[n][1] and n != Property.TOPIC_ALIAS]
    chosen = st.lists(st.sampled_from(allowed), unique=True, max_size=4)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({int(n): values(n) for n in names}))


def _said(version, kind):
    return properties(kind) if version == V5 else st.just({})


def publishes(version):
    def build(qos, number, dup, topic, payload, retain, said):
        return p.Publish(topic, payload, qos, number if qos else 0, retain, dup and qos > 0, said)

    return st.builds(
        build, st.integers(0, 2), two, st.booleans(), topics, blobs, st.booleans(), _said(version, Kind.PUBLISH)
    )


def connects(version):
    wills = st.builds(p.Will, topics, blobs, st.integers(0, 2), st.booleans(), _said(version, Kind.WILL))

    def build(client_id, clean, keep, will, user, password, said):
        secret = password if version == V5 or user is not None else None
        if Property.AUTH_METHOD not in said:
            said.pop(Property.AUTH_DATA, None)
        return p.Connect(version, client_id, clean, keep, will, user, secret, said)

    return st.builds(
        build,
        texts,
        st.booleans(),
        st.integers(0, 0xFFFF),
        st.none() | wills,
        st.none() | texts,
        st.none() | blobs,
        _said(version, Kind.CONNECT),
    )


def _filters(version):
    if version == V3:
        return st.builds(p.Filter, topics, st.integers(0, 2))
    return st.builds(p.Filter, topics, st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 2))


def _answers(version, kind):
    reason = reasons if version == V5 else st.just(0)
    return st.builds(p.Answer, st.just(int(kind)), two, reason, _said(version, kind))


def _last(version, packet, kind):
    return st.builds(packet, reasons, properties(kind)) if version == V5 else st.just(p.Disconnect())


def from_client(version):
    """What a client sends after its CONNECT."""
    some = [publishes(version), st.just(p.Ping()), _last(version, p.Disconnect, Kind.DISCONNECT)]
    some += [_answers(version, kind) for kind in (Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP)]
    filters = st.lists(_filters(version), min_size=1, max_size=3)
    some.append(st.builds(p.Subscribe, two, filters, _said(version, Kind.SUBSCRIBE)))
    names = st.lists(topics, min_size=1, max_size=3)
    some.append(st.builds(p.Unsubscribe, two, names, _said(version, Kind.UNSUBSCRIBE)))
    return st.one_of(some)


def from_server(version):
    """What a server sends."""
    codes = reasons if version == V5 else st.sampled_from([int(r) for r in RETURN_CODES.values()])
    several = st.lists(reasons if version == V5 else st.sampled_from([0, 1, 2, 0x80]), max_size=3)
    some = [
        publishes(version),
        st.just(p.Ping(answer=True)),
        st.builds(p.Connack, codes, st.booleans(), _said(version, Kind.CONNACK)),
        st.builds(p.Answers, st.just(int(Kind.SUBACK)), two, several, _said(version, Kind.SUBACK)),
        _answers(version, Kind.PUBACK),
    ]
    unsuback = several if version == V5 else st.just([])
    some.append(st.builds(p.Answers, st.just(int(Kind.UNSUBACK)), two, unsuback, _said(version, Kind.UNSUBACK)))
    if version == V5:
        some.append(_last(version, p.Disconnect, Kind.DISCONNECT))
        some.append(_last(version, p.Auth, Kind.AUTH))
    return st.one_of(some)
