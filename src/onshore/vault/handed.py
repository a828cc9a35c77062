"""Entries on their way to the ledger: handed in with the acts that they record, then numbered as the log has them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from sqlalchemy import Connection, Engine, bindparam, func, select, update

from onshore.vault.papers import entries, reading, writing
from onshore.words.errors import Broken


class Logs(Protocol):
    """What entries are written to (`ledger.years.Years`): numbered from 0, appended to by one writer alone."""

    @property
    def size(self) -> int:
        """How many it holds."""
        ...

    def entries(self, start: int = 0) -> Iterator[bytes]:
        """All from a number on."""
        ...

    def entry_at(self, number: int) -> bytes:
        """One."""
        ...

    def recover(self, tell: Callable[..., bytes]) -> int:
        """Finish what a crash left; the size."""
        ...

    def append(self, entries: Sequence[bytes], tell: Callable[..., bytes]) -> list[int]:
        """Append; the number of each."""
        ...


def waits(engine: Engine, number: int | None = None) -> bool:
    """Whether entries wait to be written to the log, of those handed in up to `number` (None: at all)."""
    ask = select(entries.c.id).where(entries.c.leaf.is_(None)).limit(1)
    with reading(engine) as conn:
        return conn.execute(ask if number is None else ask.where(entries.c.id <= number)).first() is not None


def write_down(engine: Engine, log: Logs, tell: Callable[..., bytes], is_link: Callable[[bytes], bool]) -> None:
    """Write what waits to the log, in order, and note its numbers; the caller is the log's one writer.

    A crash between log and papers is mended here: what is in the log already is found by its bytes. Entries by which
    the log links its years (`is_link`) were handed in by nobody; they are noted as it has them. Broken where the log is
    shorter than the papers say, or holds what they did not hand in.
    """
    with writing(engine) as conn:
        asked = select(entries.c.id, entries.c.body).where(entries.c.leaf.is_(None)).order_by(entries.c.id)
        waiting = conn.execute(asked).all()
        known = _known(conn)
        if log.recover(tell) < known:
            raise Broken("the log is shorter than the papers say; restore it from a backup")
        ahead = [(number, body) for number, body in enumerate(log.entries(known), known) if not is_link(body)]
        bodies = [bytes(row.body) for row in waiting]
        if [body for _, body in ahead] != bodies[: len(ahead)]:
            raise Broken("the log holds entries that the papers did not hand in; restore one from a backup")
        numbers = [number for number, _ in ahead] + log.append(bodies[len(ahead) :], tell)
        told = [{"of": row.id, "number": number} for row, number in zip(waiting, numbers, strict=True)]
        if told:
            noted = update(entries).where(entries.c.id == bindparam("of")).values(leaf=bindparam("number"))
            conn.execute(noted, told)
        if links := sorted({*range(known, log.size)} - {*numbers}):
            conn.execute(entries.insert(), [{"body": log.entry_at(number), "leaf": number} for number in links])


def number_of(engine: Engine, id_: int) -> int:
    """The number in the log of an entry that was handed in, once it is written."""
    with reading(engine) as conn:
        return int(conn.execute(select(entries.c.leaf).where(entries.c.id == id_)).scalar_one())


def most(engine: Engine) -> int:
    """How many entries the papers know of: as many as the log has by them, and those that wait."""
    with reading(engine) as conn:
        waiting = conn.scalar(select(func.count()).where(entries.c.leaf.is_(None)))
        return _known(conn) + int(waiting or 0)


def _known(conn: Connection) -> int:
    last = conn.execute(select(entries.c.leaf).order_by(entries.c.leaf.desc().nulls_last()).limit(1)).scalar()
    return 0 if last is None else int(last) + 1
