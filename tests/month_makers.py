"""A month of a site, a day at a time, and the list of every row that must be there, kept beside it by plain rules."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache

import pyarrow as pa

from onshore.cli.drives import Moment, computed
from onshore.cli.serve import Keeper
from onshore.consent.drives import SUBJECT
from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.decode import decode
from onshore.gate.intake import Intake
from onshore.register import consents
from onshore.register.drives import Standing as Drives
from onshore.rights import cases
from onshore.rights.whose import wish
from onshore.rules.local import local_day, local_midnight
from onshore.vault.journal import Journal
from onshore.vault.papers import reading, segments
from onshore.vault.read import read
from onshore.vault.segments import Shelf, open_segment
from onshore.words.vocabulary import STATUTORY
from rights_makers import standing

DAY, HOUR = 86_400_000, 3_600_000
SECONDS = 10
USE = "warranty-analysis"
LAWFUL = ("driving-behaviour", "track", "vehicle-operation")
"""What the law itself has kept of a frame, whoever consents to whatever."""
TRACKS = 14 * DAY
"""How long tracks are kept at most that no law demands (TC260-001, 2021)."""
OWNER = 0


@dataclass(frozen=True, order=True)
class Row:
    """A row that was kept: `who` drove (OWNER or the person's id)."""

    car: int
    who: int
    category: str
    ground: str
    time: int


@lru_cache
def fixes(car: int) -> list[Moment]:
    """Where a car is, a second each: another piece of it on each drive."""
    return list(computed(car, 1200))


class Month:
    """The site in `hands`; `there` is what must be found in it, `unseen` what nobody may read although it is there."""

    def __init__(self, hands, cars) -> None:
        self.hands, self.cars = hands, tuple(cars)
        self.there: set[Row] = set()
        self.unseen: set[Row] = set()
        self.allowed: dict[tuple[int, int], set[str]] = {}
        self.driving: dict[int, int] = {}
        self.keys: set[bytes] = set()
        self.gone: set[bytes] = set()
        self._drives = 0
        self._begun = hands.now

    @property
    def site(self):
        return self.hands.site

    @cached_property
    def vins(self) -> list[str]:
        return [self.hands.vin(car).decode() for car in self.cars]

    @cached_property
    def ids(self) -> dict[int, int]:
        """What papers call each car."""
        return {car: self.hands.car(car).id for car in self.cars}

    def fixes(self) -> list[tuple[float, float]]:
        """Every place where a car was."""
        said = (m.units["position"] for car in self.cars for m in fixes(car)[: self._drives * SECONDS])
        return sorted({(one["longitude"], one["latitude"]) for one in said})

    def day(self, number: int, hour: int) -> None:
        """Set the clock: so many days and hours after the beginning."""
        self.hands.now = self._begun + number * DAY + hour * HOUR

    def local_date(self, number: int) -> str:
        """The local day, so many days after the first."""
        return (local_day(self._begun, self.site.law.zone) + timedelta(days=number)).isoformat()

    def local_midnight(self, number: int) -> int:
        """When it begins."""
        return local_midnight(date.fromisoformat(self.local_date(number)), self.site.law.zone)

    def allow(self, car: int, *categories: str, who: int = OWNER) -> None:
        asked = consents.Wish((USE,), categories, "2026-11", separate=True)
        consents.give(self.site, self.hands.car(car), asked, driver=who or None)
        self.hands.now += 1000
        self.allowed.setdefault((car, who), set()).update(categories)

    def withdraw(self, car: int, *categories: str) -> None:
        for category in categories:
            consents.withdraw(self.site, self.hands.car(car), category=category)
        self.hands.now += 1000
        self.allowed[car, OWNER] -= set(categories)

    def at_the_wheel(self, car: int, mark: str, who: int) -> None:
        """The car says who drives from now on."""
        said = {"vehicle": [self.ids[car]], "time": [self.hands.now], SUBJECT: [mark]}
        batch = pa.RecordBatch.from_pydict(said)
        Drives(self.site).hear(batch)
        self.driving[car] = who

    def drive(self) -> None:
        """Every car sends a frame a second for a while, through decoder and intake into the journal."""
        begin, site = self.hands.now, self.site
        first = self._drives * SECONDS
        self._drives += 1
        frames, ids = [], []
        for car in self.cars:
            vehicle, who = self.ids[car], self.driving.get(car, OWNER)
            for second, moment in enumerate(fixes(car)[first : first + SECONDS]):
                at = begin + second * 1000
                frames.append(encode.realtime(self.hands.vin(car), at, moment.units))
                ids.append(vehicle)
                self.there |= {Row(car, who, category, "statutory", at) for category in LAWFUL}
                allowed = self.allowed.get((car, who), ())
                self.there |= {Row(car, who, category, "consent", at) for category in allowed}
        self.hands.now += SECONDS * 1000
        said = {"site": site.id, "clock": site.clock, "randomness": site.randomness}
        with Journal(site.engine, site.root, site.vault, gate="0", **said) as journal:
            Intake(site, journal).take_in(decode(frames, ids, self.hands.now).batch)
        self.hands.now += 60_000

    def ask(self, car: int, meant=lambda _row: True, *, gone: bool = True, **how) -> str:
        """The desk takes up an erasure; `meant` says which rows of the car it is about (`gone` ones). The case."""
        vehicle = self.hands.car(car)
        case = cases.opened(self.site, vehicle, "erase", "officer", wish(self.site, vehicle, identity="id-card", **how))
        self.hands.now += 1000
        if gone:
            self.forget(lambda row: row.car == car and meant(row))
        return case.id

    def forget(self, meant) -> None:
        """Rows that are to be there no longer."""
        self.there = {row for row in self.there if not meant(row)}
        self.unseen &= self.there

    def hide(self, meant) -> None:
        """Rows that nobody is to read any more."""
        self.unseen |= {row for row in self.there if meant(row)}

    def night(self) -> None:
        """What whoever keeps the site does until nothing is left to do."""
        self._note_keys()
        with self.site.keeping():
            Keeper(self.site, _told).look()
        self._note_keys()
        over = self.hands.now - TRACKS
        self.forget(lambda row: (row.category, row.ground) == ("track", "consent") and row.time < over)

    def _note_keys(self) -> None:
        """Keep in mind the wrapped keys of files that stand in the papers now, and those that no longer do."""
        with reading(self.site.engine) as conn:
            now = {bytes(row.wrapped) for row in conn.execute(segments.select())}
        self.gone |= self.keys - now
        self.keys = now

    def found(self) -> set[tuple[int, str, str, int]]:
        """Every row that any segment holds, whoever may read it: car, category, ground, time."""
        cars = {vehicle: car for car, vehicle in self.ids.items()}
        rows = []
        for segment in standing(self.site):
            place, shelf = segment.place, Shelf(self.site.root, self.site.vault, self.site.id)
            table = open_segment(segment, shelf).read(columns=["vehicle", "time"])
            pairs = zip(table["vehicle"].to_pylist(), table["time"].cast(pa.int64()).to_pylist(), strict=True)
            rows += [(cars[vehicle], place.category, place.ground, time) for vehicle, time in pairs]
        assert len(rows) == len(set(rows))
        return set(rows)

    def expected(self) -> set[tuple[int, str, str, int]]:
        return {(row.car, row.category, row.ground, row.time) for row in self.there}

    def readable(self, use: str) -> set[tuple[int, str, int]]:
        """What somebody reads who asks for a purpose: car, category, time."""
        here = self.site
        cars = {vehicle: car for car, vehicle in self.ids.items()}
        rows = set()
        for category in LAWFUL:
            said = {"categories": [category], "start": 0, "until": self.hands.now + DAY}
            for table in read(here.engine, here.root, here.vault, here.id, use=use, **said):
                pairs = zip(table["vehicle"].to_pylist(), table["time"].cast(pa.int64()).to_pylist(), strict=True)
                rows |= {(cars[vehicle], category, time) for vehicle, time in pairs}
        return rows

    def allowed_to(self, use: str) -> set[tuple[int, str, int]]:
        ground = "statutory" if use == STATUTORY else "consent"
        return {(r.car, r.category, r.time) for r in self.there - self.unseen if r.ground == ground}


def _told(said: str) -> None:
    raise AssertionError(said)
