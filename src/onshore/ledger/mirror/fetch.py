"""A copy of a site's logs brought up to date: what is new is fetched, all of it checked, then the checkpoint moved."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from onshore.ledger import durable, history, verify
from onshore.ledger.layout import CHECKPOINT, MAX_ENTRY, WITNESSED, paths
from onshore.ledger.note import Checkpoint, Wrong, read_checkpoint
from onshore.ledger.tree import HASH, SPAN
from onshore.ledger.verify import Finding, Trust
from onshore.words.errors import Refusal

Get = Callable[[str, int], bytes | None]
"""Gets a file by its path, of at most so many bytes; None where there is none."""

_NOTE, _TILE, _BUNDLE = 256 << 10, SPAN * HASH, SPAN * (2 + MAX_ENTRY)
_AT_ONCE = 64
REFUSED = "refused"
"""A checkpoint that the log signed, and that does not hold or does not go on from the one that lies beside it."""
_YEAR = re.compile(r"[0-9]{4}")


def fetch(get: Get, folder: Path, trust: Trust, most: int) -> Iterator[Finding]:
    """Bring the mirror in `folder` up to what is served; findings on it, as on any log.

    Each year's log lies in a folder by its year. What was fetched counts once all of it holds and goes on from what lay
    here: only then the checkpoints are put in place. Wrong otherwise, and the mirror stays as it was, beside it
    (`refused`) the checkpoint that does not go on from it: the log signed both. Killed in between it goes on with what
    is there. Refuses (`too-long`) a log of more than `most` entries.
    """
    held = {year: _held(folder / year) for year in _years_in(folder)}
    news: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    for year in _years(get):
        point = _asked(get, year, trust, news)
        if point.size > most:
            what = f"the log of {year} has {point.size} entries, and {most} were to be fetched at most"
            raise Refusal("too-long", what, remedy="allow more with --most, if there is room on the disk")
        sizes[year] = point.size
    newest = max([*held, *sizes], default="")
    if not sizes or newest not in sizes:
        raise Wrong("it lacks what was fetched from it earlier" if held else "there is no log yet", "what is served")
    try:
        for year, size in sizes.items():
            _complete(get, folder, year, size)
        read = history.by_year(lambda name: news.get(name) or _maybe(folder / name), newest)
        since = max((year for year, raw in held.items() if raw is not None), default=None)
        yield from history.log(read, replace(trust, since=None if since is None else held[since]))
    except Wrong:
        for year in sizes:
            raw = held.get(year)
            _purge(folder / year, set(paths(_point(raw).size)) if raw else set())
            if raw:
                durable.write_all(folder, {f"{year}/{REFUSED}": news[f"{year}/{CHECKPOINT}"]}, _on)
        raise
    durable.write_all(folder, news, _on)
    for year, size in sizes.items():
        _purge(folder / year, {name for path in paths(size) for name in _names(path)})


def _asked(get: Get, year: str, trust: Trust, news: dict[str, bytes]) -> Checkpoint:
    """The checkpoint of a year, and below it what witnesses cosigned, where somebody asks for them."""
    cosigned = get(f"/{year}/{WITNESSED}", _NOTE) if trust.policy else None
    raw = get(f"/{year}/{CHECKPOINT}", _NOTE)
    if raw is None:
        raise Wrong("it is missing", f"{year}/{CHECKPOINT}")
    point, _ = verify.checkpoint(raw, Trust(trust.keys))
    news |= {f"{year}/{WITNESSED}": cosigned} if cosigned else {}
    news[f"{year}/{CHECKPOINT}"] = raw
    return point


def _complete(get: Get, folder: Path, year: str, size: int) -> None:
    """Fetch what a log of that size has and this folder lacks."""
    room = folder / year
    lacks = (path for path in paths(size) if not any((room / name).is_file() for name in _names(path)))
    while some := list(islice(lacks, _AT_ONCE)):
        durable.write_all(room, dict(_file(get, year, path) for path in some), _on)


def _names(path: str) -> tuple[str, ...]:
    """A file's names: where a partial one is gone, the full one stands for it (C2SP tlog-tiles)."""
    return tuple(dict.fromkeys((path, path.partition(".p/")[0])))


def _file(get: Get, year: str, path: str) -> tuple[str, bytes]:
    """The name under which a file is served, and its bytes."""
    most = _BUNDLE if path.startswith("tile/entries/") else _TILE
    for name in _names(path):
        raw = get(f"/{year}/{name}", most)
        if raw is not None:
            return name, raw
    raise Wrong("it is missing", f"{year}/{path}")


def _years(get: Get) -> list[str]:
    listed = (get("/", _NOTE) or b"").decode("ascii", "replace").split("\n")[:-1]
    if not all(_YEAR.fullmatch(year) for year in listed) or listed != sorted(set(listed)):
        raise Wrong("it does not list the years of its log, one a line", "what is served")
    return listed


def _years_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("[0-9][0-9][0-9][0-9]"))


def _held(room: Path) -> bytes | None:
    return _maybe(room / CHECKPOINT)


def _point(raw: bytes) -> Checkpoint:
    return read_checkpoint(raw.decode().rpartition("\n\n")[0] + "\n")


def _purge(room: Path, known: set[str]) -> None:
    """Take away the tiles that are none of these."""
    for path in (room / "tile").rglob("*"):
        if path.is_file() and path.relative_to(room).as_posix() not in known:
            path.unlink()


def _maybe(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _on(_step: str) -> None:
    """What follows a step, outside of tests: the next."""
