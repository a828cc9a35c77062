"""Ledger entries: canonical JSON of a closed list of fields per kind, digests and counts, nobody's data."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from onshore.ledger.layout import MAX_ENTRY
from onshore.ledger.note import Wrong
from onshore.ledger.verify import canonical, digest, read_entry
from onshore.words.errors import Broken, Malformed

__all__ = ["KINDS", "article", "digest", "entry", "read"]

Form = tuple[str, Callable[[object], bool]]
"""What a field holds, in words, and the test of it."""

_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}", re.ASCII | re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_10000 = 253_402_300_800_000


def _text(says: str, pattern: str) -> Form:
    shape = re.compile(pattern, re.ASCII)
    return says, lambda v: isinstance(v, str) and bool(shape.fullmatch(v)) and not _VIN.fullmatch(v)


def _one_of(*words: str) -> Form:
    return "one of " + ", ".join(words), lambda v: v in words


def _list_of(form: Form) -> Form:
    says, fits = form
    return f"a list, each {says}", lambda v: isinstance(v, (list, tuple)) and all(fits(x) for x in v)


def _tuple_of(*forms: Form) -> Form:
    def fits(v: object) -> bool:
        return (
            isinstance(v, (list, tuple))
            and len(v) == len(forms)
            and all(f(x) for (_, f), x in zip(forms, v, strict=True))
        )

    return f"[{', '.join(says for says, _ in forms)}]", fits


DIGEST = _text("sha256: and 64 hex digits", r"sha256:[0-9a-f]{64}")
WORD = _text("a word in small letters", r"[a-z][a-z0-9._/-]{0,79}")
PACKS = _text("names of rule packs, between commas", r"[a-z0-9._/,-]{0,200}")
ARTICLE = _text("an article of law", r"(?=.*[A-Za-z]{2})(?=.*\d)[A-Za-z0-9][A-Za-z0-9 .,;:()/'-]{0,199}")
DAY = _text("a day", r"\d{4}-\d{2}-\d{2}")
REFERENCE = _text("a paper's number, without blanks", r"[A-Za-z0-9][A-Za-z0-9._/-]{0,79}")
NAME = _text("a name", r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
ORIGIN = _text("the origin of a log", r"[A-Za-z0-9][A-Za-z0-9._/-]{0,250}")
JURISDICTION = _text("a jurisdiction's code", r"[A-Z]{2}(-[A-Z0-9]{1,8})?")
COUNT: Form = ("a count", lambda v: isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 1 << 53)
CELLS = _list_of(_tuple_of(_text("a category", r"[a-z0-9-]{0,40}"), WORD, WORD, COUNT))
"""[category, ground, reason, cells], as `Tally.as_rows` counts them."""

_HEAD = {"site": NAME, "jurisdiction": JURISDICTION}

_JUDGED = {"verdict": WORD, "reasons": _list_of(WORD), "facts": DIGEST, "packs": _list_of(DIGEST)}
"""The judge's word, the salted digest of what it was asked on, and the packs that it answered by, the site's first."""

_IF_JUDGED = {f"{name}?": form for name, form in _JUDGED.items()}

KINDS: Mapping[str, dict[str, Form]] = {
    "site": {"pack?": WORD, "packdigest?": DIGEST, "obj?": DIGEST},
    "ingest": {
        "pack": PACKS,
        "packdigest": DIGEST,
        "rows_in": COUNT,
        "rows_kept": COUNT,
        "cells": CELLS,
        "segments": COUNT,
        "obj": DIGEST,
        "journals": COUNT,
        "damaged?": COUNT,
    },
    "log/closed": {"state": _one_of("closed"), "next": ORIGIN},
    "log/opened": {"state": _one_of("opened"), "last": ORIGIN, "size": COUNT, "root": DIGEST, "year": COUNT},
    "consent/given": {"obj": DIGEST, "state": _one_of("given"), **_JUDGED},
    "consent/withdrawn": {"obj": DIGEST, "state": _one_of("withdrawn")},
    "permit": {"obj": DIGEST, "state": _one_of("granted", "revoked")},
    "permit/recorded": {"obj": DIGEST, "state": _one_of("recorded"), "scan": DIGEST, "number": REFERENCE},
    "clock/doubted": {"obj": DIGEST, "state": _one_of("doubted"), "until": COUNT, "number": REFERENCE, "by": WORD},
    "clock/lifted": {
        "obj": DIGEST,
        "state": _one_of("lifted"),
        "until": COUNT,
        "number": REFERENCE,
        "by": WORD,
        "vouched": _one_of("witnesses", "officers"),
    },
    "declared": {
        "obj": DIGEST,
        "by": DIGEST,
        "year": COUNT,
        "sensitive": COUNT,
        "ordinary": COUNT,
        "number": REFERENCE,
    },
    "request": {"obj": DIGEST, **_JUDGED},
    "move": {"obj": DIGEST, "from?": WORD, "to": WORD, "by?": WORD, "why?": WORD},
    "approval": {"obj": DIGEST, "state": _one_of("given", "lapsed"), "basis": DIGEST, "by?": WORD, "why?": WORD},
    "release/leaving": {
        "obj": DIGEST,
        "state": _one_of("leaving"),
        "manifest": DIGEST,
        "permit": DIGEST,
        "parts": _list_of(DIGEST),
        "dest": JURISDICTION,
        "subjects": COUNT,
        "rows": COUNT,
        "bytes": COUNT,
    },
    "release/unsent": {"obj": DIGEST, "state": _one_of("unsent")},
    "release/cut": {"obj": DIGEST, "state": _one_of("cut"), "bytes": COUNT},
    "egress": {"total": COUNT, "payload": COUNT, "to": _list_of(_tuple_of(JURISDICTION, COUNT)), "unexplained": COUNT},
    "attempt": {"what": _one_of("connect", "place", "start", "uncounted"), "module?": WORD, "bytes": COUNT},
    "receipt": {"obj": DIGEST, "parcel": DIGEST, "bytes": COUNT},
    "switch/lenient": {"name": WORD, "state": _one_of("lenient"), "opinion": REFERENCE, "obj": DIGEST},
    "switch/strict": {"name": WORD, "state": _one_of("strict")},
    "witnesses/asked": {"state": _one_of("asked"), "obj": DIGEST, "witnesses": COUNT},
    "witnesses/none": {"state": _one_of("none")},
    "zone": {"obj": DIGEST, "state": _one_of("imported", "removed")},
    "erase": {"obj": DIGEST, "segments_old": COUNT, "segments_new": COUNT, "rows": COUNT},
    "compact": {"old": _list_of(DIGEST), "new": _list_of(DIGEST), "rows": COUNT},
    "retire": {
        "category": WORD,
        "ground": WORD,
        "exception?": WORD,
        **_JUDGED,
        "articles": _list_of(ARTICLE),
        "first": DAY,
        "last": DAY,
        "rows": COUNT,
        "old": _list_of(DIGEST),
        "new": _list_of(DIGEST),
    },
    "take": {"obj": DIGEST, "rows": COUNT, "parts": COUNT, "bytes": COUNT},
    "policy": {"obj": DIGEST, "signals": COUNT, "purposes": COUNT},
    "forward": {"to": NAME, "rows": COUNT, "refused": COUNT},
    "unsent": {"to": NAME, "rows": COUNT, "why": _one_of("unlisted", "refused", "lost")},
    "vehicle": {
        "obj": DIGEST,
        "state": _one_of("certified", "revoked", "sold", "retired", "awaited", "activated", "deactivated"),
    },
    "query/asked": {
        "obj": DIGEST,
        "state": _one_of("asked"),
        "role": WORD,
        "purpose": WORD,
        "categories": _list_of(WORD),
        **_IF_JUDGED,
    },
    "query/refused": {
        "obj": DIGEST,
        "state": _one_of("refused"),
        "role?": WORD,
        "purpose?": WORD,
        "why": WORD,
        **_IF_JUDGED,
    },
    "query": {"obj": DIGEST, "state": _one_of("answered", "cut", "stopped", "failed"), "rows": COUNT},
    "paper": {"obj": DIGEST, "paper": DIGEST, "which": WORD, "state": _one_of("filed", "withdrawn")},
    "task": {"obj": DIGEST, "what": WORD, "state": _one_of("opened", "done"), "due?": DAY},
    "court/asked": {"obj": DIGEST, "state": _one_of("asked"), "dest": JURISDICTION, **_JUDGED},
    "court/approved": {"obj": DIGEST, "state": _one_of("approved"), "dest": JURISDICTION, **_JUDGED},
    "court/refused": {"obj": DIGEST, "state": _one_of("refused"), "dest": JURISDICTION},
    "view/refused": {"state": _one_of("refused"), "what": WORD, "role": WORD, "dest": JURISDICTION, **_JUDGED},
    "view/leaving": {
        "obj": DIGEST,
        "state": _one_of("leaving"),
        "request": DIGEST,
        "permit": DIGEST,
        "categories": _list_of(WORD),
        "dest": JURISDICTION,
        "subjects": COUNT,
    },
    "view/left": {"obj": DIGEST, "state": _one_of("left"), "rows": COUNT},
    "view/cut": {"obj": DIGEST, "state": _one_of("cut"), "rows": COUNT},
    "view/unsent": {"obj": DIGEST, "state": _one_of("unsent")},
    "view/shown": {"obj": DIGEST, "state": _one_of("shown"), "what": WORD, "role": WORD, "rows": COUNT},
    "account": {
        "obj": DIGEST,
        "state": _one_of("added", "disabled", "password", "code", "locked", "signed-in"),
        "role": WORD,
    },
    "incident/reported": {"obj": DIGEST, "state": _one_of("reported"), "to": JURISDICTION, "number": REFERENCE},
    "incident": {"obj": DIGEST, "state": _one_of("opened", "amended", "closed", "unfounded")},
    "complaint": {"obj": DIGEST, "state": _one_of("opened", "answered"), "about": WORD},
    "report": {"obj": DIGEST, "what": WORD, "year": COUNT},
    "recall": {"obj": DIGEST},
    "backup": {"obj": DIGEST, "files": COUNT, "bytes": COUNT, "rows": COUNT},
    "restore": {
        "obj": DIGEST,
        "since": COUNT,
        "recalled": COUNT,
        "erased": COUNT,
        "newest": _one_of("shown", "stated"),
        "known?": COUNT,
        "seen?": COUNT,
    },
    "key": {"role": WORD, "state": _one_of("made", "rotated", "destroyed"), "obj?": DIGEST, "keys?": COUNT},
}
"""What each kind of entry, or kind/state, says; a field with "?" may be left out, any other field is refused.

`obj` is the digest of the thing the entry is about: a salted receipt, a certificate, the sealed parcel, the digests
of new segments a line each, counsel's recorded opinion behind a switch that is read leniently from this instant on.
"""


def entry(kind: str, *, at: int, site: str, jurisdiction: str, **fields: Any) -> bytes:
    """The bytes of a leaf; `at` is milliseconds UTC. Malformed where a field has no place in the log.

    A log cannot forget, so personal data is kept out by form: digests, counts and single words alone.
    """
    forms = KINDS.get(f"{kind}/{fields.get('state')}", KINDS.get(kind))
    if forms is None or "/" in kind:
        raise Malformed(f"the ledger knows no such entry; it knows {', '.join(KINDS)}", where=f"entry {kind}")
    _check(kind, forms | _HEAD, {"site": site, "jurisdiction": jurisdiction, **fields})
    if not 0 <= at < _YEAR_10000:
        raise Malformed("an instant of the ledger lies between the years 1970 and 9999", where=f"entry {kind}, at")
    head = {"v": 1, "t": kind, "at": _instant(at), "site": site, "jurisdiction": jurisdiction}
    raw = canonical(head | fields)
    if len(raw) > MAX_ENTRY:
        raise Malformed(f"it takes {len(raw)} bytes of {MAX_ENTRY}; split it in two", where=f"entry {kind}")
    return raw


def article(said: str) -> str:
    """An article as an entry may name it: as its pack writes it, or where that is no plain line, by its digest."""
    return said if ARTICLE[1](said) else digest(said)


def read(raw: bytes) -> dict[str, Any]:
    """The fields of an entry; Broken where the bytes are none that `entry` makes."""
    try:
        return read_entry(raw)
    except Wrong as wrong:
        raise Broken(f"the log holds an entry that Onshore did not write: {wrong.what}") from None


def _check(kind: str, forms: Mapping[str, Form], fields: Mapping[str, object]) -> None:
    """No text of a field's value stands in the error: it may be the very thing that does not belong here."""
    for name, (says, fits) in forms.items():
        if name.removesuffix("?") in fields:
            if not fits(fields[name.removesuffix("?")]):
                raise Malformed(f"it takes {says}", where=f"entry {kind}, {name}")
        elif not name.endswith("?"):
            raise Malformed(f"it is missing; it takes {says}", where=f"entry {kind}, {name}")
    for name in fields:
        if name not in forms and f"{name}?" not in forms:
            raise Malformed("no such field may stand in the log", where=f"entry {kind}, {name}")


def _instant(at: int) -> str:
    return (_EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
