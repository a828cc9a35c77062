"""What is said on one connection: who the car is by its certificate, what it may, and its policy on the way down."""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from onshore.gate.limits import Spent
from onshore.gate.mqtt import door
from onshore.gate.mqtt.packets import (
    Answer,
    Answers,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Filter,
    Packet,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
    Will,
)
from onshore.gate.mqtt.protocol import V3, V5, Kind, Property, Reason, encode
from onshore.gate.mqtt.sessions import NEVER, Key, Session
from onshore.gate.mqtt.topics import POLICY, UP, is_name, name_of, topic
from onshore.words.errors import OnshoreError

_FOREVER = 0xFFFF_FFFF
_NAME = 256
_WORDS = 512
"""Bytes of a packet with a reason in words; a client that takes less is told none (5.0, 3.4.2.2.2)."""


class Socket(door.Line, Protocol):
    """The connection that a talk goes on over."""

    certificate: bytes | None

    def hold(self, item: door.Item) -> None:
        """Have a message kept, and answered then."""

    def say(self, data: bytes) -> None:
        """Send at once."""

    def now(self) -> float:
        """The loop's time."""

    def quit(self, reason: Reason, why: str) -> None:
        """Close, once what waits is answered; whoever speaks version 5 is told the reason."""


class Talk:
    """One client of one car. `vehicle` is None until it is connected."""

    def __init__(self, house: door.Door, line: Socket) -> None:
        self._door, self._line = house, line
        self.version = V3
        self.vehicle: int | None = None
        self.key: Key | None = None
        self.talkative = True
        self.patience = house.limits.login_timeout_s
        self.spent, self._asked = Spent(), Spent()
        self._session: Session | None = None
        self._will: Will | None = None
        self._kinds: dict[str, str] = {}
        self._largest = _FOREVER

    def stands(self) -> bool:
        """Whether the certificate still is this car's; what one that was revoked leaves behind is not taken in."""
        certificate = self._line.certificate
        good = certificate is not None and self._door.papers.identify(certificate) == self.vehicle
        if not good:
            self._will = None
        return good

    def publish(self, message: Publish) -> None:
        """A message (3.3): to the car's own topics, at QoS 0 or 1."""
        kind = self._kinds.get(message.topic)
        if message.qos > 1:
            self._line.quit(Reason.QOS, "qos 2")
        elif message.properties.get(Property.SUBSCRIPTION_ID):
            self._line.quit(Reason.PROTOCOL_ERROR, "not mqtt")
        elif kind is not None and self.vehicle is not None:
            self._line.hold(door.Item(self._line, self.vehicle, kind, message.payload, message.packet_id))
        else:
            self._foreign(message)

    def _foreign(self, message: Publish) -> None:
        """To another topic. Only version 5 has a word for it; others are closed, as an acknowledgement would lie."""
        self._door.counts["foreign topic"] += 1
        if self.version == V5 and message.qos:
            said = encode(Answer(Kind.PUBACK, message.packet_id, Reason.NOT_AUTHORIZED), V5)
            self._line.hold(door.Item(self._line, self.vehicle or 0, "", b"", message.packet_id, said))
        else:
            self._line.quit(Reason.NOT_AUTHORIZED, "not authorized")

    def hear(self, packet: Packet) -> None:
        """Any other packet."""
        self._ACTS[type(packet)](self, packet)

    def leave(self) -> None:
        """The connection is about to end: it takes no place among the car's clients."""
        if self.vehicle is not None:
            self._door.gone(self._line, self.vehicle)

    def lost(self, now: float, *, told: bool) -> None:
        """The connection is over; `told`: the gate closes it for a reason of its own, and the will is not taken in."""
        session, will = self._session, self._will
        if session is None or self.vehicle is None or self.key is None:
            return
        self.leave()
        self._door.sessions.leave(session, now)
        if will is not None and not told:
            delay = min(will.properties.get(Property.WILL_DELAY, 0), session.expiry)
            if delay and self._door.by_identity.get(self.key) not in {None, self._line}:
                return  # the client is here again already
            item = door.Item(None, self.vehicle, self._kinds[will.topic], will.payload)
            self._door.will(self._line, self.key, item, delay)

    def offer(self, policy: bytes) -> None:
        """Send a policy that the client has not got, one at a time; a newer one replaces it."""
        session = self._session
        if session is None or session.subscribed is None or session.on_its_way or session.got == hash(policy):
            return
        wanted = session.subscribed
        retained = session.got is None or wanted.as_published
        number = session.next_id() if wanted.qos else 0
        if number:
            session.on_its_way = number, policy
        session.got = hash(policy)
        self._send(policy, number, retained=retained)

    def _send(self, policy: bytes, number: int, *, retained: bool, again: bool = False) -> None:
        assert self.vehicle is not None
        data = encode(
            Publish(topic(self.vehicle, POLICY), policy, 1 if number else 0, number, retained, again), self.version
        )
        if len(data) > self._largest:
            self._door.counts["policy too large"] += 1  # 5.0, 3.1.2.11.4: as if it had been sent
        else:
            self._line.say(data)

    def _policy(self) -> None:
        """Offer the policy in force."""
        assert self._session is not None
        policy = self._in_force()
        if policy is not None:
            self.offer(policy)
        elif self._session.got is None:
            self._session.got = hash(b"")  # what comes later was not retained when it subscribed

    def _in_force(self) -> bytes | None:
        """The policy in force, None too where it cannot be told now: it is sent when it can."""
        assert self.vehicle is not None
        try:
            return self._door.papers.policy(self.vehicle)
        except (OnshoreError, OSError):
            self._door.counts["no policy"] += 1
            return None

    def _connect(self, packet: Connect) -> None:
        self.version = packet.version
        reason, vehicle = self._refused(packet)
        if reason or vehicle is None:
            self._door.counts["refused"] += 1
            self._line.say(encode(Connack(reason), self.version))
            self._line.end("not let in")
            return
        said = packet.properties
        client_id = packet.client_id or f"{name_of(vehicle)}-{self._door.number()}"
        self.vehicle, self.key = vehicle, (vehicle, client_id)
        self._kinds = {topic(vehicle, kind): kind for kind in UP}
        self._will, self._largest = packet.will, said.get(Property.MAXIMUM_PACKET, _FOREVER)
        self.talkative = bool(said.get(Property.REQUEST_PROBLEM, 1)) and self._largest >= _WORDS
        expiry = said.get(Property.SESSION_EXPIRY, 0) if self.version == V5 else 0 if packet.clean else NEVER
        self._door.logged_in(self._line)
        now = self._line.now()
        self._session, present = self._door.sessions.begin(self.key, expiry, now, clean=packet.clean)
        self.spent = self._door.arrived(self._line, vehicle)
        self._door.back(self.key, present=present)
        answer = self._terms(packet, client_id, expiry) if self.version == V5 else {}
        self._set_patience(packet.keep_alive)
        self._line.say(encode(Connack(Reason.SUCCESS, present, answer), self.version))
        self._resume(self._session)

    def _refused(self, packet: Connect) -> tuple[Reason, int | None]:
        """Why a client is not let in, if it is not; else its car."""
        if Property.AUTH_METHOD in packet.properties:
            return Reason.AUTHENTICATION, None
        if self._door.held:  # the disk is full or slow; 3.1.1 has one word for both
            return Reason.BUSY if packet.version == V5 else Reason.UNAVAILABLE, None
        try:
            vehicle = self._door.papers.identify(self._line.certificate) if self._line.certificate else None
        except OSError:
            return Reason.UNAVAILABLE, None
        if vehicle is None:
            return Reason.NOT_AUTHORIZED, None
        return _objection(packet, vehicle), vehicle

    def _terms(self, packet: Connect, client_id: str, expiry: int) -> dict[int, Any]:
        """What a client of version 5 is told (3.2.2.3)."""
        own = self._door.own
        terms: dict[int, Any] = {
            Property.RECEIVE_MAXIMUM: min(own.pending, 0xFFFF),
            Property.MAXIMUM_QOS: 1,
            Property.MAXIMUM_PACKET: own.max_frame,
            Property.TOPIC_ALIAS_MAXIMUM: own.aliases,
            Property.WILDCARD_AVAILABLE: 0,
            Property.SUBSCRIPTION_ID_AVAILABLE: 0,
            Property.SHARED_AVAILABLE: 0,
        }
        if self._door.sessions.granted(expiry) != expiry:
            terms[Property.SESSION_EXPIRY] = self._door.sessions.granted(expiry)
        if not 0 < packet.keep_alive <= own.keep_alive:
            terms[Property.SERVER_KEEP_ALIVE] = own.keep_alive
        if not packet.client_id:
            terms[Property.ASSIGNED_CLIENT_ID] = client_id
        return terms

    def _set_patience(self, asked: int) -> None:
        """Half as long again as the client's own keep-alive (3.1.2.10), which version 5 lets the server choose."""
        own = self._door.own
        most = own.keep_alive if self.version == V5 else own.quiet_s
        self.patience = 1.5 * (min(asked, most) or most)

    def _resume(self, session: Session) -> None:
        """What was not acknowledged is sent again (4.4), and then what is new."""
        if session.subscribed is None:
            return
        if session.on_its_way:
            number, policy = session.on_its_way
            self._send(policy, number, retained=False, again=True)
        elif session.subscribed.qos:
            self._policy()

    def _too_many(self, filters: int) -> bool:
        """Whether a client subscribes, and is sent its policy, more often than anybody needs."""
        many = self._asked.add(filters, self._line.now(), self._door.own.asks)
        if many:
            self._line.quit(Reason.MESSAGE_RATE, "too many subscriptions")
        return many

    def _subscribe(self, packet: Subscribe) -> None:
        if self._too_many(len(packet.filters)):
            return
        if Property.SUBSCRIPTION_ID in packet.properties:
            self._line.quit(Reason.SUBSCRIPTION_ID, "subscription identifier")
            return
        reasons = [self._granted(wanted) for wanted in packet.filters]
        self._line.say(encode(Answers(Kind.SUBACK, packet.packet_id, reasons), self.version))
        self._policy()

    def _granted(self, wanted: Filter) -> int:
        """Whether a client may subscribe (3.8.4): to its own policy, and nothing else."""
        assert self._session is not None
        if wanted.topic != self._down():
            self._door.counts["foreign topic"] += 1
            if wanted.topic.startswith("$share/"):
                return Reason.SHARED
            return Reason.WILDCARD if set("+#") & set(wanted.topic) else Reason.NOT_AUTHORIZED
        session, before = self._session, self._session.subscribed
        qos = min(wanted.qos, 1)
        session.subscribed = Filter(wanted.topic, qos, wanted.no_local, wanted.as_published, wanted.retained)
        if wanted.retained == 0 or (wanted.retained == 1 and before is None):
            session.got = None  # 5.0, 3.8.3.1: what is retained is sent with each such subscription
        elif wanted.retained == 2 and before is None:
            policy = self._in_force()
            session.got = None if policy is None else hash(policy)
        return qos

    def _down(self) -> str:
        assert self.vehicle is not None
        return topic(self.vehicle, POLICY)

    def _unsubscribe(self, packet: Unsubscribe) -> None:
        assert self._session is not None
        if self._too_many(len(packet.filters)):
            return
        reasons = []
        for wanted in packet.filters:
            mine = self._session.subscribed is not None and wanted == self._down()
            reasons.append(int(Reason.SUCCESS if mine else Reason.NO_SUBSCRIPTION))
            if mine:
                self._session.subscribed = None
        self._line.say(encode(Answers(Kind.UNSUBACK, packet.packet_id, reasons), self.version))

    def _answer(self, packet: Answer) -> None:
        """The client has its policy, or will not have it (3.4); whether there is a newer one is asked then."""
        assert self._session is not None
        if packet.kind != Kind.PUBACK:
            self._line.quit(Reason.PROTOCOL_ERROR, "not mqtt")  # nothing is sent at QoS 2, or taken at it
        elif self._session.on_its_way and self._session.on_its_way[0] == packet.packet_id:
            self._session.on_its_way = None
            self._policy()

    def _ping(self, _: Ping) -> None:
        self._line.say(encode(Ping(answer=True), self.version))

    def _disconnect(self, packet: Disconnect) -> None:
        """The client goes (3.14), and its will with it, unless it gives a reason (5.0, 3.14.4-3)."""
        assert self._session is not None
        expiry = packet.properties.get(Property.SESSION_EXPIRY)
        if expiry is not None:
            if expiry and not self._session.expiry:
                self._line.quit(Reason.PROTOCOL_ERROR, "not mqtt")
                return
            self._session.expiry = self._door.sessions.granted(expiry)
        if packet.reason == Reason.SUCCESS:
            self._will = None
        self._line.end("left")

    def _auth(self, _: Auth) -> None:
        self._line.quit(Reason.PROTOCOL_ERROR, "not mqtt")

    _ACTS: ClassVar[dict[type, Callable[["Talk", Any], None]]] = {
        Connect: _connect,
        Answer: _answer,
        Subscribe: _subscribe,
        Unsubscribe: _unsubscribe,
        Ping: _ping,
        Disconnect: _disconnect,
        Auth: _auth,
    }


def _objection(packet: Connect, vehicle: int) -> Reason:
    """What is wrong with what a known car asks for: to be another, or a will that it could not publish itself."""
    claimed, will = packet.client_id, packet.will
    nameless = not claimed and packet.version == V3 and not packet.clean  # 3.1.1, 3.1.3-8
    if nameless or len(claimed) > _NAME or (is_name(claimed) and claimed != name_of(vehicle)):
        return Reason.CLIENT_ID
    if will is not None and will.qos > 1:
        return Reason.QOS
    if will is not None and will.topic not in {topic(vehicle, kind) for kind in UP}:
        return Reason.NOT_AUTHORIZED
    return Reason.SUCCESS
