"""The turn of a year killed at every step: both logs whole, each naming the other, nothing lost, nothing twice."""

import shutil
from contextlib import suppress
from datetime import datetime

import pytest

from onshore.ledger import history
from onshore.ledger.entry import entry
from onshore.ledger.note import read_keys
from onshore.ledger.verify import Trust
from onshore.ledger.years import Years, is_link

SEED, ORIGIN = b"s" * 32, "example.org/shanghai"
HEAD = {"site": "a1", "jurisdiction": "CN"}


class Killed(BaseException):
    """What a power cut does to a process."""


def ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def at(text, number):
    return entry("take", **HEAD, at=ms(text), obj=f"sha256:{number:064x}", rows=number, parts=0, bytes=0)


def tell(kind, **fields):
    return entry(kind, **HEAD, at=ms("2027-01-01T00:00:05+08:00"), **fields)


OLD = [at("2026-12-31T23:59:59+08:00", n) for n in range(300)]
NEW = [at("2027-01-01T00:00:00+08:00", n) for n in range(300, 305)]


def opened(folder, step=lambda _: None):
    return Years(folder, SEED, ORIGIN, zone="Asia/Shanghai", step=step, write=True)


def acts(years):
    return [body for body in years.entries() if not is_link(body)]


def killed_at(folder, left):
    """Append over New Year until a step at which the power goes; the steps taken."""
    steps = []

    def step(name):
        steps.append(name)
        if len(steps) == left:
            raise Killed

    years = opened(folder)
    years.append(OLD[:299], tell)
    with suppress(Killed):
        opened(folder, step).append([OLD[299], *NEW], tell)
    return steps


def test_a_cut_at_every_step_of_the_turn(tmp_path):
    steps = killed_at(tmp_path / "whole", -1)
    assert {"closed", "made", "tile: closed", "tile: in place", "checkpoint: in place", "turned"} <= set(steps)
    for left in range(1, len(steps) + 1):
        folder = tmp_path / str(left)
        killed_at(folder, left)
        again = opened(folder)
        again.recover(tell)
        held = acts(again)
        assert held in (OLD[:299], OLD, OLD + NEW), steps[left - 1]
        again.append((OLD + NEW)[len(held) :], tell)
        last = Years(folder, SEED, ORIGIN, zone="Asia/Shanghai")
        assert acts(last) == OLD + NEW
        assert (list(last.closed), last.year, last.closed[2026].size, last.log.size) == ([2026], 2027, 301, 6)
        found = [str(f) for f in history.log(last.read, Trust(read_keys(last.vkeys)))]
        assert f"checked: year 2026: closed with 301 entries, from which {ORIGIN}/2027 goes on" in found
        assert sorted(p.name for p in folder.iterdir()) == ["2026", "checkpoint", "tile", "vkey"]
        shutil.rmtree(folder)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "UTC"])
def test_the_year_is_the_places_own(tmp_path, zone):
    years = Years(tmp_path / "l", SEED, ORIGIN, zone=zone, write=True)
    early = at("2027-01-01T07:59:59+08:00", 1)  # New Year's morning there, the old year in Greenwich
    numbers = years.append([OLD[0], early, at("2027-01-01T08:00:00+08:00", 2)], tell)
    assert numbers == ([0, 3, 4] if zone == "Asia/Shanghai" else [0, 1, 4])
    assert [years.entry_at(n) for n in numbers][1] == early
    assert [is_link(body) for body in years.entries()] == [n not in numbers for n in range(5)]


def test_a_clock_set_back_reopens_no_log_that_is_closed(tmp_path):
    years = opened(tmp_path / "l")
    years.append([OLD[0], NEW[0]], tell)
    before = (tmp_path / "l" / "2026" / "checkpoint").read_bytes()
    assert years.append([OLD[1]], tell) == [4]
    assert years.log.origin == f"{ORIGIN}/2027"
    assert (tmp_path / "l" / "2026" / "checkpoint").read_bytes() == before
    assert years.append([at("2029-06-01T00:00:00+08:00", 9)], tell) == [7]
    assert (list(years.closed), years.year) == ([2026, 2027], 2029)


def trust(years):
    return Trust(read_keys(years.vkeys))


def test_a_key_of_one_year_verifies_the_proof_of_another(tmp_path):
    from onshore.ledger import verify

    years = opened(tmp_path / "l")
    keys = read_keys(years.vkeys)
    old, new = years.append([OLD[0], NEW[0]], tell)
    for number in (old, new):
        found = verify.proof(years.prove(number).encode(), Trust(keys))
        assert any("entry: number" in str(f) for f in found)


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("the old log was rolled back", "does not end where"),
        ("another site's year", "no key that you trust"),
        ("an entry of the old year was changed", "is not the one in the tree"),
        ("a year that is not closed", "does not end where"),
    ],
)
def test_years_that_do_not_go_on_from_each_other_are_found(tmp_path, change, says):
    years, other = opened(tmp_path / "l"), opened(tmp_path / "o")
    years.append([OLD[0], OLD[1], NEW[0]], tell)
    held = files(tmp_path / "l")
    if change == "another site's year":
        other = Years(tmp_path / "x", SEED, "example.org/beijing", zone="Asia/Shanghai", write=True)
    other.append([OLD[0]] if "not closed" in change else [OLD[0], NEW[0]], tell)
    theirs = files(other.folder)
    if change == "a year that is not closed":
        old = {f"2026/{name}": raw for name, raw in theirs.items()}
    elif change == "an entry of the old year was changed":
        old = {n: raw.replace(b'"rows":1', b'"rows":2') for n, raw in held.items() if n.startswith("2026/tile/entries")}
    else:
        old = {name: raw for name, raw in theirs.items() if name.startswith("2026/")}
    with pytest.raises(ValueError, match=says):
        list(history.log((held | old).get, trust(years)))


def test_a_year_that_is_not_there_is_told(tmp_path):
    years = opened(tmp_path / "l")
    years.append([OLD[0], NEW[0]], tell)
    held = files(tmp_path / "l")
    found = [str(f) for f in history.log({n: r for n, r in held.items() if "2026" not in n}.get, trust(years))]
    assert found[-1] == "not checked: year 2026: its files are not there, only their root, which is linked"
    alone = {name.removeprefix("2026/"): raw for name, raw in held.items() if name.startswith("2026/")}
    found = [str(f) for f in history.log(alone.get, trust(years))]
    assert found[-1] == f"not checked: log: it is closed, and goes on as {ORIGIN}/2027, which is not there"


def test_an_older_checkpoint_is_held_against_its_own_year(tmp_path):
    from dataclasses import replace

    from onshore.ledger.note import Wrong

    years = opened(tmp_path / "l")
    years.append([OLD[0]], tell)
    older = years.checkpoint.encode()
    years.append([OLD[1], NEW[0]], tell)
    found = [str(f) for f in history.log(years.read, replace(trust(years), since=older))]
    assert "checked: since: the log extends the older checkpoint of 1 entries" in found
    other = opened(tmp_path / "o")
    other.append([OLD[2]], tell)
    with pytest.raises(Wrong, match="does not extend"):
        list(history.log(years.read, replace(trust(years), since=other.checkpoint.encode())))
    ahead = {n: r for n, r in files(tmp_path / "l").items() if "2026" not in n}
    with pytest.raises(Wrong, match="year that is not there"):
        list(history.log(ahead.get, replace(trust(years), since=older)))
