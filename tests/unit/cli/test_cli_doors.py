"""The gate opens the doors that the settings give a port, on a journal of its own."""

import asyncio
import contextlib

import pytest

from onshore.cli import doors
from onshore.site import open_site
from onshore.words.errors import Refusal


def with_settings(hands, more):
    toml = hands.site.folder / "site.toml"
    toml.write_text(toml.read_text().replace("gb32960 = 32960", more))
    return open_site(hands.site.folder, clock=lambda: hands.now)


def test_a_door_without_a_port_stays_closed(hands):
    async def story():
        async with doors.doors(with_settings(hands, "")) as ports:
            assert ports == {}

    asyncio.run(story())


def test_one_door_listens_in_the_clear_and_with_tls(hands):
    async def story():
        async with doors.doors(with_settings(hands, "gb32960 = 0\ngb32960_tls = 0")) as ports:
            assert sorted(ports) == ["gb32960", "gb32960_tls"]
            for port in ports.values():
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()

    asyncio.run(story())


def test_as_many_gates_as_the_settings_say_share_a_port(hands):
    async def story():
        site = with_settings(hands, "gb32960 = 0\nprocesses = 2")
        async with contextlib.AsyncExitStack() as stack:
            (port,) = (await stack.enter_async_context(doors.doors(site))).values()
            toml = site.folder / "site.toml"
            toml.write_text(toml.read_text().replace("gb32960 = 0", f"gb32960 = {port}"))
            again = open_site(site.folder, clock=lambda: hands.now)
            assert await stack.enter_async_context(doors.doors(again)) == {"gb32960": port}
            with pytest.raises(Refusal, match="gate 1"):
                await stack.enter_async_context(doors.doors(again))

    asyncio.run(story())


def test_who_loses_an_identity_is_looked_for_and_a_new_certificate_is_shown(hands, monkeypatch):
    monkeypatch.setattr(doors, "_TICK", 0)
    monkeypatch.setattr(doors, "_CHECKS", 1)
    site, looks = with_settings(hands, "gb32960_tls = 0"), []
    monkeypatch.setattr("onshore.gate.gb32960.server.Door.recheck", lambda _door: looks.append("doors"))
    monkeypatch.setattr("onshore.gate.tls.Credentials.tick", lambda _shown: looks.append("shown"))
    monkeypatch.setattr("onshore.register.certificates.Standing.changed", lambda _standing: not looks)

    async def story():
        async with doors.doors(site), asyncio.timeout(10):
            while len(looks) < 3:
                await asyncio.sleep(0)

    asyncio.run(story())
    assert looks[:3] == ["doors", "shown", "shown"]
