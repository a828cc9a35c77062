"""The ledger: its entries by kind, the newest first, and each with its proof to save."""

from dataclasses import dataclass
from typing import Any

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.ledger.entry import KINDS, read
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal

_EACH = 50
_LOOKED_AT = 20_000
"""Entries that one page looks through at most, so that a search in a large ledger goes on from page to page."""
_AT_ONCE = 1024
_SHORTEST = 6
_DIGITS = 18  # of an entry's number

KIND = tuple(sorted({name.partition("/")[0] for name in KINDS} | {"log"}))


@dataclass(frozen=True)
class Line:
    """An entry: its number in the ledger, when, of which kind, and what it says besides."""

    number: int
    at: str
    kind: str
    says: dict[str, Any]


def entries(site: Site, _who: Who, asked: Asked) -> Answer:
    """Entries before a number, of one kind or all, that hold some letters or digits of a digest or not."""
    size = site.ledger.size
    kind = asked.one_of("kind", KIND, "")
    wanted = asked.text("find", "", longest=80)
    if wanted and len(wanted) < _SHORTEST:
        raise Malformed(f"give at least {_SHORTEST} letters or digits", where="find")
    before = min(asked.number("before", size), size)
    found, on = _found(site, kind, wanted, before)
    data = {"size": size, "kind": kind, "find": wanted, "kinds": KIND, "entries": found, "on": on, "before": before}
    return Page("regulator/ledger.html", data)


def one(site: Site, _who: Who, asked: Asked) -> Answer:
    """One entry, whole, and how to verify it elsewhere."""
    number = _number(site, asked)
    line = _line(number, site.ledger.entry_at(number))
    return Page("regulator/entry.html", {"entry": line, "size": site.ledger.size, "vkeys": site.ledger.vkeys.split()})


def proof(site: Site, _who: Who, asked: Asked) -> Answer:
    """The proof that an entry is in the ledger, for the verifier."""
    number = _number(site, asked)
    return File(f"{number}.tlog-proof", "text/plain; charset=utf-8", site.ledger.prove(number).encode())


def checkpoint(site: Site, _who: Who, _asked: Asked) -> Answer:
    """The ledger as it stands, signed: to keep, and to hold a later one against."""
    return File("checkpoint", "text/plain; charset=utf-8", site.ledger.checkpoint.encode())


def vkey(site: Site, _who: Who, _asked: Asked) -> Answer:
    """The ledger's verifier keys."""
    return File("vkey", "text/plain; charset=utf-8", site.ledger.vkeys.encode())


def _found(site: Site, kind: str, wanted: str, before: int) -> tuple[list[Line], int]:
    """A page of entries, and the number before which to go on looking; 0 where there are none."""
    found: list[Line] = []
    mark, part = f'"t":"{kind}"'.encode() if kind else b"", wanted.encode()
    last = max(0, before - _LOOKED_AT)
    while before > last:
        first = max(last, before - _AT_ONCE)
        some = [raw for _, raw in zip(range(first, before), site.ledger.entries(first), strict=False)]
        for number, raw in reversed(list(enumerate(some, first))):
            if mark in raw and part in raw:
                found.append(_line(number, raw))
                if len(found) == _EACH:
                    return found, number
        before = first
    return found, before


def _line(number: int, raw: bytes) -> Line:
    said = dict(read(raw))
    at, kind = str(said.pop("at", "")), str(said.pop("t", ""))
    return Line(number, at, kind, {name: said[name] for name in said if name not in ("v", "site", "jurisdiction")})


def _number(site: Site, asked: Asked) -> int:
    said = asked.where["number"]
    if not (said.isascii() and said.isdecimal() and len(said) <= _DIGITS) or int(said) >= site.ledger.size:
        raise Refusal("entry-unknown", f"the ledger has {site.ledger.size} entries, numbered from 0")
    return int(said)


_HERE = "/regulator/ledger"
ROUTES = (
    Route(_HERE, entries, ("regulator",), nav=T("Ledger")),
    Route(f"{_HERE}/{{number}}", one, ("regulator",)),
    Route(f"{_HERE}/{{number}}/proof", proof, ("regulator",), file=True),
    Route("/regulator/checkpoint", checkpoint, ("regulator",), file=True),
    Route("/regulator/vkey", vkey, ("regulator",), file=True),
)
