"""Drives of a site's vehicles: what cars say of who drives, written down and followed."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Select, select

from onshore.consent.drives import HOLDS, NOBODY, SUBJECT, Drives, Said, drives_of
from onshore.consent.records import BEFORE_TIME
from onshore.register import persons
from onshore.site import Site
from onshore.vault.drives import Driver, changes, read_drivers, spoke
from onshore.vault.papers import drivers, drives, reading, writing

_Heard = tuple[int, int, int]  # vehicle, when, driver


class Standing:
    """What cars said of who drives, compiled; it follows the papers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seen = -1
        self._newest = 0
        self._drivers: dict[int, Driver] = {}
        self._marks: dict[tuple[int, bytes], list[Driver]] = {}
        self._said: list[tuple[int, int, int]] = []
        self._compiled = drives_of(())

    def compiled(self) -> Drives:
        """The drives as of now: what is on paper when this is asked is in them."""
        with reading(self._site.engine) as conn:
            turn = changes(conn)
            if turn != self._seen:
                self._read(conn, anew=turn < self._seen)
                self._seen = turn
        return self._compiled

    def hear(self, batch: pa.RecordBatch) -> Drives:
        """Write down what cars say in a batch of who drives, durably, before anything of it is sieved; all drives.

        Only of cars that have drivers beside the owner, and only what is new. A mark that nobody has is NOBODY's.
        """
        known = self.compiled()
        if SUBJECT not in batch.schema.names or not self._marks:
            return known
        new = self._new(batch, known)
        if not new:
            return known
        with writing(self._site.engine) as conn:
            there = {(row.vehicle, row.at) for row in conn.execute(_heard(new))}
            rows = [(car, at, driver) for car, at, driver in new if (car, at) not in there]
            if rows:
                conn.execute(drives.insert(), [{"vehicle": c, "at": at, "driver": d or None} for c, at, d in rows])
                persons.mark_changed(conn)
        return self.compiled()

    def _new(self, batch: pa.RecordBatch, known: Drives) -> list[_Heard]:
        """What differs from what was known to be so at that time, or is about to be too long ago."""
        cars = np.unique(np.array([vehicle for vehicle, _ in self._marks], np.int64))
        vehicle, time = (batch.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
        mark = batch.column(SUBJECT)
        rows = np.flatnonzero(np.isin(vehicle, cars) & mark.is_valid().to_numpy(zero_copy_only=False))
        rows = rows[np.lexsort((time[rows], vehicle[rows]))]
        marks = mark.take(pa.array(rows)).to_pylist()
        places = known.last(vehicle[rows], time[rows]).tolist()
        found: list[_Heard] = []
        before = (0, 0, NOBODY)
        for car, at, said, place in zip(vehicle[rows].tolist(), time[rows].tolist(), marks, places, strict=True):
            stood = (car, int(known.at[place]), int(known.driver[place])) if place >= 0 else (car, BEFORE_TIME, NOBODY)
            stood = max(stood, before) if before[0] == car else stood
            driver = self._driver(car, at, str(said))
            if driver != stood[2] or (driver != NOBODY and at - stood[1] >= HOLDS // 2):
                before = (car, at, driver)
                found.append(before)
        return found

    def _driver(self, vehicle: int, at: int, mark: str) -> int:
        """Who was called so at that time; NOBODY where nobody was."""
        if not mark:
            return NOBODY
        called = self._marks.get((vehicle, persons.mark_of(self._site, vehicle, mark)), ())
        return next((one.id for one in called if one.since <= at < one.until), NOBODY)

    def _read(self, conn: Connection, *, anew: bool) -> None:
        if anew:
            self._newest, self._said = 0, []
        self._drivers = {one.id: one for one in read_drivers(conn)}
        self._marks = {}
        for one in self._drivers.values():
            self._marks.setdefault((one.vehicle, one.mark), []).append(one)
        ask = select(drives.c.id, drives.c.vehicle, drives.c.at, drives.c.driver)
        for row in conn.execute(ask.where(drives.c.id > self._newest).order_by(drives.c.id)):
            self._said.append((row.vehicle, row.at, row.driver or NOBODY))
            self._newest = row.id
        self._compiled = drives_of(self._whole())

    def _whole(self) -> Iterable[Said]:
        for vehicle, at, driver in self._said:
            yield spoke(vehicle, at, self._drivers.get(driver))


def persons_of(site: Site) -> dict[int, int]:
    """Driver to person, of all vehicles and times."""
    with reading(site.engine) as conn:
        return {row.id: row.person for row in conn.execute(select(drivers.c.id, drivers.c.person))}


def _heard(new: list[_Heard]) -> Select[Any]:
    """What was written down of those vehicles between those times."""
    times, cars = [at for _, at, _ in new], {car for car, _, _ in new}
    ask = select(drives.c.vehicle, drives.c.at).where(drives.c.at.between(min(times), max(times)))
    return ask.where(drives.c.vehicle.in_(cars))
