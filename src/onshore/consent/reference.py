"""The reference sieve: slow and plain, cell by cell; what it says is what the sieve means."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from onshore.consent.reference_zones import reference_contains
from onshore.words.batch import BASE, BASE_NAMES, purposes_column, signals, with_purposes
from onshore.words.consent import Consent
from onshore.words.errors import Malformed
from onshore.words.place import DATUM, DATUMS, HERE, LATITUDE, LONGITUDE, NOWHERE, ROW_DATUM, Pair, Zone, datum_of
from onshore.words.rulebook import Rulebook
from onshore.words.tally import Sieved, Tally, Why
from onshore.words.use import Use
from onshore.words.vocabulary import STATUTORY


@dataclass(frozen=True)
class _Question:
    """What does not change from cell to cell."""

    purposes: Sequence[str]
    rulebook: Rulebook
    now: int
    only: Use | None


def reference_sieve(
    batch: pa.RecordBatch,
    consents: Sequence[Consent],
    purposes: Sequence[str],
    rulebook: Rulebook,
    now: int,
    *,
    only: Use | None = None,
    zones: Sequence[Zone] = (),
) -> Sieved:
    """Keep of a batch what the law has kept and what people allowed, and count the rest by reason.

    A cell is a value of one signal in one row; a null is no cell. Each cell is decided alone.

    1. The signal has no category in the rulebook: withheld, ("", none, not-in-catalogue). What nobody listed
       serves no stated purpose (Network Data Security Regulations, Art. 24; PIPL Art. 6).
    2. There are zones, the rulebook lists the category as zoned, and the car or the place that the signal tells
       of may be in one: withheld on every ground, counted (category, consent, restricted-zone), and (category,
       statutory, restricted-zone) where rule 3 would have it kept (Automotive Data Provisions, Art. 3(1)).
       a) The row's own position lies in a zone: so does all that it holds.
       b) A signal tells of where the car is, pictures too, unless the rulebook's `places` say otherwise: withheld
          also where the row has no position of its own. Other rows are not asked.
       c) It tells of another place, a destination, say: withheld also where the longitude and latitude of that
          place in the row lie in a zone, or are not there; of a place that has no such signals, always.
       d) It tells of NOWHERE: a) alone.
       A position with one half missing, or that is no place on the globe, lies in every zone. Zones:
       `consent.reference_zones.reference_contains`.
    3. Ground `statutory`: the rulebook lists the signal for the row's door (GB/T 32960; PIPL Art. 13(3)).
       Kept for the purpose `statutory-monitoring` alone, bit 0, counted (category, statutory, statutory).
       With `only` set to another purpose this ground neither keeps nor counts.
    4. Ground `consent`: one consent of this vehicle for this category holds both at the event's time and
       `now`: over [start, until) and before `withdrawn`. The cell is kept for the union of the purposes of
       all such consents, bit i for `purposes[i]`, counted (category, consent, consented).
    5. Otherwise withheld under consent with one reason, the first of:
       - `default-off`: there is no consent for the vehicle at all; nothing optional is collected until the
         driver chooses (Automotive Data Provisions, Art. 6(2));
       - `no-consent`: there is none for the category (PIPL Art. 13(1));
       - `purpose-not-consented`: with `only`, none of these is for its purpose (PIPL Art. 14);
       - `recipient-not-named`: with a recipient, none of these names it (PIPL Art. 23, 39);
       - `biometric-not-for-safety`: none of these has a purpose that the rulebook's `only_for` lets the
         category serve (Automotive Data Provisions, Art. 9);
       - `not-separate`: the category needs separate consent and none of these was asked for separately
         (PIPL Art. 29);
       - `consent-withdrawn`: one of these is withdrawn by the later of event and now (PIPL Art. 15, 47);
       - `consent-expired`: one of these had begun by both and has ended by one (Automotive Data Provisions,
         Art. 9(3));
       - `no-consent`: they begin later.

    A cell may be kept on both grounds and is then counted on both. Rows and columns without a kept cell are
    left out. `only` narrows to consents with its purpose, and naming its recipient where it has one.
    Purposes columns of the input are not believed but decided anew. Refused (Malformed): consents for a
    purpose not listed or for `statutory-monitoring`, positions that are no float64 where there are zones, and
    rows of several doors where the law keeps different signals.
    """
    _check(consents, purposes)
    question = _Question(purposes, rulebook, now, only)
    names = signals(batch.schema)
    statutory = _statutory(batch, names, question)
    columns = {name: batch.column(name).to_pylist() for name in names}
    base = {name: batch.column(name) for name in BASE_NAMES}
    times = base["time"].cast(pa.int64()).to_pylist()
    vehicles = base["vehicle"].to_pylist()

    restricted = _restricted(batch, zones, rulebook) if zones and rulebook.zoned else {}

    cells: Counter[Why] = Counter()
    bits: dict[tuple[int, str], int] = {}
    for row in range(batch.num_rows):
        of_vehicle = [c for c in consents if c.vehicle == vehicles[row]]
        for name in names:
            if columns[name][row] is None:
                continue
            category = rulebook.category.get(name)
            if category is None:
                cells["", "none", "not-in-catalogue"] += 1
                continue
            by_law = name in statutory
            if category in rulebook.zoned and row in restricted.get(rulebook.places.get(name, HERE), ()):
                cells[category, "consent", "restricted-zone"] += 1
                if by_law:
                    cells[category, "statutory", "restricted-zone"] += 1
                continue
            allowed, reason = _consented(of_vehicle, category, times[row], question)
            cells[category, "consent", reason] += 1
            if by_law:
                cells[category, "statutory", "statutory"] += 1
            if by_law or allowed:
                bits[row, name] = allowed | by_law
    return _kept(batch, columns, bits, statutory, question, cells)


def _check(consents: Sequence[Consent], purposes: Sequence[str]) -> None:
    for consent in consents:
        if consent.purpose == STATUTORY or consent.purpose not in purposes:
            raise Malformed(f"a consent for purpose {consent.purpose!r}, which nobody can consent to here")


def _statutory(batch: pa.RecordBatch, names: list[str], question: _Question) -> frozenset[str]:
    if question.only is not None and question.only.purpose != STATUTORY:
        return frozenset()
    doors = set(batch.column("door").to_pylist())
    listed = {question.rulebook.statutory.get(door, frozenset()) & set(names) for door in doors}
    if len(listed) > 1:
        raise Malformed("rows of several doors where the law keeps different signals")
    return frozenset(listed.pop() if listed else ())


def _restricted(batch: pa.RecordBatch, zones: Sequence[Zone], rulebook: Rulebook) -> dict[str, set[int]]:
    """By place the rows of which nothing zoned that tells of it is kept."""
    car = _said(batch, zones, LONGITUDE, LATITUDE)
    inside = {row for row, said in enumerate(car) if said is True}
    found = {NOWHERE: inside, HERE: {row for row, said in enumerate(car) if said is not False}}
    for place in rulebook.places.values():
        told_by = [name for name, its in rulebook.places.items() if its == place]
        x, y = ([name for name in told_by if name.rpartition(".")[2] == axis] for axis in ("Longitude", "Latitude"))
        if place not in found:
            said = _said(batch, zones, *x, *y) if (len(x), len(y)) == (1, 1) else [None] * batch.num_rows
            found[place] = inside | {row for row, there in enumerate(said) if there is not False}
    return found


def _said(batch: pa.RecordBatch, zones: Sequence[Zone], *pair: str) -> list[bool | None]:
    """Per row whether the position lies in a zone, None where there is none."""
    found = [batch.column(name) if name in batch.schema.names else None for name in pair]
    if any(column is not None and column.type != pa.float64() for column in found):
        raise Malformed("a position that is no float64")
    longitudes, latitudes = ([None] * batch.num_rows if column is None else column.to_pylist() for column in found)
    return [
        None
        if x is None and y is None
        else reference_contains(
            zones,
            math.nan if x is None else x,
            math.nan if y is None else y,
            _datum(batch, row, (pair[0], pair[1])),
        )
        for row, (x, y) in enumerate(zip(longitudes, latitudes, strict=True))
    ]


def _datum(batch: pa.RecordBatch, row: int, pair: Pair) -> str | None:
    """What a row says of the car's own position, and where it says nothing what the columns say of all."""
    own = pair == (LONGITUDE, LATITUDE)
    column = batch.column(ROW_DATUM) if own and ROW_DATUM in batch.schema.names else None
    if column is not None and column.type != pa.uint8():
        return None
    if column is None or column[row].as_py() is None:
        return datum_of(batch.schema, pair)
    return dict(enumerate(DATUMS, start=1)).get(column[row].as_py())


def _consented(consents: Sequence[Consent], category: str, time: int, question: _Question) -> tuple[int, str]:
    """The purposes that consents allow a cell, as bits, and the reason."""
    tests: tuple[tuple[str, Callable[[Consent], bool]], ...] = (
        ("default-off", lambda _: True),
        ("no-consent", lambda c: c.category == category),
        ("purpose-not-consented", lambda c: _serves(c, question.only)),
        ("recipient-not-named", lambda c: _names(c, question.only)),
        (
            "biometric-not-for-safety",
            lambda c: c.purpose in question.rulebook.only_for.get(category, question.purposes),
        ),
        ("not-separate", lambda c: c.separate or category not in question.rulebook.separate),
    )
    for reason, meets in tests:
        consents = [c for c in consents if meets(c)]
        if not consents:
            return 0, reason
    standing = {c.purpose for c in consents if c.holds(time) and c.holds(question.now)}
    if standing:
        return sum(1 << question.purposes.index(purpose) for purpose in standing), "consented"
    return 0, _lapse(consents, time, question.now)


def _serves(consent: Consent, only: Use | None) -> bool:
    return only is None or consent.purpose == only.purpose


def _names(consent: Consent, only: Use | None) -> bool:
    return only is None or only.recipient is None or only.recipient in consent.recipients


def _lapse(consents: Sequence[Consent], time: int, now: int) -> str:
    """Why consents of the right kind do not hold."""
    for consent in consents:
        if consent.withdrawn is not None and (consent.withdrawn <= time or consent.withdrawn <= now):
            return "consent-withdrawn"
    for consent in consents:
        begun = consent.start <= time and consent.start <= now
        if begun and consent.until is not None and (consent.until <= time or consent.until <= now):
            return "consent-expired"
    return "no-consent"


def _kept(
    batch: pa.RecordBatch,
    columns: dict[str, list[Any]],
    bits: dict[tuple[int, str], int],
    statutory: frozenset[str],
    question: _Question,
    cells: Counter[Why],
) -> Sieved:
    """The batch of the kept cells, and the tally."""
    category = question.rulebook.category
    rows = sorted({row for row, _ in bits})
    tally = Tally(batch.num_rows, len(rows), dict(cells))
    if not rows:
        return Sieved(None, tally)
    names = [n for n in columns if any((row, n) in bits for row in rows)]
    fields = list(BASE)
    arrays = [batch.column(f.name).take(pa.array(rows)) for f in BASE]
    for name in names:
        said: dict[str, Any] = {"category": category[name], "statutory": "1" if name in statutory else "0"}
        stated = (batch.schema.field(name).metadata or {}).get(DATUM.encode())
        if stated is not None:
            said[DATUM] = stated
        kind = batch.schema.field(name).type
        fields.append(pa.field(name, kind, metadata=said))
        arrays.append(pa.array([columns[name][row] if (row, name) in bits else None for row in rows], kind))
    for of in dict.fromkeys(category[name] for name in names):
        mine = [n for n in names if category[n] == of]
        fields.append(pa.field(purposes_column(of), pa.int64(), nullable=False))
        arrays.append(pa.array([_union(bits.get((row, n), 0) for n in mine) for row in rows], pa.int64()))
    schema = with_purposes(pa.schema(fields), question.purposes)
    return Sieved(pa.RecordBatch.from_arrays(arrays, schema=schema), tally)


def _union(bits: Iterable[int]) -> int:
    together = 0
    for some in bits:
        together |= some
    return together
