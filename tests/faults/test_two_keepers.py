"""Two that drain one site at once hurt nobody: one is refused or breaks, and every row is there once."""

import pytest

from onshore.site import open_site
from onshore.vault import papers
from onshore.vault.lock import hold
from onshore.words.errors import Broken, Refusal
from vault_makers import NOON, PACK, new_room, sieved


@pytest.mark.parametrize("at", ["planned", "written"])
def test_two_drains_at_once_lose_and_double_nothing(tmp_path, at):
    room = new_room(tmp_path)
    with room.journal() as journal:
        journal.append(sieved([1, 2], [NOON, NOON]), pack=PACK)
    met = []

    def other(step):
        if step == at and not met:
            met.append(step)
            assert room.drain().rows_kept == 2

    with pytest.raises(Broken, match="two processes keep one site"):
        room.drain(step=other)
    assert room.drain() is None
    assert len(room.all_of(1)) == len(room.all_of(2)) == 3
    assert len(room.rows(papers.entries)) == 1
    listed = {row.id for row in room.rows(papers.segments)}
    assert {path.stem for path in room.vault.rglob("*.parquet")} == listed


def test_who_does_not_hold_the_keep_road_does_not_drain(hands):
    site = hands.site
    with hold(site.folder / "locks" / "keep", "keep"), pytest.raises(Refusal) as refused:
        site.drain()
    assert refused.value.reason == "road-taken"
    with site.keeping(), site.keeping():
        hands.drive(1)
        site.write_ledger()
        with pytest.raises(Refusal), hold(site.folder / "locks" / "keep", "keep"):
            pass
    with hold(site.folder / "locks" / "keep", "keep"):
        pass


def test_two_sites_of_one_process_are_kept_apart(hands, tmp_path):
    from onshore.cli.init import make_site

    make_site(tmp_path / "other", "CN", "tianjin", clock=hands.site.clock)
    with hands.site.keeping(), open_site(tmp_path / "other").keeping():
        hands.drive(1)
