"""Acts that crashes and full disks interrupt, and what must be so after each, whatever happened.

An act is a `prepare` (once, from a site with two cars of which one consents), a `do` that is struck, and a `judge` that
says what is wrong once the site has been opened again and had time to `recover`. To add one: a function, and a line in
ACTS. A site is a real one; its clock stands in the driver's hands.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlalchemy import select

from bytescan import find
from fault_steps import FILLING, HUNG, Came, Strike, struck
from onshore.cli.compacting import turn as compact_turn
from onshore.cli.deep import damage
from onshore.cli.drives import computed
from onshore.cli.key_rounds import round_of, telling
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.decode import decode
from onshore.gate.intake import Intake
from onshore.register import vehicles
from onshore.rights import cases
from onshore.rights.erase import carry_out
from onshore.rights.retiring import turn as retire_turn
from onshore.site import Site, open_site
from onshore.vault import papers
from onshore.vault.compact import QUIET
from onshore.vault.journal import Journal
from onshore.vault.read import read_all_of
from onshore.vault.rotation import ended, rotate
from site_makers import Hands

BEGIN = 1_790_000_000_000
BATCHES, SECONDS = 4, 3  # of an ingest; frames of a car in each
CARS = (1, 2)  # the first one's owner consents to their track, the second's to nothing
Rows = Counter[tuple[int, str, int]]
"""How often a row is there: car, category/ground, its time."""


def opened(folder: Path, clock: Callable[[], int] = lambda: BEGIN + 3_600_000) -> Site:
    return open_site(folder, clock=clock)


def journal_of(site: Site, gate: str = "0", **more) -> Journal:
    said = {"site": site.id, "clock": site.clock, "randomness": site.randomness} | more
    return Journal(site.engine, site.root, site.vault, gate=gate, **said)


def batch_of(site: Site, number: int) -> pa.RecordBatch:
    """The number-th batch of an ingest: some seconds of both cars."""
    frames, ids = [], []
    for car in CARS:
        id_ = vehicles.find(site, Hands.vin(car).decode()).id
        for moment in computed(car, SECONDS):
            at = BEGIN + 1_000_000 + number * SECONDS * 1000 + moment.offset
            frames.append(encode.realtime(Hands.vin(car), at, moment.units))
            ids.append(id_)
    return decode(frames, ids, site.clock()).batch


def rows_of(site: Site) -> Rows:
    """Every row that the segments hold, read with their keys."""
    found: Rows = Counter()
    for car in CARS:
        id_ = vehicles.find(site, Hands.vin(car).decode()).id
        for segment, table in read_all_of(site.engine, site.root, site.vault, site.id, id_, even_restricted=True):
            where = f"{segment.place.category}/{segment.place.ground}"
            found.update((car, where, int(time)) for time in table.column("time").cast(pa.int64()).to_numpy())
    return found


def make(folder: Path) -> None:
    """A site with two cars and a drive each, drained and in the ledger."""
    hands = Hands(folder)
    hands.car(1)
    hands.car(2)
    hands.allow(1)
    hands.drive(*CARS, seconds=5, start=BEGIN + 10_000)
    hands.site.write_ledger()
    hands.site.engine.dispose()


def acknowledged(folder: Path) -> list[int]:
    """The batches that an ingest said were kept, as a car would have heard."""
    acks = folder.parent / "acks"
    return list(acks.read_bytes()) if acks.exists() else []


def ingest(folder: Path) -> None:
    site = opened(folder)
    acks = os.open(folder.parent / "acks", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    with journal_of(site) as journal:
        intake = Intake(site, journal)
        for number in range(BATCHES):
            intake.take_in(batch_of(site, number))
            os.write(acks, bytes([number]))
            if number == 1:
                journal.rotate()
        intake.close()


def drain(folder: Path) -> None:
    site = opened(folder)
    site.drain()
    site.write_ledger()


def ask_erasure(folder: Path) -> None:
    site = opened(folder)
    cases.opened(site, vehicles.find(site, Hands.vin(1).decode()), "erase", "officer")
    site.engine.dispose()


def erase(folder: Path) -> None:
    site = opened(folder)
    failed = carry_out(site)
    if failed:
        raise next(iter(failed.values()))
    site.write_ledger()


def new_keys(folder: Path) -> None:
    site = opened(folder)
    rotate(site.root, telling(site), site.settings.keys.backup_days)
    for _ in range(20):
        round_of(site)
        if ended(site.root):
            site.write_ledger()
            return
    raise OSError("the rotation did not end")


def merge(folder: Path) -> None:
    site = opened(folder, lambda: BEGIN + 3_600_000 + 2 * QUIET)
    for _ in range(50):
        with site.keeping():
            if not compact_turn(site):
                break
    site.write_ledger()


def retire(folder: Path) -> None:
    """Two weeks on, at an instant by which a part of what was kept on consent may lie no longer."""
    site = opened(folder, lambda: BEGIN + 14 * 86_400_000 + 1_000_000 + 5000)
    while retire_turn(site):
        pass
    site.write_ledger()


def ingested(folder: Path) -> None:
    ingest(folder)
    (folder.parent / "acks").unlink()


def drained(folder: Path) -> None:
    ingested(folder)
    drain(folder)


@dataclass(frozen=True)
class Act:
    """`prepare` makes of the common site what `do` acts on; `erases`: rows of the first car are gone afterwards.

    `either`: until it is done again, all may be as before.
    """

    do: Callable[[Path], None]
    prepare: Callable[[Path], None] = lambda _folder: None
    erases: bool = False
    either: bool = False


ACTS = {
    "ingest": Act(ingest),
    "drain": Act(drain, ingested),
    "erase": Act(erase, ask_erasure, erases=True),
    "keys": Act(new_keys, ingested),
    "merge": Act(merge, drained),
    "retire": Act(retire, drained, erases=True, either=True),
}


def wrapped_keys(site: Site) -> dict[str, bytes]:
    """The wrapped keys of the first car's segments: once it is erased, no byte of the papers may hold them."""
    with papers.reading(site.engine) as conn:
        rows = conn.execute(select(papers.segments)).all()
    bucket = vehicles.find(site, Hands.vin(1).decode()).id % 16
    return {row.id: row.wrapped for row in rows if row.bucket == bucket}


@dataclass
class Before:
    """What was there before an act: rows, keys, and the folder to copy from."""

    folder: Path
    rows: Rows
    whole: Rows  # when the act has been done undisturbed
    keys: dict[str, bytes]

    def copy(self, target: Path) -> Path:
        """The site as it was, anew in another folder."""
        for old in (target, target.parent / "acks"):
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        return Path(shutil.copytree(self.folder, target))


def prepared(act: Act, common: Path, folder: Path) -> Before:
    """The site on which an act is to be struck."""
    shutil.copytree(common, folder)
    act.prepare(folder)
    site = opened(folder)
    rows, keys = rows_of(site), wrapped_keys(site)
    site.engine.dispose()
    whole = Path(shutil.copytree(folder, folder.parent / f"{folder.name}-whole"))
    act.do(whole)
    recover(whole)
    site = opened(whole)
    done = rows_of(site)
    site.engine.dispose()
    (folder.parent / "acks").unlink(missing_ok=True)
    return Before(folder, rows, done, keys)


def recover(folder: Path) -> None:
    """What whoever keeps a site does once it runs again."""
    site = opened(folder)
    journal_of(site).close()
    site.drain()
    failed = carry_out(site)
    with site.keeping():
        round_of(site)
        retire_turn(site)
    site.write_ledger()
    site.engine.dispose()
    if failed:
        raise next(iter(failed.values()))


def judge(act: Act, before: Before, folder: Path) -> list[str]:
    """What is wrong after `recover`; nothing must be. Bytes are searched for every number and place of the cars."""
    site = opened(folder)
    wrong = [f"{name}: {what}" for name, what in damage(site)]
    found = rows_of(site)
    doubled = [row for row, count in found.items() if count > 1]
    wrong += [f"{len(doubled)} rows are there twice"] if doubled else []
    wrong += _rows_wrong(act, before, found, acknowledged(folder))
    wrong += [
        f"the car that consents to nothing: {where}" for car, where, _ in found if car == 2 and "consent" in where
    ]
    if act.erases:
        held = b"".join(path.read_bytes() for path in sorted(folder.glob("papers.sqlite*")))
        with papers.reading(site.engine) as conn:
            left = set(conn.execute(select(papers.segments.c.id)).scalars())
        struck = [key for id_, key in before.keys.items() if id_ not in left]
        wrong += ["a destroyed key is in the papers"] if any(key[12:28] in held for key in struck) else []
    site.engine.dispose()
    return wrong


def clear_text(folder: Path) -> list[str]:
    """Vehicles and places that lie in the clear anywhere in the site."""
    fixes = [
        (m.units["position"]["longitude"], m.units["position"]["latitude"]) for car in CARS for m in computed(car, 5)
    ]
    return [str(hit) for hit in find(folder, [Hands.vin(car).decode() for car in CARS], fixes)]


def _rows_wrong(act: Act, before: Before, found: Rows, acks: list[int]) -> list[str]:
    if act.do is not ingest:
        if act.either and found == before.rows:
            return []
        return [] if found == before.whole else [f"{sum((before.whole - found).values())} rows are missing"]
    base = BEGIN + 1_000_000
    of_batch = {
        n: Counter(
            {row: 1 for row in before.whole if base + n * SECONDS * 1000 <= row[2] < base + (n + 1) * SECONDS * 1000}
        )
        for n in range(BATCHES)
    }
    missing = [n for n in acks if of_batch[n] - found]
    half = [n for n, rows in of_batch.items() if rows & found and rows - found]
    lost = before.rows - found
    said = [f"batch {n} was acknowledged and is not there" for n in missing] + [
        f"batch {n} is there in part" for n in half
    ]
    more = sum(bool(rows & found) for n, rows in of_batch.items() if n not in acks)
    said += [f"{more} batches are there that nobody heard of"] if more > 1 else []
    return said + ([f"{sum(lost.values())} rows of before are missing"] if lost else [])


def came_through(act: Act, before: Before, run: Path, strike: Strike) -> tuple[Came, list[str]]:
    """Strike an act on a fresh copy of its site; how that ended, and what is wrong after all has recovered."""
    site = before.copy(run / "site")
    came = struck(act.do, site, strike)
    try:
        assert came.failed != HUNG, HUNG
        recover(site)
        wrong = judge(act, before, site) + clear_text(site)
    except Exception as failed:  # noqa: BLE001 - a site that does not come back is what is looked for
        wrong = [f"it does not recover: {type(failed).__name__}: {failed}"]
    return came, wrong


def strikes_of(steps: Mapping[str, int]) -> list[Strike]:
    """A kill at every step, and a disk that is full from there on, or for that one call, at each that may tell so."""
    kills = [Strike(call, at) for call, count in sorted(steps.items()) for at in range(1, count + 1)]
    full = [Strike(s.call, s.at, "ENOSPC", on) for s in kills if s.call in FILLING for on in (False, True)]
    return kills + full
