"""The data dictionary of what is taken along: what each column is, in what unit, and what it counts as."""

import csv
import io
import re
from collections.abc import Collection, Mapping

from onshore.words.catalogue import Signal

IN_SCOPE = ("raw", "pre-processed")
"""What a product's user may have (Regulation (EU) 2023/2854, Art. 4, recital 15): nothing that is derived."""

HEAD = ("signal", "description", "unit", "type", "storage", "csv", "step", "category", "data_act")
_ALWAYS = (
    ("time", "when it was so", "", "instant", "timestamp[ms, UTC]", "ISO 8601 in UTC", "1 ms", "", ""),
    ("received", "when the site received it", "", "instant", "timestamp[ms, UTC]", "ISO 8601 in UTC", "1 ms", "", ""),
)
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


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


def described(signal: Signal) -> str:
    """A signal in words: its branches in VSS 6.0, and the unit of GB/T 32960.3 that carries it, if one does.

    The words are those of its name: the texts of the specification come under a licence that ours is not.
    """
    branches = [" ".join(_WORDS.findall(part)).lower() for part in signal.name.split(".")[1:]]
    own = "an extension that VSS 6.0 lacks: " if signal.own else "VSS 6.0: "
    unit, _, field = (signal.gb32960 or "").partition(".")
    carried = f"; GB/T 32960.3-2016 unit {unit}, {field}" if signal.gb32960 else ""
    return f"{own}{', '.join(branches)}{carried}"
