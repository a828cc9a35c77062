"""Signals in words, made of what the catalogue says of them."""

import re

from onshore.words.catalogue import Signal

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")


def described(signal: Signal) -> str:
    """A signal in words: its branches in VSS 6.0, and the unit of GB/T 32960.3 that carries it, if one does.

    The words are those of its name: the texts of the specification come under a licence that ours is not.
    """
    branches = [" ".join(_WORDS.findall(part)).lower() for part in signal.name.split(".")[1:]]
    own = "an extension that VSS 6.0 lacks: " if signal.own else "VSS 6.0: "
    unit, _, field = (signal.gb32960 or "").partition(".")
    carried = f"; GB/T 32960.3-2016 unit {unit}, {field}" if signal.gb32960 else ""
    return f"{own}{', '.join(branches)}{carried}"
