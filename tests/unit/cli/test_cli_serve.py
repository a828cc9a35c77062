"""The roads in one process: what waits in a batch, what fails and passes, what is told once."""

import asyncio
import json

import pytest
from sqlalchemy.exc import OperationalError

from onshore.border.permits import clocks
from onshore.cli import doors, serve
from onshore.cli.drives import computed
from onshore.cli.simulate import connected
from onshore.gate.gb32960 import encode
from onshore.gate.intake import Intake
from onshore.register.consents import Standing
from onshore.rights import cases
from onshore.rights.access import access
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.vault.papers import reading
from onshore.vault.segments import segments_where


def failing(times, then):
    left = [times]

    def act(*args, **named):
        if left[0]:
            left[0] -= 1
            raise OperationalError("SELECT", {}, OSError("database is locked"))
        return then(*args, **named)

    return act


async def until(true):
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0)


def frames(hands, number):
    return [encode.realtime(hands.vin(number), hands.now + m.offset, m.units) for m in computed(number, 5)]


def test_what_waits_in_the_batch_when_an_erasure_is_asked_for_goes_too(hands):
    toml = hands.site.folder / "site.toml"
    toml.write_text(toml.read_text().replace("batch_ms = 5", "batch_ms = 60000"))
    site = open_site(hands.site.folder, clock=lambda: hands.now)
    hands.allow(1)
    car = hands.car(1)

    async def story():
        async with (
            doors.gate(site, port=0) as (door, port),
            connected("127.0.0.1", port, hands.vin(1), hands.now) as road,
        ):
            with pytest.MonkeyPatch.context() as still:
                still.setattr(Intake, "tick", lambda _intake: None)
                still.setattr(door, "flush", lambda: None)
                road.send(b"".join(frames(hands, 1)), 5)
                await until(lambda: len(door._waiting) == 5)
                erasing = asyncio.create_task(asyncio.to_thread(erase, site, car, "anna"))
                await until(lambda: cases.waiting(site, "erase"))
            case = await erasing
            await road.until_open(0)
            assert road.acknowledged == 5
            return case, await asyncio.to_thread(access, site, car, "anna")

    case, seen = asyncio.run(story())
    assert case.certificate["rows"] == 15  # by law alone: what was allowed was withdrawn before it was sieved
    assert seen["held"] == []


def test_a_tick_that_fails_is_not_the_last(hands, monkeypatch, caplog):
    monkeypatch.setattr(doors, "_TICK", 0)
    ticks = []
    monkeypatch.setattr(Intake, "tick", failing(2, lambda _intake: ticks.append(1)))

    async def story():
        async with doors.gate(hands.site, port=0):
            await until(lambda: len(ticks) > 2)

    asyncio.run(story())
    assert len([r for r in caplog.records if "tick of the gate failed" in r.message]) == 1


def test_frames_that_the_papers_cannot_answer_for_are_not_acknowledged(hands, monkeypatch):
    car = hands.car(1)
    monkeypatch.setattr(Standing, "columns", failing(1, Standing.columns))

    async def story():
        async with (
            doors.gate(hands.site, port=0) as (door, port),
            connected("127.0.0.1", port, hands.vin(1), hands.now) as road,
        ):
            road.send(b"".join(frames(hands, 1)), 5)
            await until(lambda: door.counts["not kept"] == 5)
            assert road.acknowledged == 0
            road.send(b"".join(frames(hands, 1)), 5)
            await until(lambda: door.counts["kept"] == 5)

    asyncio.run(story())
    hands.site.drain()
    assert {h["rows"] for h in access(hands.site, car, "anna")["held"]} == {5}


def test_the_keeper_tells_a_trouble_once_and_goes_on(hands, monkeypatch):
    hands.drive(1)
    site, said = hands.site, []
    with reading(site.engine) as conn:
        bad = segments_where(conn)[0]
    path = next(site.vault.rglob(f"{bad.id}.parquet"))
    whole = path.read_bytes()
    path.write_bytes(b"x")
    case = cases.opened(site, hands.car(1), "erase", "anna")
    keeper = serve.Keeper(site, said.append)
    with site.keeping(), monkeypatch.context() as patched:
        patched.setattr("onshore.site.drain_journals", failing(3, lambda *_, **__: None))
        patched.setattr(serve, "carry_on", lambda *_, **__: {})
        for _ in range(5):
            keeper.look()
    assert said == ["keep (drain): the papers do not answer: database is locked; tried again until it works"]
    said.clear()
    with site.keeping():
        for _ in range(3):
            keeper.look()
    assert [bad.id in line and case.id in line for line in said] == [True]
    assert hands.vin(1).decode() not in said[0]
    path.write_bytes(whole)
    with site.keeping():
        serve.Keeper(site, said.append).look()
    assert cases.find(site, case.id).state == "done"
    assert len(said) == 1


def test_too_many_open_files_do_not_end_the_keeper(hands, monkeypatch):
    said = []
    keeper = serve.Keeper(hands.site, said.append)
    monkeypatch.setattr(
        "onshore.site.drain_journals", lambda *_, **__: (_ for _ in ()).throw(OSError(24, "Too many open files"))
    )
    with hands.site.keeping():
        keeper.look()
        keeper.look()
    assert said == ["keep (drain): Too many open files; tried again until it works"]


def test_the_keeper_notes_what_the_ledger_knows_of_the_time(hands, monkeypatch):
    monkeypatch.setattr(serve, "_SEALS", 1)
    hands.drive(1)
    hands.site.settle()
    with hands.site.keeping():
        serve.Keeper(hands.site).look()
    with reading(hands.site.engine) as conn:
        size, at, *_ = json.loads(clocks.marked(conn))
    assert size > 1
    assert at == hands.now
