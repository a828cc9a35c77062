"""The data dictionary of what is taken along: what each column is, in what unit, and what it counts as."""

import csv
import io
from collections.abc import Collection, Mapping

from onshore.words.catalogue import Signal
from onshore.words.described import described

IN_SCOPE = ("raw", "pre-processed")
"""What a product's user may have (Regulation (EU) 2023/2854, Art. 4, recital 15): nothing that is derived."""

HEAD = ("signal", "description", "unit", "type", "storage", "csv", "step", "category", "data_act")
_ALWAYS = (
    ("time", "when it was so", "", "instant", "timestamp[ms, UTC]", "ISO 8601 in UTC", "1 ms", "", ""),
    ("received", "when the site received it", "", "instant", "timestamp[ms, UTC]", "ISO 8601 in UTC", "1 ms", "", ""),
)


def dictionary(catalogue: Mapping[str, Signal], names: Collection[str]) -> bytes:
    """The dictionary of these signals as CSV (UTF-8, a head, a line each)."""
    sink = io.StringIO()
    table = csv.writer(sink, lineterminator="\n")
    table.writerow(HEAD)
    table.writerows(_ALWAYS)
    table.writerows(_line(catalogue[name]) for name in sorted(names))
    return sink.getvalue().encode()


def _line(signal: Signal) -> tuple[str, ...]:
    written = "base64" if signal.storage == "binary" else "as it is"
    kinds = (signal.unit or "", signal.type, signal.storage, written, signal.precision)
    return (signal.name, described(signal), *kinds, signal.category, signal.data_act)
