"""What befalls a site: acts while a parcel is under way, crashes in any act and in taking up, a backup restored."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from sqlalchemy import select

from border_looks import Looks
from border_reference import Granted
from onshore.border import grants, requests, sealing, transfer
from onshore.cli.backing_up import back_up
from onshore.cli.key_rounds import round_of
from onshore.cli.restoring import Asked, restore
from onshore.site import Site
from onshore.vault.papers import parcels, reading, transfers
from onshore.words.errors import Refusal

DAYS = 9
CARS, REQUEST = st.integers(1, 3), st.integers(0, 1)
PEOPLE = ["allow", "withdraw", "erase", "sell"]
OFFICERS = ["suspend", "resume", "revoke", "revoke", "grant", "approve", "file"]
SINCE = ["nothing", "ship", "ship", "crash", "withdraw", "restrict", "erase", "sell", "revoke", "suspend", "allow"]

STEPS = st.sampled_from(["seal", "leaving", "witnessed_proof"])
ACTS = st.sampled_from(["withdraw", "restrict", "erase", "sell", "revoke", "revoke", "allow", "suspend", "grant"])


class Troubles(Looks):
    """Rules that a machine has beside its own: `acted` does an act by its name, `killed` what would die of SIGKILL."""

    @rule(number=REQUEST, car=CARS, step=STEPS, act=ACTS)
    def ship_afresh_while(self, number, car, step, act):
        self.fresh(number, car)
        self.ship_while(number, step, act, car)

    @rule(number=REQUEST, step=STEPS, act=ACTS, car=CARS)
    def ship_while(self, number, step, act, car):
        """Somebody acts before a parcel is sealed, between two of its tables, or while its proof is waited for."""
        owner = {"seal": transfer, "leaving": sealing}.get(step, Site)
        real, turns = getattr(owner, step), []

        def acts():
            if not turns:
                turns.append(1)
                self.acted(act, number, car)

        def wrapped(*args, **named):
            acts()
            return real(*args, **named)

        def tables(*args):
            for table in real(*args):
                yield table
                acts()

        setattr(owner, step, tables if step == "leaving" else wrapped)
        try:
            self.shipped(number, alone=False)
        finally:
            setattr(owner, step, real)
        self.seen[f"while {act}"] += len(turns)

    @rule(act=st.sampled_from([*PEOPLE, *OFFICERS]), number=REQUEST, car=CARS, turn=st.integers(1, 4))
    def act_and_crash(self, act, number, car, turn):
        """Killed before the turn-th commit of an act; whoever wanted it does it again."""
        with self.killed(turn):
            self.acted(act, number, car)
        if self.struck:
            self.seen[f"killed in {act}"] += 1
            self.reopen()
            self.learn()
            self.look()
            self.acted(act, number, car)
            self.learn()

    @rule(turn=st.integers(1, 3))
    def resume_and_crash(self, turn):
        """Killed while that is taken up which another kill left halfway."""
        with self.killed(turn):
            self.resume()
        if self.struck:
            self.seen["killed in taking up"] += 1
            self.reopen()
            self.whole = False
            self.look()

    @rule(number=REQUEST, car=CARS, turn=st.integers(2, 9), then=st.integers(1, 3))
    def ship_and_crash_twice(self, number, car, turn, then):
        """A parcel is killed under way, and its taking up as well."""
        self.fresh(number, car)
        self.ship_and_crash(number, turn, taken_up=False)
        self.resume_and_crash(then)

    def learn(self):
        """Permits that a killed process had put on file; requests that it had held back."""
        for one in set(grants.listed(self.site)) - set(self.ref.permits):
            p = grants.show(self.site, one).permit
            self.ref.permits[one] = Granted(p.transfer, p.persons, p.rows, p.start, p.until, p.signals, p.transforms)
        for one in self.ref.requests:
            if requests.find(self.site, one).state in {"suspended", "closed"}:
                self.ref.halted.add(one)

    @precondition(lambda self: self.exact)
    @rule(number=REQUEST, car=CARS, since=st.lists(st.sampled_from(SINCE), min_size=1, max_size=3))
    def back_up_and_restore(self, number, car, since):
        """The site is lost with what happened since its backup; the ledger as it stood last is there."""
        round_of(self.site)
        room = Path(self.room.name)
        back_up(self.site, room / "backup")
        for act in since:
            if act in {"ship", "crash"}:
                self.fresh(number, car)
                self.shipped(number) if act == "ship" else self.ship_and_crash(number, 6, taken_up=False)
            elif act != "nothing" and not (act == "restrict" and self.ref.restricted):
                self.acted(act, number, car)
        self.site.settle()
        self.hands.now += 1000
        self.site.engine.dispose()
        old, new = room / "site", room / "new"
        said = {"folder": room / "backup", "target": new, "ledger": old / "ledger", "newest": True}
        restore(Asked(**said, root_key=old / "keys" / "root.key"), clock=lambda: self.hands.now, randomness=os.urandom)
        for path in (old / "outbox").iterdir():
            shutil.copy(path, new / "outbox")  # the recipient has it; the reference looks for it there
        shutil.rmtree(old)
        new.rename(old)
        shutil.rmtree(room / "backup")
        self.exact = False
        self.reopen()
        self.remember()
        self.seen["restored"] += 1

    def remember(self):
        """What the restored site knows: requests since its backup are gone, but those of which something left."""
        with reading(self.site.engine) as conn:
            known = set(conn.scalars(select(transfers.c.id)))
            out = set(conn.scalars(select(parcels.c.id).where(parcels.c.state == "left")))
        self.ref.requests = {name: one for name, one in self.ref.requests.items() if name in known}
        self.feared = out - {path.stem for path in (self.site.folder / "outbox").glob("*.parcel")}
        with suppress(Refusal):
            self.resume()
        self.whole = True
