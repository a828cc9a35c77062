"""The bundle: what a person takes along, as Parquet and CSV with a dictionary, flowing, a part at a time in memory."""

import base64
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from onshore.rights.dictionary import IN_SCOPE, dictionary
from onshore.vault.segments import Place
from onshore.vault.tarred import END, Bytes, member
from onshore.words.batch import signals
from onshore.words.catalogue import Signal


class Bundle:
    """Packs rows into a tar; once `flow` is exhausted, `manifest`, `rows` and `parts` say what was packed."""

    def __init__(self, head: dict[str, Any], catalogue: Mapping[str, Signal]) -> None:
        self._head, self._catalogue = head, catalogue
        self._names: set[str] = set()
        self.parts: list[dict[str, Any]] = []
        self.manifest = b""

    @property
    def rows(self) -> int:
        """Rows packed so far."""
        return sum(part["rows"] for part in self.parts)

    def flow(self, found: Iterable[tuple[Place, pa.Table]]) -> Iterator[Bytes]:
        """The bytes of the tar: for each part a Parquet and a CSV file, then `dictionary.csv`, then `manifest.json`."""
        for place, table in found:
            mine = self._theirs(table)
            if mine is None:
                continue
            stem = f"parts/{len(self.parts):05d}"
            bodies = {f"{stem}.parquet": _parquet(mine), f"{stem}.csv": _csv(mine)}
            self._names |= set(signals(mine.schema))
            self.parts.append(_told(place, mine, bodies))
            for name, body in bodies.items():
                yield from member(name, body)
        words = dictionary(self._catalogue, self._names)
        yield from member("dictionary.csv", words)
        whole = {**self._head, "dictionary": _digest(words), "parts": self.parts}
        self.manifest = json.dumps(whole, sort_keys=True, ensure_ascii=False, indent=1).encode()
        yield from member("manifest.json", self.manifest)
        yield END

    def _theirs(self, table: pa.Table) -> pa.Table | None:
        """The rows' times and raw or pre-processed signals, at full quality; None where they hold no such value."""
        names = [
            name
            for name in signals(table.schema)
            if name in self._catalogue
            and self._catalogue[name].data_act in IN_SCOPE
            and table.column(name).null_count < table.num_rows
        ]
        if not names:
            return None
        columns = {name: table.column(name) for name in ("time", "received", *names)}
        return pa.table(columns)


def _told(place: Place, table: pa.Table, bodies: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "category": place.category,
        "ground": place.ground,
        "day": place.day,
        "rows": table.num_rows,
        "signals": signals(table.schema),
        "files": {name: {"sha256": _digest(body), "bytes": len(body)} for name, body in bodies.items()},
    }


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", compression_level=1)
    return sink.getvalue()


def _csv(table: pa.Table) -> bytes:
    plain = [_written(table.column(name)) for name in table.schema.names]
    sink = io.BytesIO()
    pa_csv.write_csv(pa.table(dict(zip(table.schema.names, plain, strict=True))), sink)
    return sink.getvalue()


def _written(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """A column as CSV can hold it: bytes in base64 (RFC 4648), what repeats written out."""
    if pa.types.is_binary(column.type):
        return pa.array([None if v is None else base64.b64encode(v).decode() for v in column.to_pylist()], pa.string())
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()
