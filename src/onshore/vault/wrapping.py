"""Wrapping keys: one for a month, wrapped by the root; every other key is wrapped by the one that is current.

Rules that keep every key openable: a wrapping key is looked up anew for each wrap, so that what is wrapped inside a
writing transaction is wrapped by the one that is current until its commit; whoever wraps outside of one (a drain, an
erasure) holds the keep road, as the rotation does; and one is struck in a transaction that finds nothing under it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, select

from onshore.vault.keyed import HEAD, ID_BYTES, head_of, headed, names_in
from onshore.vault.keys import KEY_BYTES, Randomness, open_sealed, seal
from onshore.vault.losses import lost, under_all, under_key, under_root
from onshore.vault.papers import meta, metadata, reading, site_keys, wrapping_keys, writing
from onshore.vault.roots.places import Root, Roots
from onshore.words.errors import Broken

DAY = 86_400_000
REWRAP = "rewrap"
"""Where in `meta` the rotation notes how far it is: [wrapping key, table, row]; absent where none is under way."""
_HELD = 300_000  # milliseconds that an unwrapped wrapping key stays in memory


@dataclass(frozen=True)
class WrappingKey:
    """A wrapping key as papers know it; instants in milliseconds UTC, `root` the fingerprint of what wraps it."""

    id: str
    month: str
    made: int
    until: int | None
    retired: int | None
    struck: int | None
    root: str
    wrapped: bytes


def wrapping_keys_in(conn: Connection) -> list[WrappingKey]:
    """All of them, the current one last."""
    t = wrapping_keys.c
    rows = conn.execute(select(wrapping_keys).order_by(t.retired.is_(None), t.made, t.id))
    return [WrappingKey(**row._mapping) for row in rows]  # noqa: SLF001 (the documented way to a row's columns by name)


def current(conn: Connection) -> WrappingKey | None:
    """The one that wraps what is new; None where there is none yet."""
    known = wrapping_keys_in(conn)
    return known[-1] if known and known[-1].retired is None else None


def month_of(at: int) -> str:
    """The calendar month of an instant, UTC: a wrapping key is nobody's deadline, so no pack's zone is asked."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m")


def due_at(key: WrappingKey, backup_days: int | None) -> int:
    """When another takes its place: at the end of its month, or half-way through the life of its copies in backups.

    Half-way, so that a copy made on its last day still lives for as long again, and none longer than `backup_days`
    from its first.
    """
    begun = datetime.strptime(key.month, "%Y-%m").replace(tzinfo=UTC)
    ends = int((begun + timedelta(days=32)).replace(day=1).timestamp() * 1000)
    if backup_days is None:
        return ends
    if key.until is None or key.until > key.made + backup_days * DAY:
        return key.made
    return min(ends, key.made + backup_days * DAY // 2)


def noted(conn: Connection, name: str) -> str | None:
    """What `meta` says under a name."""
    return conn.scalar(select(meta.c.value).where(meta.c.name == name))


def note(conn: Connection, name: str, value: str | None) -> None:
    """Have `meta` say something under a name, or nothing."""
    conn.execute(delete(meta).where(meta.c.name == name))
    if value is not None:
        conn.execute(insert(meta).values(name=name, value=value))


class Keyring:
    """Wraps and unwraps by wrapping keys; satisfies `keys.RootKey`. Holds those that it used lately in memory."""

    def __init__(
        self, engine: Engine, roots: Roots, root: Root, site: str, clock: Callable[[], int], randomness: Randomness
    ) -> None:
        self.engine, self.roots, self.root, self.site = engine, roots, root, site
        self.clock, self.randomness = clock, randomness
        self._held: dict[str, tuple[bytes, int]] = {}
        self._current = ""

    def wrap(self, key: bytes, context: str, /) -> bytes:
        """Seal a key by the current wrapping key, for that context alone."""
        with reading(self.engine) as conn:
            now = current(conn)
            if now is None:
                raise lost(conn, "the papers hold no wrapping key")
            if now.id != self._current:
                self.forget()
                self._current = now.id
            return self.wrap_by(conn, now)(key, context)

    def wrap_by(self, conn: Connection, by: WrappingKey) -> Callable[[bytes, str], bytes]:
        """What wraps by one wrapping key; who lists what it wrapped sees first that this is still the current one."""
        secret = self._secret(conn, by)
        return lambda key, context: headed(by.id, seal(secret, key, context, self.randomness))

    def unwrap(self, wrapped: bytes, context: str, /) -> bytes:
        """The key again. What was re-wrapped after the caller read its row is read anew; Broken as `RootKey` says."""
        id_ = head_of(wrapped)
        if id_ is None:
            return self._by_root(wrapped, context)
        secret = self._at_hand(id_)
        if secret is None:
            with reading(self.engine) as conn:
                now = _wrapped_now(conn, context) or wrapped
                known = {key.id: key for key in wrapping_keys_in(conn) if key.struck is None}
                key = known.get(head_of(now) or "")
                if key is None:
                    raise _without(conn, id_, context)
                secret, wrapped = self._secret(conn, key), now
        return open_sealed(secret, wrapped[HEAD:], context)

    def forget(self) -> None:
        """Hold no wrapping key in memory until one is asked for again."""
        self._held.clear()

    def open(self, conn: Connection, key: WrappingKey) -> bytes:
        """A wrapping key, unwrapped; Broken, with what was under it, where it or its root does not open."""
        if key.root != self.root.fingerprint:
            self.root = _root(conn, self.roots, key.root)
        try:
            return self.root.unwrap(key.wrapped, _context(self.site, key.id, key.month))
        except Broken as why:
            said = f"the wrapping key {key.id} of {key.month} does not open: {why}"
            raise lost(conn, said, under_key(conn, key.id)) from why

    def make(self, conn: Connection, backup_days: int | None) -> WrappingKey:
        """Make a wrapping key of this month and enter it as current, inside a writing transaction."""
        for other in wrapping_keys_in(conn):
            if other.struck is None and other.root != self.root.fingerprint:  # another process changed it meanwhile
                self.root = _root(conn, self.roots, other.root)
        now, id_ = self.clock(), self.randomness(ID_BYTES).hex()
        month = month_of(now)
        wrapped = self.root.wrap(self.randomness(KEY_BYTES), _context(self.site, id_, month))
        until = None if backup_days is None else now + backup_days * DAY
        key = WrappingKey(id_, month, now, until, None, None, self.root.fingerprint, wrapped)
        conn.execute(insert(wrapping_keys).values(**vars(key)))
        return key

    def rewrapped(self, conn: Connection, key: WrappingKey, root: Root) -> bytes:
        """A wrapping key, wrapped by another root."""
        return root.wrap(self.open(conn, key), _context(self.site, key.id, key.month))

    def _by_root(self, wrapped: bytes, context: str) -> bytes:
        try:
            return self.root.unwrap(wrapped, context)
        except Broken:
            with reading(self.engine) as conn:
                now = _wrapped_now(conn, context)
            if now is None or head_of(now) is None:
                raise
            return self.unwrap(now, context)

    def _at_hand(self, id_: str) -> bytes | None:
        secret, since = self._held.get(id_, (None, 0))
        if secret is not None and not 0 <= self.clock() - since < _HELD:
            self._held.pop(id_, None)
            return None
        return secret

    def _secret(self, conn: Connection, key: WrappingKey) -> bytes:
        secret = self._at_hand(key.id)
        if secret is None:
            secret = self.open(conn, key)
            self._held[key.id] = secret, self.clock()
        return secret


def open_keyring(
    engine: Engine,
    roots: Roots,
    site: str,
    *,
    clock: Callable[[], int],
    randomness: Randomness,
    backup_days: int | None = None,
) -> Keyring:
    """The keyring of a site: its root is found and opens the current wrapping key, else Broken says what is lost.

    A site without wrapping keys, new or of a release 0.1, is given its first one.
    """
    with reading(engine) as conn:
        stands = current(conn)
        root = _first(conn, roots) if stands is None else _root_now(engine, roots, stands)
    ring = Keyring(engine, roots, root, site, clock, randomness)
    if stands is None:
        with writing(engine) as conn:
            if current(conn) is None:
                ring.make(conn, backup_days)
                note(conn, REWRAP, "[]" if under_root(conn).keys else None)
    with reading(engine) as conn:
        stands = current(conn)
        assert stands is not None
        ring.open(conn, stands)
    return ring


def _root(conn: Connection, roots: Roots, fingerprint: str) -> Root:
    try:
        return roots.find(fingerprint)
    except Broken as why:
        raise lost(conn, f"the root key {fingerprint} does not open: {why}") from why


def _root_now(engine: Engine, roots: Roots, stands: WrappingKey) -> Root:
    """The root that papers name; looked up again where another took its place between two looks."""
    try:
        return roots.find(stands.root)
    except Broken as why:
        with reading(engine) as conn:
            now = current(conn) or stands
            if now.root == stands.root:
                raise lost(conn, f"the root key {stands.root} does not open: {why}") from why
            return _root(conn, roots, now.root)


def _first(conn: Connection, roots: Roots) -> Root:
    """The root of a site without wrapping keys; Broken where it does not open what stands there already."""
    all_, mine = under_all(conn), under_root(conn)
    if all_.keys != mine.keys:
        why = "the papers hold keys, and not the wrapping keys that these open under: 'onshore restore' brings both"
        raise lost(conn, why)
    try:
        root = roots.first()
        for row in conn.execute(select(site_keys.c.name, site_keys.c.wrapped).limit(1)):
            root.unwrap(row.wrapped, f"site-key/{row.name}")
    except Broken as why:
        raise lost(conn, str(why)) if mine.keys else why from why
    return root


def _wrapped_now(conn: Connection, context: str) -> bytes | None:
    """A wrapped key as its row has it now; None where there is no such row (yet)."""
    for keyed, name in names_in(context):
        table = metadata.tables[keyed.table]
        found: bytes | None = conn.scalar(select(table.c.wrapped).where(table.c[keyed.name] == name))
        if found:
            return found
    return None


def _without(conn: Connection, id_: str, context: str) -> Broken:
    known = ", ".join(f"{key.id} of {key.month}" for key in wrapping_keys_in(conn)) or "none"
    what = under_key(conn, id_)
    if not what.keys:
        return Broken(f"{context} is no more: it was erased or replaced, and its key with it; look it up again")
    return lost(conn, f"{context} was wrapped by the wrapping key {id_}, and the papers hold {known}", what)


def _context(site: str, id_: str, month: str) -> str:
    return f"wrapping/{site}/{id_}/{month}"
