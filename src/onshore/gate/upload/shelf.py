"""What papers and journals know of uploads: what each is, and how far it was taken in for good."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, select, update

from onshore.gate.upload.allowance import DAY
from onshore.site import Site
from onshore.vault.arriving import COMING, Mark
from onshore.vault.journal_files import Closed, path_of, read_journal
from onshore.vault.keys import open_sealed, seal
from onshore.vault.lock import hold
from onshore.vault.papers import journals, reading, upload_days, uploads, writing
from onshore.words.errors import Broken, Refusal

_REMEMBERED = 100
"""Of one car, uploads that are over; a client that asks late is told what became of its file."""


@dataclass(frozen=True)
class Upload:
    """A file that comes or came.

    `offset` bytes of it are taken in for good, `state` is the reader's there, as the `step`-th mark says.
    `fate`: COMING, "done", "refused" (its bytes are wrong), or one of `allowance.FATES`. `until`: ms UTC.
    """

    id: str
    vehicle: int
    until: int
    size: int
    manifest: bytes
    offset: int
    step: int
    state: Mapping[str, Any]
    fate: str


class Shelf:
    """The uploads of one site. The methods raise what the database raises."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._key = site.key("upload")

    def add(self, vehicle: int, manifest: bytes, size: int, until: int) -> Upload:
        """Note a new upload."""
        id_ = self._site.randomness(16).hex()
        upload = Upload(id_, vehicle, until, size, manifest, 0, 0, {}, COMING)
        sealed, state = self._seal(id_, manifest), self.sealed(id_, {})
        row = {"id": id_, "vehicle": vehicle, "until": until, "size": size, "manifest": sealed}
        with writing(self._site.engine) as conn:
            conn.execute(insert(uploads).values(**row, offset=0, step=0, state=state, open=False, fate=COMING))
        return upload

    def find(self, id_: str) -> Upload | None:
        """An upload, as far as it is durable; None where nobody knows it."""
        first = self._row(id_)
        if first is None:
            return None
        mark = self._in_journals(id_) if first.open else None
        row = self._row(id_)  # after the journals: what was drained meanwhile, papers know
        if row is None:
            return None
        step, offset, state = row.step, row.offset, row.state
        if mark is not None and mark.step > step:
            _, step, offset, state = mark
        manifest = open_sealed(self._key, row.manifest, f"upload/{id_}")
        opened = self._opened(id_, state)
        return Upload(id_, row.vehicle, row.until, row.size, manifest, offset, step, opened, row.fate)

    def begin(self, id_: str) -> None:
        """From now on journals may know more of it than papers."""
        self._set(id_, open=True)

    def rest(self, mark: Mark, until: int) -> None:
        """It was taken in up to there, and nothing more is on its way."""
        id_, step, offset, state = mark
        self._set(id_, step=step, offset=offset, state=state, until=until, open=False)

    def end(self, id_: str, fate: str, until: int) -> None:
        """Nothing more of it is taken in. What became of it is remembered, what its manifest said is not."""
        empty = {"state": self.sealed(id_, {}), "manifest": self._seal(id_, b"")}
        with writing(self._site.engine) as conn:
            conn.execute(update(uploads).where(uploads.c.id == id_).values(fate=fate, until=until, open=False, **empty))
            whose = select(uploads.c.vehicle).where(uploads.c.id == id_).scalar_subquery()
            over = select(uploads.c.id).where(uploads.c.vehicle == whose, uploads.c.fate != COMING)
            late = conn.scalars(over.order_by(uploads.c.until.desc()).offset(_REMEMBERED)).all()
            conn.execute(delete(uploads).where(uploads.c.id.in_(late)))
        self._unlock([id_])

    def forget(self, id_: str) -> None:
        """Nothing is known of it any more."""
        with writing(self._site.engine) as conn:
            conn.execute(delete(uploads).where(uploads.c.id == id_))
        self._unlock([id_])

    def purge(self, now: int) -> int:
        """Forget what expired; how many."""
        with writing(self._site.engine) as conn:
            gone = conn.scalars(select(uploads.c.id).where(uploads.c.until <= now)).all()
            conn.execute(delete(uploads).where(uploads.c.id.in_(gone)))
            conn.execute(delete(upload_days).where(upload_days.c.day < now // DAY - 1))
        self._unlock(gone)
        return len(gone)

    def claim(self, id_: str) -> ExitStack:
        """Have an upload for this process until what is returned is closed; refuses (`locked`) what another has."""
        held = ExitStack()
        try:
            held.enter_context(hold(self._lock(id_), "upload"))
        except Refusal:
            raise Refusal(
                "locked", "another process of the site takes this upload in just now", remedy="go on with it in a while"
            ) from None
        return held

    def _lock(self, id_: str) -> Path:
        return self._site.folder / "locks" / "uploads" / id_

    def _unlock(self, ids: Iterable[str]) -> None:
        """Remove locks of what is over: nobody takes it in any more, whoever opens one of that name anew."""
        for id_ in ids:
            self._lock(id_).unlink(missing_ok=True)

    def spent(self, vehicle: int, day: int) -> int:
        """Bytes of a car on a day, as papers know them."""
        ask = select(upload_days.c.bytes).where(upload_days.c.vehicle == vehicle, upload_days.c.day == day)
        with reading(self._site.engine) as conn:
            return int(conn.scalar(ask) or 0)

    def spend(self, vehicle: int, day: int, more: int) -> None:
        """So many more bytes of a car on a day."""
        here = (upload_days.c.vehicle == vehicle, upload_days.c.day == day)
        with writing(self._site.engine) as conn:
            later = update(upload_days).where(*here).values(bytes=upload_days.c.bytes + more)
            if not conn.execute(later).rowcount:
                conn.execute(insert(upload_days).values(vehicle=vehicle, day=day, bytes=more))

    def many(self, vehicle: int) -> int:
        """How many uploads of a vehicle are not at their end."""
        ask = select(uploads.c.id).where(uploads.c.vehicle == vehicle, uploads.c.fate == COMING)
        with reading(self._site.engine) as conn:
            return len(conn.execute(ask).all())

    def sealed(self, id_: str, state: Mapping[str, Any]) -> bytes:
        """A reader's state as it may lie in papers and journals."""
        return self._seal(id_, msgspec.json.encode(state))

    def _seal(self, id_: str, data: bytes) -> bytes:
        return seal(self._key, data, f"upload/{id_}", self._site.randomness)

    def _opened(self, id_: str, sealed: bytes) -> Mapping[str, Any]:
        found = msgspec.json.decode(open_sealed(self._key, sealed, f"upload/{id_}"))
        if not isinstance(found, dict):
            raise Broken("an upload's state is not what was sealed; restore the papers from a backup")
        return found

    def _set(self, id_: str, **values: Any) -> None:
        with writing(self._site.engine) as conn:
            conn.execute(update(uploads).where(uploads.c.id == id_).values(**values))

    def _row(self, id_: str) -> Row[Any] | None:
        with reading(self._site.engine) as conn:
            return conn.execute(select(uploads).where(uploads.c.id == id_)).one_or_none()

    def _in_journals(self, id_: str) -> Mark | None:
        """The last mark of it in journals that were not drained; a file that goes meanwhile was."""
        with reading(self._site.engine) as conn:
            rows = conn.execute(select(journals.c.id, journals.c.wrapped)).all()
        last: Mark | None = None
        for row in rows:
            gate, number = row.id.split("/")
            closed = Closed(gate, int(number), path_of(self._site.vault, gate, int(number)), row.wrapped)
            try:
                found = [m for record in read_journal(closed, self._site.root, self._site.id) for m in record.marks]
            except FileNotFoundError:
                continue
            for mark in found:
                if mark.upload == id_ and (last is None or mark.step >= last.step):
                    last = mark
        return last
