"""The story that the demo plays: every room does its job once, and each step says what came out."""

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from onshore.border import grants, requests
from onshore.border.approvals import approve
from onshore.border.transfer import ship
from onshore.border.underway import Shipped
from onshore.cli.doors import gate
from onshore.cli.drives import Moment, computed, recorded, sparse
from onshore.cli.init import make_site, regulator_key
from onshore.cli.simulate import Car, connected, test_vins
from onshore.gate.gb32960 import encode
from onshore.ledger.signer import Signer
from onshore.register import consents, vehicles
from onshore.rights.certificates import certificate
from onshore.rights.erase import erase
from onshore.site import now_ms, open_site
from onshore.vault.age import new_identity, recipient_of
from onshore.vault.drain import Drained
from onshore.vault.papers import reading
from onshore.vault.segments import Shelf, open_segment, segments_where
from onshore.words.errors import Broken, OnshoreError, Refusal
from onshore.words.permit import Transfer
from onshore.words.tally import Tally

_HOUR, _DAY = 3_600_000, 86_400_000  # milliseconds
_SECONDS = 240
_PACE = 10  # story seconds between two looks at the answers
_WISH = consents.Wish(
    purposes=("warranty-analysis",),
    categories=("track", "vehicle-operation"),
    notice="2026-11",
    separate=True,
    recipients=frozenset({"stuttgart"}),
)
_PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")


@dataclass
class Clock:
    """The story's clock, in milliseconds UTC: it moves when the story moves."""

    now: int

    def __call__(self) -> int:
        """What time it is in the story."""
        return self.now


@dataclass
class Story:
    """One telling: where the site is made, how many cars, a recorded drive for the first of them, where lines go."""

    folder: Path
    cars: int
    drive: Path | None
    tell: Callable[[str], None]
    steps: int = 0
    parcel: Path = Path()
    identity: Path = Path()
    total: Tally = field(default_factory=Tally)
    second: int = 0

    async def play(self) -> None:
        """Tell it from the first line to the last; Broken at the first step that does not come out as told."""
        self._make_cars()
        self._make_site()
        async with gate(self.site, port=0) as (_, port), self._connect(port):
            await self._before_consent()
            await self._with_consent()
            await self._after_withdrawal()
            request = self._ask()
            self._permit(request)
            await self._export(request)
            await self._past_the_limit(request)
            await self._erase()
        self._figures()

    def _step(self, came_out: bool, text: str) -> None:
        self.steps += 1
        self.tell(f"{'ok ' if came_out else 'NOT'} {self.steps:2}  {text}")
        if not came_out:
            raise Broken(f"step {self.steps} of the story did not come out as told: {text}")

    # ---- a site and its cars ----

    def _make_cars(self) -> None:
        own = recorded(self.drive) if self.drive else sparse(_SECONDS)
        self.length = len(own)
        others = [list(computed(car, self.length)) for car in range(1, self.cars)]
        self.drives: list[list[Moment]] = [own, *others]
        self.vins = test_vins(self.cars)
        self.start = _yesterday_at_ten(now_ms())
        self.clock = Clock(self.start)

    def _make_site(self) -> None:
        make_site(self.folder, "CN", "shanghai", clock=self.clock)
        identity = new_identity()
        self.identity = self.folder.with_name(self.folder.name + "-abroad") / "stuttgart.key"
        self.identity.parent.mkdir(mode=0o700, exist_ok=True)
        self.identity.touch(0o600)
        self.identity.write_text(identity + "\n")
        toml = self.folder / "site.toml"  # the story's clock runs ahead of the journal's: it says when a file ends
        toml.write_text(toml.read_text().replace("[gate]\n", "[gate]\nrotate_seconds = 86400\n"))
        with toml.open("a") as file:
            file.write(f'\n[recipients.stuttgart]\njurisdiction = "DE"\nkey = "{recipient_of(identity)}"\n')
        self.site = open_site(self.folder, clock=self.clock)
        reviewed = self.site.pack.reviewed_by or "nobody: not reviewed by counsel"
        self._step(
            True,
            f"a site for mainland China is made; it obeys {self.site.rulebook.pack}, reviewed by {reviewed}",
        )
        for number, vin in enumerate(self.vins):
            vehicles.add(self.site, vin.decode(), owner=f"owner {number}")
        clear = any(vin in path.read_bytes() for vin in self.vins for path in self.folder.glob("papers.sqlite*"))
        self._step(not clear, f"{self.cars} cars are registered; their VINs stand nowhere in the clear")

    @asynccontextmanager
    async def _connect(self, port: int) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            self.on_road: list[Car] = [
                await stack.enter_async_context(connected("127.0.0.1", port, vin, self.clock())) for vin in self.vins
            ]
            yield

    async def _until(self, second: int) -> Tally:
        """All cars drive on to a second of the story; what the gate then kept and withheld."""
        while self.second < second:
            ahead = min(self.second + _PACE, second)
            self.clock.now = self.start + ahead * 1000
            for vin, drive, car in zip(self.vins, self.drives, self.on_road, strict=True):
                moments = drive[self.second : ahead]
                frames = (encode.realtime(vin, self.start + m.offset, m.units) for m in moments)
                car.send(b"".join(frames), len(moments))
            for car in self.on_road:
                await car.until_open(0)
            self.second = ahead
        tally = _summed(await asyncio.to_thread(self.site.bring_in))
        self.total += tally
        return tally

    # ---- consent ----

    async def _before_consent(self) -> None:
        tally = await self._until(self.length // 3)
        sent, kept = sum(c.acknowledged for c in self.on_road), _cells(tally, "consent", "consented")
        self._step(
            sent == tally.rows_in == tally.rows_kept and kept == 0,
            f"before anyone consents: {sent} frames acknowledged, {_cells(tally, 'statutory', 'statutory')} cells kept "
            f"because the law has them kept, {kept} by consent; {_withheld(tally)}",
        )

    async def _with_consent(self) -> None:
        for number in (0, 1, 2):
            given = consents.give(self.site, self._car(number), _WISH)
        receipt = consents.receipt(self.site, given[0])
        self._step(
            self._verifies_receipt(receipt),
            "three owners allow track and vehicle-operation for warranty-analysis; each receipt verifies offline",
        )
        tally = await self._until(2 * self.length // 3)
        kept = _cells(tally, "consent", "consented")
        self._step(kept > 0, f"with consent: {kept} cells kept for warranty-analysis; {_withheld(tally)}")

    async def _after_withdrawal(self) -> None:
        consents.withdraw(self.site, self._car(0))
        tally = await self._until(self.length)
        gone = _cells(tally, "consent", "consent-withdrawn")
        statutory = _cells(tally, "statutory", "statutory")
        late = self._consented_rows_of(0, since=self.start + (2 * self.length // 3) * 1000)
        self._step(
            gone > 0 and late == 0 and statutory > 0,
            f"one owner withdraws in mid-drive: {late} rows of that car kept by consent after it, "
            f"{gone} cells withheld as consent-withdrawn; {statutory} statutory cells of all cars go on",
        )

    # ---- export ----

    def _ask(self) -> Transfer:
        request = Transfer(
            id=self.site.randomness(8).hex(),
            purpose="warranty-analysis",
            categories=("track", "vehicle-operation"),
            recipient="stuttgart",
            start=self.start,
            until=self.start + 86_400_000,
            asked_by="engineer",
        )
        standing = requests.ask(self.site, request)
        told = "; ".join(f"{r.code} ({r.article}): {r.remedy}" for r in standing.verdict.reasons)
        refused = standing.verdict.verdict == "refuse"
        self._step(refused, f"the engineer in Stuttgart asks for it and is refused: {told}")
        refusal = self._refused(lambda: ship(self.site, request.id))
        self._step(refusal is not None, f"shipping it all the same is refused: {refusal}")
        return request

    def _permit(self, request: Transfer) -> None:
        for kind in _PAPERS:
            standing = requests.file_paper(
                self.site, request, kind, number=f"{kind}-1", by="officer", until=None, sha256=None
            )
        route = standing.verdict.route
        self._step(standing.state == "completed", f"the officer files {len(_PAPERS)} papers: complete, route {route}")
        approve(self.site, request.id, "officer")
        again = self._refused(lambda: approve(self.site, request.id, "officer"))
        standing = approve(self.site, request.id, "deputy")
        self._step(
            standing.state == "approved" and again is not None,
            f"two officers approve it; that one did so twice was refused: {again}",
        )
        today = self.site.today()
        signer = Signer("shanghai/regulator", regulator_key(self.folder).read_bytes())
        until = today + timedelta(days=30)
        draft = grants.draft(self.site, request, persons=2, start=today, until=until, by="regulator", route=str(route))
        permit = grants.grant(self.site, draft, signer)
        self._step(permit.persons == 2, "the regulator signs a permit for at most 2 persons, for 30 days")

    async def _export(self, request: Transfer) -> None:
        shipped = await asyncio.to_thread(ship, self.site, request.id)
        self.parcel = shipped.file
        self._step(
            shipped.persons == 2,
            f"a parcel left: {shipped.rows} rows of {shipped.persons} persons, sealed to Stuttgart's key; "
            "the withdrawn car is not in it",
        )
        self._step(self._verified(shipped.file), "a stranger verifies it offline with the log's public key: verified")
        self._check_tampering(shipped)

    def _check_tampering(self, shipped: Shipped) -> None:
        proof = shipped.file.with_suffix(".tlog-proof")
        told = []
        with tempfile.TemporaryDirectory() as folder:
            for altered in (shipped.file, proof):
                for path in (shipped.file, proof):
                    shutil.copy(path, folder)
                _change_a_byte(Path(folder) / altered.name)
                told.append(self._verify(Path(folder) / shipped.file.name))
        self._step(
            all(code == 3 for code, _ in told),
            "one byte changed, in the parcel or in its proof: " + "; ".join(says for _, says in told),
        )

    async def _past_the_limit(self, request: Transfer) -> None:
        consents.give(self.site, self._car(3), _WISH)
        self.start, self.second = self.start + self.length * 1000, 0  # the same way once more
        await self._until(_PACE)
        refusal = self._refused(lambda: ship(self.site, request.id))
        self._step(refusal is not None, f"a third person consents, and a second parcel is refused: {refusal}")

    # ---- erasure ----

    async def _erase(self) -> None:
        with reading(self.site.engine) as conn:
            before = {segment.id: segment for segment in segments_where(conn)}
        with tempfile.TemporaryDirectory() as kept:
            shutil.copytree(self.site.vault / "segments", Path(kept) / "segments")
            case = await asyncio.to_thread(erase, self.site, self._car(1), "owner")
            paper = certificate(self.site, case)
            done = paper["receipt"]
            self._step(
                done["rows"] > 0 and self._verifies_receipt(paper),
                f"an owner has a car erased: {done['rows']} rows gone, {done['keys_destroyed']} keys destroyed, "
                "read back; the certificate verifies offline",
            )
            with reading(self.site.engine) as conn:
                standing = segments_where(conn)
            gone = [segment for id_, segment in before.items() if id_ not in {s.id for s in standing}]
            opened = sum(self._opens(old, new.wrapped, Path(kept)) for old in gone for new in standing)
        self._step(
            opened == 0 and len(gone) == done["keys_destroyed"],
            f"a copy of {len(gone)} segments taken before the erasure: {opened} open with any key there is now",
        )

    def _opens(self, old: Any, wrapped: bytes, copy: Path) -> bool:
        from dataclasses import replace

        try:
            open_segment(replace(old, wrapped=wrapped), Shelf(self.site.root, copy, self.site.id))
        except OnshoreError:
            return False
        return True

    def _figures(self) -> None:
        size = sum(p.stat().st_size for p in self.site.vault.rglob("*.parquet"))
        withheld = sum(n for _, g, r, n in self.total.as_rows() if g == "consent" and r != "consented")
        self.tell(
            f"figures: {self.total.rows_in} rows in, {_cells(self.total, 'statutory', 'statutory')} cells kept by law, "
            f"{_cells(self.total, 'consent', 'consented')} by consent, {withheld} withheld from any other use; "
            f"{self.site.ledger.size} ledger entries; {size // 1024} KiB in segments"
        )
        self.tell(f"the parcel:  {self.parcel}")
        self.tell(f"its key:     {self.identity}")

    # ---- looking ----

    def _car(self, number: int) -> vehicles.Vehicle:
        return vehicles.find(self.site, self.vins[number].decode())

    def _consented_rows_of(self, number: int, since: int) -> int:
        from onshore.vault.read import read

        tables = read(
            self.site.engine,
            self.site.root,
            self.site.vault,
            self.site.id,
            use="warranty-analysis",
            categories=_WISH.categories,
            start=since,
            until=since + 86_400_000,
            vehicles=[self._car(number).id],
        )
        return sum(table.num_rows for table in tables)

    def _refused(self, act: Callable[[], object]) -> str | None:
        try:
            act()
        except Refusal as refusal:
            return f"{refusal.reason} ({refusal.article})" if refusal.article else refusal.reason
        return None

    def _verified(self, path: Path) -> bool:
        return self._verify(path)[0] == 0

    def _verify(self, path: Path) -> tuple[int, str]:
        """What the verifier says that ships alone: another process, without a site, without a line of the rest."""
        key = (self.folder / "ledger" / "vkey").read_text().split()[0]
        command = [sys.executable, "-m", "onshore.ledger", str(path), "--key", key]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own interpreter)
        return done.returncode, (done.stderr or done.stdout).strip().splitlines()[-1].replace(str(path.parent), "…")

    def _verifies_receipt(self, receipt: dict[str, Any]) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "receipt.json"
            path.write_text(json.dumps(receipt))
            return self._verified(path)


def _yesterday_at_ten(now: int) -> int:
    """When the story begins, whatever the hour is now: 10:00 in Shanghai (UTC+8), the day before."""
    midnight = (now + 8 * _HOUR) // _DAY * _DAY - 8 * _HOUR
    return midnight - _DAY + 10 * _HOUR


def _change_a_byte(path: Path) -> None:
    """One byte of a sealed file, or of the entry that a proof carries."""
    body = path.read_bytes()
    if path.suffix == ".tlog-proof":
        head, extra, rest = body.split(b"\n", 2)
        path.write_bytes(b"\n".join((head, b"extra " + b64encode(_flipped(b64decode(extra[6:]))), rest)))
    else:
        path.write_bytes(_flipped(body))


def _flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes((body[middle] ^ 1,)) + body[middle + 1 :]


def _summed(drained: Iterable[Drained]) -> Tally:
    return sum((t for d in drained for t in d.tallies.values()), Tally())


def _cells(tally: Tally, ground: str, reason: str) -> int:
    return sum(n for _, g, r, n in tally.as_rows() if (g, r) == (ground, reason))


def _withheld(tally: Tally) -> str:
    reasons: dict[str, int] = {}
    for _, ground, reason, n in tally.as_rows():
        if ground == "consent" and reason != "consented":
            reasons[reason] = reasons.get(reason, 0) + n
    return "withheld " + ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
