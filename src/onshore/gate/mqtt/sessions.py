"""Sessions (MQTT 5.0, 4.1; 3.1.1, 3.1.2.4): what a car that comes again need not say again, and has not got yet.

All that is ever sent down is the policy, which replaces itself as a whole; so a session holds one message that is on
its way, and the mark of the one that arrived. Sessions are in memory: after a restart of the gate a car is told that
there is none, and subscribes again.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

from onshore.gate.mqtt.packets import Filter

NEVER = 0xFFFFFFFF
"""An expiry interval that never ends (5.0, 3.1.2.11.2)."""

Key = tuple[int, str]
"""Vehicle and client id: a car may have several clients, and no client several cars."""


@dataclass(eq=False, slots=True)
class Session:
    """`expiry`: seconds that it outlives its connection; `left`: the loop's time when that ended, None while it lasts.

    `got`: the hash of the policy that this client has; None: it is owed one in any case, marked as retained.
    `on_its_way`: the policy that it has not acknowledged, by its packet identifier.
    """

    key: Key
    expiry: int = 0
    left: float | None = None
    subscribed: Filter | None = None
    got: int | None = None
    on_its_way: tuple[int, bytes] | None = None
    last_id: int = 0

    def next_id(self) -> int:
        """A packet identifier (2.2.1) that is not in use."""
        self.last_id = self.last_id % 0xFFFF + 1
        return self.last_id

    def over(self, now: float) -> bool:
        """Whether it has outlived its connection for as long as it may."""
        return self.left is not None and self.expiry != NEVER and now >= self.left + self.expiry


class Sessions:
    """All sessions of a door, at most `most` without a connection; beyond that who left first is forgotten first.

    `each`: how many of them may be one car's, so that a car whose clients change their names forgets its own alone.
    """

    def __init__(self, most: int, longest: int, each: int) -> None:
        """`longest`: seconds that a session may outlive its connection, whatever the client asks for."""
        self._most, self._longest, self._each = most, longest, each
        self._of: dict[int, list[Key]] = {}
        self._here: dict[Key, Session] = {}
        self._away: OrderedDict[Key, Session] = OrderedDict()

    def granted(self, asked: int) -> int:
        """The expiry that a client gets who asks for so many seconds."""
        return min(asked, self._longest)

    def begin(self, key: Key, expiry: int, now: float, *, clean: bool) -> tuple[Session, bool]:
        """The session of a client that connects, and whether it was there before."""
        found = self._here.pop(key, None) or self._let_go(key)
        if found is None or clean or found.over(now):
            if found is not None:
                found.expiry = 0  # it has ended, and its will waits no longer
            session, present = Session(key), False
        else:
            session, present = replace(found), True  # whoever had it has it no longer
        session.expiry, session.left = self.granted(expiry), None
        self._here[key] = session
        return session, present

    def leave(self, session: Session, now: float) -> None:
        """Its connection has ended; a session that another connection has taken up stays with that one."""
        if self._here.get(session.key) is not session:
            return
        del self._here[session.key]
        if session.expiry:
            session.left = now
            self._away[session.key] = session
            mine = self._of.setdefault(session.key[0], [])
            mine.append(session.key)
            if len(mine) > self._each:
                self._let_go(mine[0])
            while len(self._away) > self._most:
                self._let_go(next(iter(self._away)))

    def _let_go(self, key: Key) -> Session | None:
        session = self._away.pop(key, None)
        if session is not None:
            mine = self._of[key[0]]
            mine.remove(key)
            if not mine:
                del self._of[key[0]]
        return session

    def forget(self, now: float) -> None:
        """Let go of those that have ended."""
        for key in [key for key, session in self._away.items() if session.over(now)]:
            self._let_go(key)
