"""What holds at a border after each step: what left, ledger, meter and parcels, held against the plain reference."""

import hashlib
import io
import json
import tarfile

import pyarrow.parquet as pq
import pyrage
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import select

from border_reference import Left
from onshore.border import life, moves, requests
from onshore.border.agreeing import disagreements
from onshore.border.metering import meter
from onshore.border.rows import parcel
from onshore.border.sending import reconciling
from onshore.vault.papers import parcels, reading

OPEN = ("reserved", "leaving", "sending")


def named(data: bytes) -> str:
    """A digest as the ledger and the manifest have it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Looks(RuleBasedStateMachine):
    """Looks at a site: `site`, `hands`, what its reference `ref` expects, `rows_of` each parcel, `seen` so far.

    `feared`: parcels that a crash and a restore left in doubt; nobody has them, and they count as gone.
    """

    @invariant()
    def look(self):
        """What left was permitted and consented to; ledger, meter and parcels are one; every state was reached."""
        if self.site is None or not self.ref.requests:
            return
        self.site.settle()
        entries = [json.loads(raw) for raw in self.site.ledger.entries()]
        with reading(self.site.engine) as conn:
            found = {row.id: row for row in conn.execute(select(parcels))}
        outbox = {path.stem: path for path in (self.site.folder / "outbox").glob("*.parcel")}
        released = self.released(entries)
        assert set(outbox) <= set(found), "something left of which the papers know nothing"
        for name in sorted(outbox.keys() - self.ref.left.keys()):
            self.opened(name, outbox[name], found[name], released)
        states = {name: row.state for name, row in found.items()}
        out = {name for name, state in states.items() if state == "left"}
        assert out - self.feared <= set(outbox)
        assert {states[name] for name in outbox} <= {"left", "sending"}
        assert set(self.ref.left) == set(outbox)
        self.metered(states)
        self.moved(entries)
        assert list(disagreements(self.site)) == []
        if not set(OPEN) & set(states.values()):
            gone = {found[name].sha256 for name in {*outbox, *self.feared}}
            assert {sha256 for sha256, states in released.items() if "unsent" not in states[1:]} == gone
            assert not list((self.site.folder / "staging").glob("*"))
        lines = {what: (good, says) for what, good, says in reconciling.looks(self.site)}
        assert lines["unexplained bytes"][0], lines["unexplained bytes"][1]

    @staticmethod
    def released(entries):
        """The release entries by digest: the first, and the states that follow."""
        found = {}
        for entry in entries:
            if entry["t"] == "release":
                sha256 = entry["obj"].removeprefix("sha256:")
                found.setdefault(sha256, []).append(entry if entry["state"] == "leaving" else entry["state"])
        return found

    def opened(self, name, path, row, released):
        """Open a parcel that is new in the outbox with the recipient's key, and hold it against the reference."""
        raw, request, now = path.read_bytes(), self.ref.requests[row.transfer], self.hands.now
        plain = pyrage.decrypt(raw, [pyrage.x25519.Identity.from_str(self.hands.identity)])
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            files = {one.name: tar.extractfile(one).read() for one in tar.getmembers()}
        note, manifest = files.pop("permit.note"), json.loads(manifest_raw := files.pop("manifest.json"))
        permit = json.loads(note.partition(b"\n")[0])["id"]
        assert not self.ref.refuses(request.id, permit, now), self.ref.refuses(request.id, permit, now)
        rows, persons, count = {}, {}, 0
        for part in manifest["parts"]:
            table = pq.read_table(io.BytesIO(files[part["name"]]))
            count += table.num_rows
            self.narrow(request, permit, part["category"], table)
            cars = self.cars(request.recipient)
            times = [int(t.timestamp() * 1000) for t in table.column("time").to_pylist()]
            some = rows.setdefault(part["category"], set())
            some.update(zip((cars[v] for v in table.column("vehicle").to_pylist()), times, strict=True))
            persons.setdefault(part["category"], set()).update(self.ref.person(car) for car, _ in some)
        self.allowed(request, permit, rows, now)
        sha256, everyone = hashlib.sha256(raw).hexdigest(), set().union(*persons.values())
        entry = released[sha256][0]
        assert (entry["rows"], entry["bytes"], entry["subjects"]) == (count, len(raw), len(everyone))
        assert entry["manifest"] == named(manifest_raw)
        assert entry["permit"] == named(note)
        assert entry["parts"] == [p["sha256"] for p in manifest["parts"]] == [named(files[n]) for n in sorted(files)]
        assert manifest["subjects"] == len(everyone)
        feed = row.arrived or 0
        self.ref.left[name] = Left(request.id, permit, now, persons, count, feed)
        self.rows_of[name] = rows
        granted = self.ref.permits[permit]
        assert len(self.ref.used(permit)) <= granted.persons
        under = sum(one.rows for one in self.ref.left.values() if one.permit == permit)
        assert not granted.rows or under <= granted.rows
        self.seen["left"] += 1

    def cars(self, recipient):
        """By the recipient's number which car it is."""
        number = parcel.pseudonyms(self.site, recipient)
        return {number(self.hands.car(car).id): car for car in (1, 2, 3)}

    def narrow(self, request, permit, category, table):
        """No category and no signal leaves that was not asked for, or that the permit takes out."""
        granted, names = self.ref.permits[permit], set(table.schema.names) - {"vehicle", "time", "received", "door"}
        assert category in request.categories
        assert not request.signals or names <= set(request.signals)
        assert not granted.signals or names <= set(granted.signals)
        for one in granted.transforms:
            verb, _, name = one.partition(":")
            assert verb != "drop" or name not in names
            assert verb != "mask" or name not in names or table.column(name).null_count == table.num_rows

    def allowed(self, request, permit, rows, now):
        """Every row was consented to when it came, and is now, at leaving; of the cars that were asked for."""
        may = self.ref.may_leave(request.id, now)
        coarse = 3000 if "time:3" in self.ref.permits[permit].transforms else 1
        for category, some in rows.items():
            held = {(car, time // coarse * coarse) for car, time in may.get(category, ())}
            assert some <= held, f"{len(some - held)} rows of {category} left that nobody allowed, or no more"
            cars = {self.hands.car(car).id for car, _ in some}
            assert not request.vehicles or cars <= set(request.vehicles)

    def metered(self, states):
        """The meter holds whom the parcels hold that left, and no others but who is feared to have."""
        with reading(self.site.engine) as conn:
            assert meter.wrong(conn) == []
            for name, state in states.items():
                if state not in OPEN and name not in self.feared:
                    mine = self.ref.left[name].persons.values() if name in self.ref.left else ()
                    assert meter.of_parcel(conn, name) == len(set().union(*mine))
            if set(OPEN) & set(states.values()):
                return
            said = [(meter.used(conn, permit), self.ref.used(permit)) for permit in self.ref.permits]
            classes = self.site.pack.classes
            for year in (2026, 2027):
                counted = meter.exported(conn, year)
                said += [
                    (counted.sensitive, self.ref.counted(year, classes.sensitive.categories)),
                    (counted.ordinary, self.ref.counted(year, classes.personal.categories)),
                ]
        for count, persons in said:
            assert count >= len(persons) if self.feared else count == len(persons)

    def moved(self, entries):
        """The ledger's moves lead by the table of moves to where each request stands, never past two approvals.

        A restore puts a request back to where its backup has it, or takes it away.
        """
        for request in self.ref.requests.values():
            state, approved = "", 0
            for entry in entries:
                if entry["t"] == "restore":
                    state, approved = None, life.NEEDED
                if entry.get("obj") != life.named(request):
                    continue
                if entry["t"] == "approval":
                    approved += 1 if entry["state"] == "given" else -1
                elif entry["t"] == "move":
                    assert state in {entry.get("from", ""), None}
                    assert not entry.get("from") or entry["to"] in moves.LIFE[entry["from"]]
                    state = entry["to"]
                    assert state != "reserved" or approved >= life.NEEDED
            assert state in {requests.find(self.site, request.id).state, None}
