"""A real site in a folder with its clock in our hands; no conftest, so that a process of its own finds it by name."""

from pathlib import Path

from databases import papers_url


class Hands:
    """A real site in a temporary folder, its clock in our hands, and cars that reach its gate without a socket."""

    def __init__(self, folder: Path) -> None:
        from onshore.cli.init import make_site
        from onshore.site import open_site
        from onshore.vault.age import new_identity, recipient_of

        self.now = 1_790_000_000_000  # a day in September 2026
        self.identity = new_identity()
        make_site(folder, "CN", "shanghai", papers=papers_url(folder), clock=lambda: self.now)
        with (folder / "site.toml").open("a") as file:
            file.write(f'\n[recipients.stuttgart]\njurisdiction = "DE"\nkey = "{recipient_of(self.identity)}"\n')
            file.write('\n[people.anna]\nrole = "owner"\n')
        self.site = open_site(folder, clock=lambda: self.now)

    def car(self, number: int = 1):
        """A registered car of ours."""
        from onshore.register import vehicles

        vin = self.vin(number)
        if vehicles.look_up(self.site, vin) is None:
            vehicles.add(self.site, vin.decode(), owner=f"owner {number}", contact=f"owner{number}@example.org")
        return vehicles.find(self.site, vin.decode())

    @staticmethod
    def vin(number: int = 1) -> bytes:
        return b"LTEST%012d" % number

    def drive(self, *numbers: int, seconds: int = 20, start: int | None = None):
        """Let cars drive: a frame a second each, through decoder, intake, journal and drain; what was drained."""
        from onshore.cli.drives import computed
        from onshore.gate.gb32960 import encode
        from onshore.gate.gb32960.decode import decode
        from onshore.gate.intake import Intake
        from onshore.vault.journal import Journal

        begin = self.now if start is None else start
        frames, ids = [], []
        for number in numbers:
            vehicle = self.car(number).id
            for moment in computed(number, seconds):
                frames.append(encode.realtime(self.vin(number), begin + moment.offset, moment.units))
                ids.append(vehicle)
        self.now = max(self.now, begin + seconds * 1000)
        batch = decode(frames, ids, self.now).batch
        with Journal(
            self.site.engine,
            self.site.root,
            self.site.vault,
            site=self.site.id,
            gate="0",
            clock=self.site.clock,
            randomness=self.site.randomness,
        ) as journal:
            Intake(self.site, journal).take_in(batch)
        return self.site.drain()

    def approve(self, request: str) -> None:
        """The two officers approve a request."""
        from onshore.border.approvals import approve

        for name in ("officer", "deputy"):
            approve(self.site, request, name)

    def allow(self, number: int = 1, *, categories=("track", "vehicle-operation"), **wish):
        """The owner of a car consents to warranty-analysis in Stuttgart."""
        from onshore.register import consents

        asked = {"notice": "2026-11", "separate": True, "recipients": frozenset({"stuttgart"})} | wish
        given = consents.give(
            self.site,
            self.car(number),
            consents.Wish(purposes=("warranty-analysis",), categories=categories, **asked),
        )
        self.now += 1000
        return given
