"""Witnesses that run, the real ones behind their real server in a thread of this process, and a site they watch."""

import asyncio
import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from onshore.border import transfer
from onshore.cli import check
from onshore.ledger.answering import Limits, listening
from onshore.ledger.note import read_keys
from onshore.ledger.policy import read_policy
from onshore.ledger.witness import MAX_BODY
from onshore.ledger.witnessing import Witness, answers, make, trust
from onshore.site import open_site
from onshore.words.errors import Refusal


class Running:
    """A witness called `name` in a folder, which knows the logs of `vkeys`; started and stopped as often as wanted."""

    def __init__(self, folder: Path, name: str, vkeys: str, clock=lambda: 1_790_000_000_000, **limits):
        self.folder, self.clock = folder, clock
        self.limits = Limits(body=MAX_BODY, **limits)
        seeds = iter(bytes([len(name), n]) + name.encode().ljust(30, b".")[:30] for n in range(2))
        self.keys = make(folder, name, lambda _n: next(seeds))
        trust(folder, read_keys(vkeys))
        self.port = 0
        self.witness = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.witness = Witness(self.folder, clock=self.clock)
        return self.serve(answers(self.witness))

    def serve(self, answer, secure=None):
        """Serve whatever `answer` says, at the port that was served at before, if any."""
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._done = asyncio.Event()

        async def run():
            async with listening("127.0.0.1", self.port, answer, self.limits, secure) as self.port:
                ready.set()
                await self._done.wait()

        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(run()))
        self._thread.start()
        assert ready.wait(30)
        return self

    def stop(self):
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(30)
        self._loop.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_why):
        self.stop()


def policy_of(*running, quorum="2", kind=0):
    """A policy of these witnesses' Ed25519 keys (`kind` 1: ML-DSA-44), `quorum` of them."""
    lines = [f"witness w{i} {one.keys[kind]} {one.url}\n" for i, one in enumerate(running, 1)]
    members = " ".join(f"w{i}" for i in range(1, len(running) + 1))
    return "".join(lines) + f"group enough {quorum} {members}\nquorum enough\n"


SETTINGS = """
[witnesses]
policy = "witnesses.policy"
seconds = 20
[witnesses.hosts."127.0.0.1"]
jurisdiction = "CN"
"""


class Watched:
    """A site that three witnesses watch, two of whom are enough."""

    def __init__(self, border, stack, folder):
        self.border, self.hands = border, border.hands
        site = border.site
        site.settle()
        self.vkeys = (site.folder / "ledger" / "vkey").read_text()
        self.witnesses = [Running(folder / f"w{n}", f"w{n}.example", self.vkeys, self.hands_clock) for n in (1, 2, 3)]
        self.up = set()
        for one in self.witnesses:
            self.start(one)
        stack.callback(lambda: [self.stop(one) for one in [*self.up]])
        (site.folder / "witnesses.policy").write_text(policy_of(*self.witnesses))
        with (site.folder / "site.toml").open("a") as file:
            file.write(SETTINGS)
        self.reopen()

    def hands_clock(self):
        return self.hands.now

    def reopen(self):
        self.hands.site = self.border.site = open_site(self.border.site.folder, clock=self.hands_clock)

    def start(self, one):
        one.start()
        self.up.add(one)

    def stop(self, one):
        self.up.discard(one)
        one.stop()

    def ship(self, request):
        return transfer.ship(self.border.site, request.id)

    def refused(self, request):
        with pytest.raises(Refusal) as no:
            self.ship(request)
        assert no.value.reason == "no-quorum"
        assert not list((self.border.site.folder / "outbox").glob("*"))
        return no.value.says

    def looks(self):
        site = self.border.site
        asked = CliRunner().invoke(check.check, ["--site", str(site.folder), "--json"])
        found = json.loads(asked.stdout)
        return [(one["what"], one["good"], one["says"]) for one in found if one["what"].startswith("witness")]

    @property
    def policy(self):
        return read_policy((self.border.site.folder / "witnesses.policy").read_bytes())
