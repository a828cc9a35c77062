"""Plans: what follows from the schema of a batch alone, found once for all batches that are alike."""

from functools import lru_cache

import pyarrow as pa

from onshore.words.batch import BASE, purposes_column, signals, with_purposes
from onshore.words.errors import Malformed
from onshore.words.place import DATUM

_ALIKE = 256  # schemas remembered: a gate meets a handful


class Shape:
    """A schema as a key: equal where names, types and metadata are."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._hash = hash(tuple(schema.names))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shape) and bool(self.schema.equals(other.schema, check_metadata=True))


@lru_cache(maxsize=_ALIKE)
def signals_of(arrived: Shape) -> tuple[str, ...]:
    """Names of the signal columns.

    Refused (Malformed): a base column that is missing or of another type, and two columns of one name.
    """
    names = arrived.schema.names
    if len(set(names)) != len(names):
        raise Malformed("two columns of a batch have the same name")
    for field in BASE:
        if field.name not in names or arrived.schema.field(field.name).type != field.type:
            raise Malformed(f"a batch needs a column of type {field.type}", where=field.name)
    return tuple(signals(arrived.schema))


@lru_cache(maxsize=_ALIKE)
def kept_schema(
    arrived: Shape, kept: tuple[tuple[str, str], ...], statutory: frozenset[str], purposes: tuple[str, ...]
) -> pa.Schema:
    """The schema of what is kept: signals with their category, in the order in which they arrived."""
    fields = list(BASE)
    for name, category in kept:
        field = arrived.schema.field(name)
        said = _datum(field) | {"category": category, "statutory": "1" if name in statutory else "0"}
        fields.append(pa.field(name, field.type, metadata=said))
    of = dict.fromkeys(category for _, category in kept)
    fields += [pa.field(purposes_column(category), pa.int64(), nullable=False) for category in of]
    return with_purposes(pa.schema(fields), purposes)


def _datum(field: pa.Field) -> dict[str, str | bytes]:
    said = (field.metadata or {}).get(DATUM.encode())
    return {} if said is None else {DATUM: said}
