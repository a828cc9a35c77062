"""The parcel: a tar of Parquet parts, permit and manifest, flowing so that no plaintext ever lies on a disk."""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from onshore.vault.tarred import END, member
from onshore.words.batch import signals
from onshore.words.catalogue import Signal


class Packing:
    """Packs tables into a tar; once `flow` is exhausted, `manifest` and `parts` say what was packed."""

    def __init__(
        self,
        head: dict[str, Any],
        permit_note: str,
        catalogue: Mapping[str, Signal],
        pseudonym: Callable[[int], int],
    ) -> None:
        self._head = head
        self._permit = permit_note.encode()
        self._catalogue = catalogue
        self._pseudonym = pseudonym
        self.parts: list[dict[str, Any]] = []
        self.manifest = b""

    @property
    def permit_digest(self) -> str:
        """sha256 of the permit's note, as the manifest and the ledger name it."""
        return _digest(self._permit)

    @property
    def manifest_digest(self) -> str:
        """sha256 of the manifest, known once everything flowed."""
        return _digest(self.manifest)

    @property
    def rows(self) -> int:
        """Rows packed so far."""
        return sum(part["rows"] for part in self.parts)

    def flow(self, tables: Iterable[tuple[str, pa.Table]]) -> Iterator[bytes]:
        """The bytes of the tar: parts first, then `permit.note`, then `manifest.json`."""
        for category, table in tables:
            name = f"parts/{len(self.parts):05d}.parquet"
            body = self._parquet(table)
            self.parts.append(self._described(name, category, table, body))
            yield from member(name, body)
        yield from member("permit.note", self._permit)
        self.manifest = canonical({**self._head, "permit": self.permit_digest, "parts": self.parts})
        yield from member("manifest.json", self.manifest)
        yield END

    def _parquet(self, table: pa.Table) -> bytes:
        known = pc.unique(table.column("vehicle"))
        names = pa.array([self._pseudonym(v.as_py()) for v in known], pa.int64())
        vehicle = pc.take(names, pc.index_in(table.column("vehicle"), known))
        columns = {"vehicle": vehicle, "time": table.column("time")}
        columns |= {name: table.column(name) for name in signals(table.schema)}
        sink = io.BytesIO()
        pq.write_table(pa.table(columns), sink, compression="zstd", compression_level=1)
        return sink.getvalue()

    def _described(self, name: str, category: str, table: pa.Table, body: bytes) -> dict[str, Any]:
        columns = [{"name": n, "unit": self._catalogue[n].unit or ""} for n in signals(table.schema)]
        rows = table.num_rows
        return {"name": name, "category": category, "rows": rows, "sha256": _digest(body), "columns": columns}


def canonical(value: Any) -> bytes:
    """Canonical JSON (RFC 8785 for strings, integers, lists and maps), the form whose digest the ledger names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()
