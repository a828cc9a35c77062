"""What a car, or a platform that sends for many, says on one connection, and what it is answered."""

from collections.abc import Callable, Hashable
from typing import ClassVar, Protocol

from onshore.gate.gb32960.cipher import in_the_clear
from onshore.gate.gb32960.door import REFUSED, Door, Sender
from onshore.gate.gb32960.encode import activation_reply
from onshore.gate.gb32960.protocol import (
    HEADER,
    SIGNATURE_INVALID,
    START_2025,
    TIME,
    Command,
    Flag,
    Header,
    flag_of,
    header,
    reply,
    vin_unknown,
)
from onshore.gate.gb32960.reference import decode
from onshore.gate.gb32960.setting import period_of, report_period
from onshore.gate.gb32960.signatures import Algorithm, Key, State, verify
from onshore.gate.gb32960.signatures import key as read_key
from onshore.words.errors import Malformed, Refusal

_MANY = 1 << 16  # cars that are remembered of a platform

# What costs more than a frame that is simply kept, in such frames: a door is one thread, and each is paid by who asks.
_LOOKED_UP = 100  # in the papers
_VERIFIED = {Algorithm.SM2: 50, Algorithm.RSA: 5, Algorithm.ECC: 5}
_ACTIVATED = 500  # a key that was never seen, and a paper
KEPT = 1  # byte `info` of the answer to an activation (table B.4)


class Line(Sender, Protocol):
    """The connection, as its talk sees it."""

    certificate: bytes | None
    """The client certificate (DER) that TLS has checked, if one was shown."""

    def charge(self, frames: int) -> None:
        """What it said costs as much as so many frames that are simply kept."""

    def say(self, answer: bytes) -> None:
        """Answer, behind what waits."""

    def hold(self, sent: bytes, plain: bytes, vehicle: int, state: int) -> None:
        """Have a frame kept, and answered then."""


class Car:
    """A car as the register knows it: its id, and the key that it signs with, if it has one."""

    __slots__ = ("key", "vehicle")

    def __init__(self, vehicle: int, key: Key | None) -> None:
        self.vehicle = vehicle
        self.key = key


class Talk:
    """Login first, then data. Never says a terminal control (0x82): all it says is answers."""

    __slots__ = ("_asked", "_cars", "_door", "_later", "_line", "car", "identity", "usual", "vin")

    def __init__(self, door: Door, line: Line) -> None:
        self._door = door
        self._line = line
        self._asked: tuple[bytes, int] | None = None  # the time in what was last asked of the car, its policy's version
        self._later = False  # it speaks the 2025 edition
        self._cars: dict[bytes, Car] | None = None  # of the platform that has logged in
        self.car: Car | None = None
        self.vin = b""
        self.identity: Hashable | None = None
        self.usual: tuple[bytes, int] | None = None
        """A frame of which all but header and size need no look: it, and its signature's state."""

    @property
    def known(self) -> bool:
        """Whether somebody has logged in and not out again."""
        return self.car is not None or self._cars is not None

    @property
    def is_platform(self) -> bool:
        """Whether a platform has logged in."""
        return self._cars is not None

    def stands(self) -> bool:
        """Whether who logged in may still be here. What is remembered of cars that may not be is forgotten."""
        if isinstance(self.identity, str):
            accepts = self._door.papers.accepts
            if self._cars is not None:
                self._cars = {vin: car for vin, car in self._cars.items() if accepts(car.vehicle)}
            return True
        assert isinstance(self.identity, int)
        return self._door.papers.accepts(self.identity) and self._is_certified(self.identity)

    def hear(self, sent: bytes) -> None:
        """One whole frame. Where the papers do not answer nothing is said, and the connection ends."""
        head = header(sent)
        self.usual = None
        if head.flag != Flag.COMMAND:
            self._answered(sent, head)
            return
        try:
            plain = in_the_clear(sent, self._door.secret)
        except Malformed as bad:
            self._refuse(sent, flag_of(sent, bad.what), bad.what)
            return
        act = self._ACTS.get(head.command)
        if act is None:
            self._refuse(sent, Flag.ERROR, "not supported")  # parameters, controls and private commands
            return
        try:
            act(self, sent, plain, head)
        except OSError:
            self._line.end("no papers")

    def _data(self, sent: bytes, plain: bytes, head: Header) -> None:
        car = self.car if self._cars is None else self._one_of_many(head.vin)
        if car is None or (self._cars is None and head.vin != self.vin):
            unknown = self._cars is not None
            flag = vin_unknown(sent) if unknown else Flag.ERROR
            self._refuse(sent, flag, "unknown VIN" if unknown else "not logged in")
            return
        state = self._state(plain, car.key)
        self._line.hold(sent, plain, car.vehicle, state)
        if self._cars is None and plain is sent and car.key is None:
            self.usual = sent, state

    def _state(self, plain: bytes, key: Key | None) -> int:
        """The state of a frame's signature, 0: it has none. Who has a key signs; the older edition is no way round."""
        if key is None:
            return verify(plain, None) or 0
        self._line.charge(_VERIFIED[key.algorithm])
        return State.INVALID if plain[:2] != START_2025 else verify(plain, key) or 0

    def _login(self, sent: bytes, plain: bytes, head: Header) -> None:
        """Let a registered car in, also where it is in already.

        The standard has 03 for a VIN that is in use; but a car whose link broke comes back before its old
        connection is missed, and would be locked out. So the newest connection of a VIN wins.
        """
        if not self._legible(sent, plain):
            return
        if self._cars is not None:
            self._cars.pop(head.vin, None)
            known = self._one_of_many(head.vin) is not None
            self._say(sent, Flag.OK if known else vin_unknown(sent))
            return
        if self.vin not in {b"", head.vin}:
            self._refuse(sent, Flag.ERROR, "second VIN")
            return
        if self.vin:
            self._line.charge(_LOOKED_UP)
        car = self._found(head.vin)
        if car is None:
            self._turn_away(sent, vin_unknown(sent), "unknown VIN")
        elif not self._is_certified(car.vehicle):
            self._turn_away(sent, Flag.ERROR, "another's certificate")
        else:
            self.car, self.vin, self.identity = car, head.vin, car.vehicle
            self._later = sent[:2] == START_2025
            self._door.logged_in(self._line)
            self._say(sent, Flag.OK)
            self.tell()

    def tell(self) -> None:
        """Ask the car to report as often as its policy has it, unless it has said that it obeys it (0x81)."""
        orders = self._door.orders
        if orders is None or self.car is None:
            return
        try:
            untold = orders.untold(self.car.vehicle)
        except (OSError, Refusal):
            self._door.counts["policy not told"] += 1  # it is sieved all the same
            return
        if untold is not None:
            version, said = untold
            seconds = period_of(said, self._door.name, self._door.carried)
            asked = report_period(self.vin, self._door.clock(), seconds, later=self._later)
            self._asked = asked[HEADER : HEADER + TIME], version
            self._line.say(asked)

    def _answered(self, sent: bytes, head: Header) -> None:
        """What a car answers to its period setting: that it obeys the policy behind it."""
        self._line.charge(1)
        asked, orders = self._asked, self._door.orders
        right = head.command == Command.PARAMETER_SET and head.vin == self.vin
        if asked is None or orders is None or self.car is None or not right or sent[HEADER : HEADER + TIME] != asked[0]:
            self._door.counts["answers ignored"] += 1  # nothing of the kind was asked of it
            return
        self._asked = None
        if head.flag != Flag.OK:
            self._door.counts["setting refused"] += 1
            return
        try:
            orders.checked_in(self.car.vehicle, asked[1], self._door.clock())
        except OSError:
            self._door.counts["policy not told"] += 1  # it is asked again when it comes back

    def _logout(self, sent: bytes, plain: bytes, head: Header) -> None:
        del plain
        if self._cars is not None:
            self._cars.pop(head.vin, None)
        elif self.car is None or head.vin != self.vin:
            self._refuse(sent, Flag.ERROR, "not logged in")
            return
        self.car = None
        self._say(sent, Flag.OK)

    def _alive(self, sent: bytes, plain: bytes, head: Header) -> None:
        """Heartbeat and time sync, of a car that is logged in or of a platform, which writes its code for a VIN."""
        del plain
        if self._cars is None and (self.car is None or head.vin != self.vin):
            self._refuse(sent, Flag.ERROR, "not logged in")
        else:
            self._line.charge(1)
            self._say(sent, Flag.OK)

    def _platform_login(self, sent: bytes, plain: bytes, head: Header) -> None:
        """Another platform, by user and password; it sends for registered cars, or those that the settings name."""
        del head
        if not self._legible(sent, plain):
            return
        user, password = plain[32:44].rstrip(b"\0 "), plain[44:64].rstrip(b"\0 ")
        patient = self._door.tries.allowed(self._line.address, self._door.clock())
        name = self._door.papers.platform(user, password) if patient else None
        if name is None:
            self._door.tries.wrong(self._line.address)
        if name is None or self.vin or self.identity not in {None, name}:
            self._turn_away(sent, Flag.ERROR, "platform refused")
            return
        if self.identity is not None:
            self._line.charge(REFUSED)
        self._cars, self.identity = {}, name
        self._door.logged_in(self._line)
        self._say(sent, Flag.OK)

    def _platform_logout(self, sent: bytes, plain: bytes, head: Header) -> None:
        del plain, head
        if self._cars is None:
            self._refuse(sent, Flag.ERROR, "not logged in")
            return
        self._cars = None
        self._say(sent, Flag.OK)

    def _activation(self, sent: bytes, plain: bytes, head: Header) -> None:
        """A car's chip tells its public key, signed with it; the first key of a car stays, and so does a chip's car."""
        if not self._legible(sent, plain):
            return
        self._line.charge(_ACTIVATED)
        car = self._found(head.vin) if self._cars is None else self._one_of_many(head.vin)
        if car is None:
            self._refuse(sent, vin_unknown(sent), "unknown VIN")
            return
        if self._cars is None and not self._is_certified(car.vehicle):
            self._turn_away(sent, Flag.ERROR, "another's certificate")
            return
        chip, size = plain[30:46], int.from_bytes(plain[46:48], "big")
        raw = plain[48 : 48 + size]
        if not _is_signed_with(plain, raw):
            self._refuse(sent, flag_of(sent, SIGNATURE_INVALID), SIGNATURE_INVALID)
            return
        info = self._door.papers.activate(car.vehicle, chip, raw)
        self._door.counts["activated" if info == KEPT else "activation refused"] += 1
        if info == KEPT and self.car is not None and self.car.vehicle == car.vehicle:
            self.car = self._found(head.vin)
        self._line.say(activation_reply(head.vin, good=info == KEPT, info=info))

    _ACTS: ClassVar[dict[int, Callable[["Talk", bytes, bytes, Header], None]]] = {
        Command.LOGIN: _login,
        Command.REALTIME: _data,
        Command.RESEND: _data,
        Command.LOGOUT: _logout,
        Command.PLATFORM_LOGIN: _platform_login,
        Command.PLATFORM_LOGOUT: _platform_logout,
        Command.HEARTBEAT: _alive,
        Command.TIME_SYNC: _alive,
        Command.ACTIVATION: _activation,
    }

    def _found(self, vin: bytes) -> Car | None:
        papers = self._door.papers
        vehicle = papers.look_up(vin)
        return None if vehicle is None else Car(vehicle, papers.key_of(vehicle))

    def _one_of_many(self, vin: bytes) -> Car | None:
        assert self._cars is not None
        car = self._cars.get(vin)
        if car is None and self._door.papers.sends(str(self.identity), vin):
            self._line.charge(_LOOKED_UP)
            car = self._found(vin)
        if car is not None:
            if len(self._cars) >= _MANY:
                self._cars.clear()
            self._cars[vin] = car
        return car

    def _is_certified(self, vehicle: int) -> bool:
        shown = self._line.certificate
        return shown is None or self._door.papers.identify(shown) == vehicle

    def _legible(self, sent: bytes, plain: bytes) -> bool:
        try:
            decode(plain)
        except Malformed as bad:
            self._refuse(sent, flag_of(sent, bad.what), "rejected")
            return False
        return True

    def _turn_away(self, sent: bytes, flag: Flag, why: str) -> None:
        self._say(sent, flag)
        self._line.end(why)

    def _refuse(self, sent: bytes, flag: Flag, why: str) -> None:
        self._door.counts[why] += 1
        self._line.charge(REFUSED)
        self._say(sent, flag)

    def _say(self, sent: bytes, flag: Flag) -> None:
        self._line.say(reply(sent, flag, self._door.now6()))


def _is_signed_with(plain: bytes, raw: bytes) -> bool:
    try:
        return verify(plain, read_key(raw)) == State.VALID
    except Malformed:
        return False
