"""What papers and journals know of uploads: what each is, and how far it was taken in for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, select, update

from onshore.site import Site
from onshore.vault.arriving import Mark
from onshore.vault.journal_files import Closed, path_of, read_journal
from onshore.vault.keys import open_sealed, seal
from onshore.vault.papers import journals, reading, uploads, writing
from onshore.words.errors import Broken


@dataclass(frozen=True)
class Upload:
    """A file that comes or came.

    `offset` bytes of it are taken in for good, `state` is the reader's there, as the `step`-th mark says.
    `fate`: "coming", "done", "refused" (its bytes are wrong) or "ended" (by the client). `until`: ms UTC.
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
        upload = Upload(id_, vehicle, until, size, manifest, 0, 0, {}, "coming")
        sealed, state = self._seal(id_, manifest), self.sealed(id_, {})
        row = {"id": id_, "vehicle": vehicle, "until": until, "size": size, "manifest": sealed}
        with writing(self._site.engine) as conn:
            conn.execute(insert(uploads).values(**row, offset=0, step=0, state=state, open=False, fate="coming"))
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
        """Nothing more of it is taken in."""
        self._set(id_, fate=fate, until=until, state=self.sealed(id_, {}), open=False)

    def purge(self, now: int) -> int:
        """Forget what expired; how many."""
        with writing(self._site.engine) as conn:
            return conn.execute(delete(uploads).where(uploads.c.until <= now)).rowcount

    def many(self, vehicle: int) -> int:
        """How many uploads of a vehicle are not at their end."""
        ask = select(uploads.c.id).where(uploads.c.vehicle == vehicle, uploads.c.fate == "coming")
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
