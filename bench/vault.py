"""Vault: appends beside the plain disk, segments written and read, one car erased."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, insert

from onshore.vault import papers
from onshore.vault.drain import drain
from onshore.vault.erase import erase
from onshore.vault.journal import Journal, Limits
from onshore.vault.journal_files import ask_rotate
from onshore.vault.keys import RootKey
from onshore.vault.opening import open_papers, sqlite_url
from onshore.vault.read import read
from onshore.vault.records import JournalName, payload_of, seal_record
from onshore.vault.restrictions import Scope, restrict
from onshore.vault.roots.file import FileRoot
from onshore.vault.segments import Shelf
from onshore.words.batch import DOOR, TIME, purposes_column, with_purposes
from onshore.words.tally import Sieved, Tally
from onshore.words.vocabulary import STATUTORY

NOON = 1_780_027_200_000
ROWS = 2_000
APPENDS = 100
CARS = 1_000
SITE = "bench"
USE = "range-model"


def batch(rng: np.random.Generator, start: int, rows: int = ROWS) -> Sieved:
    """One kept batch: 40 columns in 3 categories, all consented, cells and temperatures as binary."""
    said = {
        pa.field("vehicle", pa.int64(), nullable=False): pa.array(rng.integers(1, CARS + 1, rows)),
        pa.field("time", TIME, nullable=False): pa.array(start + np.arange(rows) * 10, TIME),
        pa.field("received", TIME, nullable=False): pa.array(start + np.arange(rows) * 10 + 80, TIME),
        pa.field("door", DOOR, nullable=False): pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), ["gb32960"]),
    }
    for i in range(31):
        category = ("vehicle-operation", "driving-behaviour", "track")[i % 3]
        about = {"category": category, "statutory": "1" if i % 3 == 0 else "0"}
        values = np.round(np.cumsum(rng.normal(size=rows)), 1) if i % 2 else rng.integers(0, 200, rows).astype(np.int16)
        said[pa.field(f"Vehicle.Signal{i}", pa.array(values).type, metadata=about)] = pa.array(values)
    for name, cells in (("Cells", 96), ("Temperatures", 34)):
        about = {"category": "vehicle-operation", "statutory": "1"}
        values = rng.integers(3600, 3640, (rows, cells)).astype(np.uint16)
        said[pa.field(f"Vehicle.{name}", pa.binary(), metadata=about)] = pa.array([row.tobytes() for row in values])
    for category in ("vehicle-operation", "driving-behaviour", "track"):
        said[pa.field(purposes_column(category), pa.int64(), nullable=False)] = pa.array(np.full(rows, 3))
    schema = with_purposes(pa.schema(list(said)), (STATUTORY, USE))
    kept = pa.RecordBatch.from_arrays(list(said.values()), schema=schema)
    return Sieved(kept, Tally(rows, rows, {("track", "consent", "consented"): rows}))


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the wall and of this process's CPU."""
    wall, cpu = perf_counter(), process_time()
    act()
    return perf_counter() - wall, process_time() - cpu


def plain_appends(path: Path, piece: bytes) -> None:
    """The limit: the same bytes, written and synced, nothing else."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for _ in range(APPENDS):
        os.write(fd, piece)
        os.fdatasync(fd)
    os.close(fd)


def run() -> dict[str, float]:
    """Figures by name; rates are per second."""
    with tempfile.TemporaryDirectory() as name:
        return measure(Path(name))


def measure(folder: Path) -> dict[str, float]:
    rng = np.random.default_rng(1)
    engine = open_papers(sqlite_url(folder / "papers.sqlite"))
    root, clock = FileRoot(os.urandom(32), os.urandom), lambda: NOON
    batches = [batch(rng, NOON + i * ROWS * 10) for i in range(10)]
    piece = seal_record(
        AESGCM(bytes(32)), JournalName(SITE, "1", 1), 0, os.urandom(12), payload_of(batches[0], "cn/2026-02")
    )
    journal = Journal(
        engine, root, folder, site=SITE, gate="1", clock=clock, randomness=os.urandom, limits=Limits(size=1 << 30)
    )

    def appends() -> None:
        for i in range(APPENDS):
            journal.append(batches[i % 10], pack="cn/2026-02")

    journal.append(batches[0], pack="cn/2026-02")
    rows = ROWS * APPENDS
    append, append_cpu = timed(appends)
    plain, _ = timed(lambda: plain_appends(folder / "plain", piece))
    ticks, _ = timed(lambda: [journal.tick() for _ in range(200)])
    journal.close()
    figures = {
        "append rows/s": rows / append,
        "append rows/s of CPU": rows / append_cpu,
        "append us/row": append / rows * 1e6,
        "append MB/s": APPENDS * len(piece) / append / 1e6,
        "append bytes/row": len(piece) / ROWS,
        "limit: plain append and fdatasync MB/s": APPENDS * len(piece) / plain / 1e6,
        "limit: plain append and fdatasync rows/s": rows / plain,
        "tick us": ticks / 200 * 1e6,
    }
    return figures | segments(folder, engine, root, rows + ROWS)


def segments(folder: Path, engine: Engine, root: RootKey, rows: int) -> dict[str, float]:
    clock = {"clock": lambda: NOON, "randomness": os.urandom}
    draining, _ = timed(
        lambda: drain(
            engine, root, folder, SITE, zone="Asia/Shanghai", announce=lambda _: b"", at_once=1 << 40, **clock
        )
    )
    with papers.writing(engine) as conn:
        conn.execute(insert(papers.vehicles).values(id=7, vin_mac=bytes(32), vin_sealed=b"", added=0))
        restrict(conn, Scope(7), since=0)
        conn.execute(insert(papers.persons).values(id=7))
        consent = {"id": 7, "person": 7, "vehicle": 7, "purpose": USE, "category": "track", "start": 0}
        conn.execute(insert(papers.consents).values(**consent, notice="1", separate=True))
    ask = {"start": 0, "until": 2 * NOON, "categories": ["vehicle-operation"]}
    seen: list[int] = []
    reading, _ = timed(lambda: seen.extend(t.num_rows for t in read(engine, root, folder, SITE, use=STATUTORY, **ask)))
    one, _ = timed(lambda: list(read(engine, root, folder, SITE, use=USE, **ask | {"vehicles": [8]})))
    erasing, _ = timed(lambda: erase(engine, Shelf(root, folder, SITE), [Scope(7)], turn=ask_rotate(engine), **clock))
    return {
        "drain journal rows/s": rows / draining,
        "read rows/s": sum(seen) / reading,
        "read one car's day ms": one * 1e3,
        f"erase one car of {CARS} in {rows} rows s": erasing,
    }


if __name__ == "__main__":
    for figure, value in run().items():
        print(f"{figure:<45} {value:>14,.1f}")
