"""What tests of the vault are made with: a room in a folder, and kept batches as the sieve hands them over."""

import os
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import Engine, insert, select

from databases import papers_in
from onshore.vault import papers
from onshore.vault.drain import Drained, drain
from onshore.vault.erase import Erased, erase
from onshore.vault.journal import Journal
from onshore.vault.journal_files import ask_rotate
from onshore.vault.keys import RootKey
from onshore.vault.opening import open_papers
from onshore.vault.read import read, read_all_of
from onshore.vault.restrictions import Scope, restrict
from onshore.vault.roots.file import make_root_key, read_root_key
from onshore.vault.segments import Shelf
from onshore.words.batch import DOOR, TIME, purposes_column, with_purposes
from onshore.words.tally import Sieved, Tally
from onshore.words.vocabulary import STATUTORY

SITE = "shanghai"
ZONE = "Asia/Shanghai"
PACK = "cn/2026-02"
NOON = 1_780_027_200_000  # 2026-05-29T04:00Z, noon in Shanghai
DAY = 86_400_000
USE = "range-model"
PURPOSES = (STATUTORY, USE, "insurance")
FIELDS = (
    ("Vehicle.Speed", pa.float64(), "vehicle-operation", "1"),
    ("Vehicle.Powertrain.TractionBattery.Cells", pa.binary(), "vehicle-operation", "0"),
    ("Vehicle.CurrentLocation.Latitude", pa.float64(), "track", "0"),
)


class Clock:
    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        self.now += 1
        return self.now


@dataclass
class Room:
    folder: Path
    engine: Engine
    root: RootKey
    clock: Clock = field(default_factory=Clock)

    @property
    def vault(self) -> Path:
        return self.folder / "vault"

    def journal(self, gate: str = "1", **more) -> Journal:
        said = {"site": SITE, "clock": self.clock, "randomness": os.urandom} | more
        return Journal(self.engine, self.root, self.vault, gate=gate, **said)

    def drain(self, **more) -> Drained | None:
        said = {"zone": ZONE, "clock": self.clock, "randomness": os.urandom, "announce": announce}
        return drain(self.engine, self.root, self.vault, SITE, **(said | more))

    def keep(self, *sieved: Sieved, pack: str = PACK) -> Drained | None:
        with self.journal() as journal:
            for one in sieved:
                journal.append(one, pack=pack)
        return self.drain()

    def read(self, **more) -> list[pa.Table]:
        said = {"use": USE, "categories": ["vehicle-operation", "track"], "start": 0, "until": 2 * NOON}
        return list(read(self.engine, self.root, self.vault, SITE, **(said | more)))

    def all_of(self, vehicle: int, **more) -> list[tuple[str, int]]:
        """(category/ground, row's time) of every row of a vehicle, sorted."""
        found = read_all_of(self.engine, self.root, self.vault, SITE, vehicle, **more)
        return sorted(
            (f"{segment.place.category}/{segment.place.ground}", int(time))
            for segment, table in found
            for time in table.column("time").cast(pa.int64()).to_numpy()
        )

    def rows(self, table: papers.Table) -> list:
        with papers.reading(self.engine) as conn:
            return list(conn.execute(select(table)).all())

    def add_vehicle(self, vehicle: int) -> None:
        row = {"id": vehicle, "vin_mac": vehicle.to_bytes(32, "big"), "vin_sealed": b"sealed", "added": NOON}
        with papers.writing(self.engine) as conn:
            conn.execute(insert(papers.vehicles).values(row))

    def restrict(self, vehicle: int, scope: Scope | None = None) -> int:
        with papers.writing(self.engine) as conn:
            restrict(conn, scope or Scope(vehicle), since=self.clock())
        return ask_rotate(self.engine)

    def erase(self, *asked: int | Scope, turn: int, **more) -> Erased:
        """Erase vehicles or scopes; what that did for the first of them."""
        scopes = [Scope(one) if isinstance(one, int) else one for one in asked]
        return self.erase_all(scopes, turn=turn, **more)[scopes[0]]

    def erase_all(self, scopes: list[Scope], **more) -> dict[Scope, Erased]:
        return erase(self.engine, self.shelf, scopes, **{"clock": self.clock, "randomness": os.urandom} | more)

    @property
    def shelf(self) -> Shelf:
        return Shelf(self.root, self.vault, SITE)

    def consent(self, vehicle: int, purpose: str = USE) -> None:
        with papers.writing(self.engine) as conn:
            conn.execute(insert(papers.persons).values(id=vehicle))
            row = {"id": vehicle, "person": vehicle, "vehicle": vehicle, "purpose": purpose, "category": "track"}
            conn.execute(insert(papers.consents).values(**row, start=0, notice="1", separate=True))


def new_room(folder: Path) -> Room:
    root = make_root_key(folder / "keys" / "root.key", os.urandom)
    return Room(folder, open_papers(papers_in(folder)), root)


def open_room(folder: Path) -> Room:
    root = read_root_key(folder / "keys" / "root.key", os.urandom)
    return Room(folder, open_papers(papers_in(folder)), root)


def announce(drained: Drained) -> bytes:
    return f"{drained.rows_in} in, {drained.rows_kept} kept".encode()


def sieved(
    vehicles: Iterable[int],
    times: Iterable[int],
    *,
    operation: int = 0b11,
    track: int = 0b10,
    speeds: Iterable[float | None] | None = None,
    purposes: tuple[str, ...] = PURPOSES,
    without: Callable[[str], bool] = lambda _name: False,
    received: Iterable[int] | None = None,
) -> Sieved:
    """One row per vehicle and time; `operation` and `track` are the purpose bits of the two categories."""
    cars, instants = list(vehicles), list(times)
    arrived = instants if received is None else list(received)
    n = len(cars)
    values = {
        "Vehicle.Speed": list(speeds) if speeds is not None else [float(t % 200) for t in instants],
        "Vehicle.Powertrain.TractionBattery.Cells": [
            None if operation & ~1 == 0 else t.to_bytes(8, "big") for t in instants
        ],
        "Vehicle.CurrentLocation.Latitude": [None if track == 0 else 31.0 + t % 7 for t in instants],
    }
    columns = [
        (pa.field("vehicle", pa.int64(), nullable=False), pa.array(cars, pa.int64())),
        (pa.field("time", TIME, nullable=False), pa.array(instants, TIME)),
        (pa.field("received", TIME, nullable=False), pa.array(arrived, TIME)),
        (pa.field("door", DOOR, nullable=False), pa.array(["gb32960"] * n).dictionary_encode().cast(DOOR)),
    ]
    for name, kind, category, statutory in FIELDS:
        if not without(name):
            about = {"category": category, "statutory": statutory}
            columns.append((pa.field(name, kind, metadata=about), pa.array(values[name], kind)))
    for category, bits in (("vehicle-operation", operation), ("track", track)):
        name = purposes_column(category)
        columns.append((pa.field(name, pa.int64(), nullable=False), pa.array(np.full(n, bits))))
    schema = with_purposes(pa.schema([f for f, _ in columns]), purposes)
    kept = pa.RecordBatch.from_arrays([values for _, values in columns], schema=schema)
    return Sieved(kept if n else None, Tally(n + 1, n, {("track", "consent", "consented"): n}))


WITHHELD = Sieved(None, Tally(3, 0, {("track", "consent", "no-consent"): 3}))


def plant(room: Room, needle: bytes) -> None:
    """Put bytes where SQLite leaves the copies of rows that it moved: between a page's cell pointers and cells."""
    path = room.folder / "papers.sqlite"
    papers.forget_freed_pages(room.engine)
    room.engine.dispose()
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[16:18], "big")
    for page in range(size, len(data), size):
        kind, cells, start = data[page], *struct.unpack_from(">HH", data, page + 3)
        if kind == 0x0D and start - 8 - 2 * cells > len(needle):  # a leaf of a table, with room
            data[page + start - len(needle) : page + start] = needle
    path.write_bytes(data)
