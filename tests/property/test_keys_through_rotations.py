"""Whatever rotates in whatever order, every key opens, also by whoever read its row before."""

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from key_makers import Told, known, reopened, ringed
from onshore.vault import papers, rotation
from onshore.vault.rotation import change_root, rotate, tend

ACTS = ("wrap", "wrap late", "rotate", "tend", "tend a little", "root", "process", "month", "forget")


class Site:
    """A site of two processes, and what each key was and was wrapped as."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rooms = [ringed(folder)]
        self.rooms.append(reopened(folder))
        self.kept: dict[str, tuple[bytes, bytes]] = {}
        self.late: list[tuple[str, bytes, bytes]] = []

    def do(self, act: str, which: int) -> None:
        room = self.rooms[which % 2]
        ring = room.root
        if act == "wrap":  # inside a writing transaction, as gates do
            with papers.writing(room.engine) as conn:
                self._list(conn, *self._wrapped(ring))
        elif act == "wrap late":  # outside, as a drain does, which holds the keep road until it lists
            self.late.append(self._wrapped(ring))
        elif act == "rotate":
            rotate(ring, Told(), None)
        elif act == "month":
            room.clock.now += 31 * 86_400_000
        elif act == "forget":
            ring.forget()
        elif act == "process":
            self.rooms[which % 2] = reopened(self.folder)
        else:
            self._keep(act, room)

    def _keep(self, act, room) -> None:
        with papers.writing(room.engine) as conn:  # the road is free once what was wrapped is listed
            for one in self.late:
                self._list(conn, *one)
        self.late.clear()
        if act == "root":
            change_root(room.root, Told())
        else:
            tend(room.root, Told(), None, batches=1 if act == "tend a little" else None)

    def _wrapped(self, ring) -> tuple[str, bytes, bytes]:
        name, key = f"k{len(self.kept) + len(self.late)}", os.urandom(32)
        return name, key, ring.wrap(key, f"site-key/{name}")

    def _list(self, conn, name, key, wrapped) -> None:
        conn.execute(insert(papers.site_keys).values(name=name, wrapped=wrapped))
        self.kept[name] = key, wrapped

    def opens(self) -> bool:
        now = {row.name: row.wrapped for row in self.rooms[0].rows(papers.site_keys)}
        return all(
            room.root.unwrap(wrapped, f"site-key/{name}") == key
            for room in self.rooms
            for name, (key, first) in self.kept.items()
            for wrapped in (first, now[name])
        )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 1)), min_size=1, max_size=14))
def test_every_key_opens_through_any_sequence_of_rotations(acts):
    rotation.BATCH, usual = 2, rotation.BATCH
    try:
        with tempfile.TemporaryDirectory() as folder:
            site = Site(Path(folder))
            for act, which in [("wrap", 0), *acts, ("wrap", 1)]:
                site.do(act, which)
                assert site.opens()
            site.do("tend", 0)
            assert tend(site.rooms[0].root, Told(), None)
            assert len(known(site.rooms[0])) == 1
            assert site.opens()
            for room in site.rooms:
                room.engine.dispose()
    finally:
        rotation.BATCH = usual
