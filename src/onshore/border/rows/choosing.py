"""Choosing for a request: vehicles, as a register with sealed VINs can answer it when it is asked; signals."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import select

from onshore.register.vin import check_vin
from onshore.site import Site
from onshore.vault.keys import mac, open_sealed
from onshore.vault.papers import reading, vehicles
from onshore.words.catalogue import Signal
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Transfer

_BEGINS = re.compile(r"[A-HJ-NPR-Z0-9]{1,16}", re.ASCII)
_AT_ONCE = 1000  # fingerprints in one question


@dataclass(frozen=True)
class Filter:
    """Which vehicles; all conditions that are given hold.

    `begins`: the VIN begins with one of these: maker, model (ISO 3779). `vins`: it is one of these. `since`, `until`:
    registered here in [since, until), milliseconds UTC.
    """

    begins: tuple[str, ...] = ()
    vins: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


def lines_of(text: str) -> tuple[str, ...]:
    """VINs of a file, one a line; blank lines and what follows `#` count for nothing. Malformed names a line alone."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if vin := line.partition("#")[0].strip():
            try:
                check_vin(vin)
            except Malformed as wrong:
                raise Malformed(wrong.what, where=f"line {number}") from None
            found.append(vin)
    return tuple(found)


def choose(site: Site, wanted: Filter) -> tuple[int, ...]:
    """The ids of the vehicles that a filter means now, in order; all of a request that names none would be others.

    Refused: a VIN that nobody registered (`vehicle-unknown`, by its place in the list), and a filter that means no
    vehicle at all (`no-vehicle`).
    """
    _check(wanted)
    found = set(_listed(site, wanted.vins)) if wanted.vins else None
    if wanted.begins or wanted.since is not None or wanted.until is not None:
        fits = set(_fitting(site, wanted))
        found = fits if found is None else found & fits
    if not found:
        raise Refusal(
            "no-vehicle",
            "no vehicle that is registered here is one of those",
            remedy="widen what chooses them, or leave it out to ask for all vehicles",
        )
    return tuple(sorted(found))


def refuse_signals(transfer: Transfer, catalogue: Mapping[str, Signal]) -> None:
    """Refuse signals that are of no asked category (`signal-unknown`), and a category of which none is asked."""
    of = {name: catalogue[name].category for name in transfer.signals if name in catalogue}
    if strangers := [name for name in transfer.signals if of.get(name) not in transfer.categories]:
        raise Refusal(
            "signal-unknown",
            f"'{strangers[0]}' is no signal of {' or '.join(transfer.categories)}",
            remedy="name signals of the catalogue with their own category, or none for all of a category",
        )
    if transfer.signals and (idle := sorted(set(transfer.categories) - set(of.values()))):
        raise Refusal(
            "category-idle",
            f"no signal of {idle[0]} is asked for",
            remedy="leave the category out, or name the signals of it that are needed",
        )


def named(site: Site, wanted: Filter) -> str:
    """How a request names the filter that it was asked with: keyed, or whoever sees it could try VINs."""
    plain = {name: value for name, value in asdict(wanted).items() if value is not None}
    return f"hmac-sha256:{mac(site.key('filter'), json.dumps(plain, sort_keys=True).encode()).hex()}"


def _check(wanted: Filter) -> None:
    if not all(_BEGINS.fullmatch(one) for one in wanted.begins):
        raise Malformed("1 to 16 capital letters and digits, without I, O and Q (ISO 3779)", where="VIN begins")
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise Malformed("the time of registration ends before it begins", where="registered")


def _listed(site: Site, vins: tuple[str, ...]) -> Iterator[int]:
    key = site.key("lookup")
    asked = {mac(key, check_vin(vin)): number for number, vin in enumerate(vins, 1)}
    known = set[bytes]()
    for some in _pieces(list(asked)):
        with reading(site.engine) as conn:
            ask = select(vehicles.c.id, vehicles.c.vin_mac).where(vehicles.c.vin_mac.in_(some))
            rows = conn.execute(ask).all()
        known |= {bytes(row.vin_mac) for row in rows}
        yield from (int(row.id) for row in rows)
    if unknown := sorted(number for fingerprint, number in asked.items() if fingerprint not in known):
        raise Refusal(
            "vehicle-unknown",
            f"number {unknown[0]} of the {len(asked)} vehicles named is not registered here"
            + (f", nor are {len(unknown) - 1} others" if unknown[1:] else ""),
            remedy="take it out, or register it with 'onshore vehicle add VIN'",
        )


def _fitting(site: Site, wanted: Filter) -> Iterator[int]:
    """Each VIN is opened and looked at, where it matters how it begins."""
    t, key, begins = vehicles.c, site.key("column"), tuple(one.encode() for one in wanted.begins)
    ask = select(t.id, t.vin_sealed)
    ask = ask if wanted.since is None else ask.where(t.added >= wanted.since)
    ask = ask if wanted.until is None else ask.where(t.added < wanted.until)
    with reading(site.engine) as conn:
        for row in conn.execute(ask):
            if not begins or open_sealed(key, row.vin_sealed, f"vehicles/{row.id}/vin").startswith(begins):
                yield int(row.id)


def _pieces(all_: list[bytes]) -> Iterable[list[bytes]]:
    return (all_[first : first + _AT_ONCE] for first in range(0, len(all_), _AT_ONCE))
