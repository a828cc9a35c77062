"""People and a machine act at a real site in any order, with crashes; what left is held against a plain reference."""

import shutil
from collections import Counter
from contextlib import contextmanager, suppress
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import event, select

from border_reference import SETTLED, Consent, Granted, Reference, day_of
from border_troubles import DAYS, Troubles
from onshore.border import approvals, grants, requests, transfer, underway
from onshore.cli.init import regulator_key
from onshore.ledger.signer import Signer
from onshore.register import consents
from onshore.rights import cases, sale
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.vault.lock import hold
from onshore.vault.papers import reading, transfer_papers
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer
from site_makers import Hands

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")
CATEGORIES = ("track", "vehicle-operation")
PURPOSES = ("warranty-analysis", "battery-research")
RECIPIENTS = ("stuttgart", "munich")
LONGITUDE, ODOMETER = "Vehicle.CurrentLocation.Longitude", "Vehicle.TraveledDistance"
SOME = {"track": LONGITUDE, "vehicle-operation": ODOMETER}
TRANSFORMS = ((), (), (f"drop:{LONGITUDE}",), (f"mask:{ODOMETER}",), ("time:3",))
DAY, FOREVER = 86_400_000, 1 << 60
NOW = 1_790_000_000_000  # as Hands begins
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a kill is played here, so nothing need be durable
CARS = st.integers(1, 3)
SOME_OF = {
    "categories": st.sampled_from([("track",), ("vehicle-operation",), CATEGORIES, CATEGORIES]),
    "purpose": st.sampled_from([PURPOSES[0], *PURPOSES]),
    "recipient": st.sampled_from([RECIPIENTS[0], *RECIPIENTS]),
}


class KilledError(BaseException):
    """The process ends here: nothing after it is done, and nobody hears of it."""


def template(folder: Path) -> Path:
    """A site with three cars, two recipients and nothing else, to be copied."""
    hands = Hands(folder / "site")
    text = (folder / "site" / "site.toml").read_text()
    own = next(line for line in text.splitlines() if line.startswith('key = "age1'))
    text += f'\n[recipients.munich]\njurisdiction = "DE"\n{own}\n\n[keys]\nbackup_days = {DAYS}\n'
    (folder / "site" / "site.toml").write_text(text)
    hands.site = open_site(folder / "site", clock=lambda: hands.now)
    for car in (1, 2, 3):
        hands.car(car)
    hands.site.key("pseudonym")
    hands.site.settle()
    hands.site.engine.dispose()
    (folder / "identity").write_text(hands.identity)
    return folder


def of(folder: Path) -> type["Border"]:
    """The machine: each example has a copy of one site, where one request is permitted and rows are there."""
    laid = template(folder / "laid out")
    machine = type("Here", (Border,), {"folder": laid, "seen": Counter(), "begun": (NOW, Reference())})
    first = machine()
    first.begin()
    first.site.engine.dispose()
    shutil.copytree(first.room.name, folder / "begun")
    machine.folder, machine.begun = folder / "begun", (first.hands.now, first.ref)
    first.room.cleanup()
    return machine


class Border(Troubles):
    """One site. `folder`: its template, and `begun` its clock and reference; `seen`: what came of all examples."""

    folder: Path
    begun: tuple
    seen: Counter

    def __init__(self):
        super().__init__()
        self.room = TemporaryDirectory(dir=MEMORY)
        shutil.copytree(self.folder, self.room.name, dirs_exist_ok=True)
        self.hands = Hands.__new__(Hands)
        now, ref = self.begun
        self.hands.now, self.hands.identity = now, (self.folder / "identity").read_text()
        self.ref, self.whole, self.rows_of, self.site = deepcopy(ref), True, {}, None
        self.feared, self.exact = set(), True
        self.reopen()

    def teardown(self):
        self.site.engine.dispose()
        self.room.cleanup()

    def reopen(self):
        """The site is opened as by a process that begins."""
        if self.site is not None:
            self.site.engine.dispose()
        self.site = self.hands.site = open_site(Path(self.room.name) / "site", clock=lambda: self.hands.now)

    # ---- people ----

    def begin(self):
        """What every example finds."""
        for car in (1, 2):
            self.allow(car, CATEGORIES, PURPOSES, RECIPIENTS, None)
        self.drive([1, 2], 2)
        self.ask_and_grant(CATEGORIES, PURPOSES[0], RECIPIENTS[0], "file", False, [], (3, 0, 3, ()))

    @rule(cars=st.lists(CARS, min_size=1, max_size=2, unique=True), seconds=st.integers(1, 4))
    def drive(self, cars, seconds):
        start = self.hands.now
        self.hands.drive(*cars, seconds=seconds)
        for car in cars:
            self.ref.drive(car, [start + 1000 * n for n in range(seconds)], self.hands.now)

    @rule(
        car=CARS,
        categories=SOME_OF["categories"],
        purposes=st.sampled_from([PURPOSES[:1], PURPOSES]),
        recipients=st.sampled_from([RECIPIENTS, RECIPIENTS[:1]]),
        lasts=st.sampled_from([None, None, 30_000, 2 * DAY]),
    )
    def allow(self, car, categories, purposes, recipients, lasts):
        start, until = self.hands.now, None if lasts is None else self.hands.now + lasts
        said = {"notice": "2026-11", "separate": True, "until": until, "recipients": frozenset(recipients)}
        with suppress(Refusal):
            consents.give(self.site, self.hands.car(car), consents.Wish(purposes, categories, **said))
            for purpose in purposes:
                for category in categories:
                    last = FOREVER if until is None else until
                    self.ref.consents.append(Consent(car, purpose, category, frozenset(recipients), start, last))
        self.hands.now += 1000

    @rule(car=CARS, category=st.sampled_from([None, *CATEGORIES]), purpose=st.sampled_from([None, *PURPOSES]))
    def withdraw(self, car, category=None, purpose=None):
        with suppress(Refusal):
            consents.withdraw(self.site, self.hands.car(car), purpose=purpose, category=category)
        self.ref.withdraw(car, purpose, category)
        self.hands.now += 1000

    @precondition(lambda self: not self.ref.restricted)
    @rule(car=CARS)
    def restrict(self, car):
        cases.opened(self.site, self.hands.car(car), "restrict", "officer")
        self.ref.restricted.add(car)

    @rule(car=CARS)
    def erase(self, car):
        self.ref.withdraw(car)
        self.ref.forget(car)
        erase(self.site, self.hands.car(car), "owner")
        self.hands.now += 1000

    @rule(car=CARS)
    def sell(self, car):
        sale.sell(self.site, self.hands.car(car), "officer", sale.Choice(), owner="somebody new")
        self.ref.withdraw(car)
        self.ref.forget(car)
        self.ref.owner[car] = self.ref.owner.get(car, 0) + 1
        self.hands.now += 1000

    # ---- requests, papers, permits ----

    @precondition(lambda self: len(self.ref.requests) < 4)
    @rule(
        **SOME_OF,
        method=st.sampled_from(["file", "file", "feed"]),
        few=st.booleans(),
        cars=st.lists(CARS, max_size=2, unique=True),
        limits=st.tuples(st.integers(1, 3), st.sampled_from([0, 0, 3]), st.integers(0, 3), st.sampled_from(TRANSFORMS)),
    )
    def ask_and_grant(self, categories, purpose, recipient, method, few, cars, limits):
        asked = Transfer(
            f"t{len(self.ref.requests)}",
            purpose,
            categories,
            recipient,
            self.hands.now - 2 * DAY,
            self.hands.now + 3 * DAY,
            asked_by="engineer",
            vehicles=tuple(sorted(self.hands.car(car).id for car in cars)),
            method=method,
            signals=tuple(SOME[one] for one in categories) if few else (),
        )
        with suppress(Refusal):
            requests.ask(self.site, asked)
            self.ref.requests[asked.id] = asked
            self.file(0, range(4))
            self.approve(0, "officer")
            self.approve(0, "deputy")
            self.grant(0, *limits)

    def one(self, number):
        """A request, counted from the newest."""
        return [*self.ref.requests.values()][-1 - number % len(self.ref.requests)]

    @rule(number=st.integers(0, 3), kinds=st.sampled_from([range(4), [0], [2]]))
    def file(self, number, kinds):
        for kind in kinds:
            with suppress(Refusal):
                requests.file_paper(self.site, self.one(number), PAPERS[kind], number="1", by="officer")

    @rule(number=st.integers(0, 3), place=st.integers(0, 7))
    def withdraw_paper(self, number, place):
        t = transfer_papers.c
        ask = select(t.id).where(t.transfer == self.one(number).id, t.withdrawn.is_(None))
        with reading(self.site.engine) as conn:
            mine = list(conn.scalars(ask))
        if mine:
            requests.withdraw_paper(self.site, self.one(number), mine[place % len(mine)], by="officer")

    @rule(number=st.integers(0, 3), by=st.sampled_from(["officer", "deputy", "engineer"]))
    def approve(self, number, by):
        with suppress(Refusal):
            approvals.approve(self.site, self.one(number).id, by)

    @rule(
        number=st.integers(0, 3),
        persons=st.integers(1, 3),
        rows=st.sampled_from([0, 0, 3]),
        days=st.integers(0, 3),
        transforms=st.sampled_from(TRANSFORMS),
    )
    def grant(self, number, persons, rows, days, transforms):
        request, today = self.one(number), day_of(self.hands.now)
        until = today + timedelta(days)
        limits = {"persons": persons, "rows": rows, "start": today, "until": until, "transforms": transforms}
        with suppress(Refusal):
            draft = grants.draft(self.site, request, **limits, by="regulator", route="contract-or-certificate")
            signer = Signer("shanghai/regulator", regulator_key(self.site.folder).read_bytes())
            granted = grants.grant(self.site, draft, signer)
            self.ref.permits[granted.id] = Granted(
                request.id, persons, rows, today, until, granted.signals, granted.transforms
            )
        self.hands.now += 1000

    @precondition(lambda self: self.ref.permits)
    @rule(number=st.integers(0, 3))
    def revoke(self, number):
        chosen = [*self.ref.permits][-1 - number % len(self.ref.permits)]
        with suppress(Refusal):
            grants.revoke(self.site, chosen)
        self.ref.permits[chosen].revoked = True

    @rule(number=st.integers(0, 3), act=st.sampled_from(["suspend", "resume", "resume", "refuse", "close"]))
    def officer(self, number, act):
        request = self.one(number).id
        with suppress(Refusal):
            getattr(approvals, act)(self.site, request, "officer")
            (self.ref.halted.discard if act == "resume" else self.ref.halted.add)(request)

    @rule(by=st.sampled_from([1000, SETTLED + 60_000, SETTLED + 60_000, DAY, 0]))
    def clock(self, by):
        """Time passes: the year ends (0), too."""
        day = day_of(self.hands.now)
        over = (day.replace(year=day.year + 1, month=1, day=1) - day).days * DAY
        self.hands.now += by or (over if day.year == 2026 else 1000)

    @rule(by=st.sampled_from([1000, 3000, 60_000, DAY, 120 * DAY]), number=st.integers(0, 1))
    def clock_set_back(self, by, number):
        """Back, over New Year perhaps, and right again; nothing leaves while it is further back than is tolerated."""
        before, self.hands.now = set(self.ref.left), self.hands.now - by
        self.shipped(number, alone=False)
        assert by < 5000 or before == set(self.ref.left)
        self.hands.now += by

    # ---- the border ----

    @rule(number=st.integers(0, 3))
    def ship(self, number):
        self.shipped(number)

    def fresh(self, number, car):
        """There is something new to ship, and a permit that stands."""
        self.allow(car, CATEGORIES, PURPOSES, RECIPIENTS, None)
        self.drive([car], 2)
        self.hands.now += SETTLED + 60_000
        self.officer(number, "resume")
        if requests.find(self.site, self.one(number).id).verdict.verdict != "allow":
            self.file(number, range(4))
        self.approve(number, "officer")
        self.approve(number, "deputy")
        self.grant(number, 3, 0, 3, ())

    @rule(number=st.integers(0, 1), car=CARS, gone=st.one_of(st.none(), CARS))
    def ship_afresh(self, number, car, gone):
        """And somebody may withdraw right before."""
        self.fresh(number, car)
        if gone:
            self.withdraw(gone)
        self.shipped(number)

    @rule(number=st.integers(0, 1), car=CARS, turn=st.integers(1, 9), taken_up=st.booleans())
    def ship_afresh_and_crash(self, number, car, turn, taken_up):
        self.fresh(number, car)
        self.ship_and_crash(number, turn, taken_up)

    def acted(self, act, number, car):
        """One act of somebody, by its name."""
        acts = {
            "suspend": lambda: self.officer(number, "suspend"),
            "resume": lambda: self.officer(number, "resume"),
            "revoke": lambda: self.revoke(0),
            "grant": lambda: self.grant(number, 3, 0, 1, ()),
            "allow": lambda: self.allow(car, CATEGORIES, PURPOSES, RECIPIENTS, None),
            "approve": lambda: self.approve(number, "deputy"),
            "file": lambda: self.file(number, range(4)),
        }
        acts.get(act, lambda: getattr(self, act)(car))()

    @rule(number=st.integers(0, 1), turn=st.integers(1, 9), taken_up=st.booleans())
    def ship_and_crash(self, number, turn, taken_up):
        """Killed before the turn-th commit, or (9) when the file is about to move; taken up at once, or later."""
        with self.killed(turn):
            self.shipped(number)
        if self.struck:
            self.seen["killed"] += 1
            self.reopen()
            self.whole = False
            self.look()
        if taken_up:
            self.resume()

    @rule()
    def resume(self):
        with hold(self.site.folder / "locks" / "border", "border"):
            underway.resume(self.site)
        self.whole = True

    def shipped(self, number, *, alone=True):
        """Ship; a new parcel holds exactly what may leave, where nobody else acts and the clock only went on."""
        request, before = self.one(number), set(self.ref.left)
        expected = self.ref.may_leave(request.id, self.hands.now)
        with suppress(Refusal):
            shipped = transfer.ship(self.site, request.id)
            self.look()
            new = shipped.id in self.ref.left and shipped.id not in before
            if new and alone and self.whole and self.exact:
                granted = self.ref.permits[self.ref.left[shipped.id].permit]
                if "time:3" not in granted.transforms:
                    dropped = {LONGITUDE} if f"drop:{LONGITUDE}" in granted.transforms and request.signals else set()
                    wanted = {c: rows for c, rows in expected.items() if SOME[c] not in dropped}
                    assert self.rows_of[shipped.id] == wanted, "not all that may leave did"
        self.whole = True

    @contextmanager
    def killed(self, turn):
        """What would die of SIGKILL: nothing that runs in its stead cleans up."""
        left, self.struck, real, replace = [turn], False, underway.take_up, Path.replace

        def strike(*_):
            self.struck = True
            raise KilledError

        def commit(conn):
            if conn.get_execution_options().get("writes"):
                left[0] -= 1
                if left[0] == 0 or self.struck:
                    strike()

        event.listen(self.site.engine, "commit", commit)
        underway.take_up = lambda site, name: strike() if self.struck else real(site, name)
        if turn == 9:
            Path.replace = lambda path, to: strike() if path.suffix == ".parcel" else replace(path, to)
        try:
            with suppress(KilledError):
                yield
        finally:
            underway.take_up, Path.replace = real, replace
            event.remove(self.site.engine, "commit", commit)
