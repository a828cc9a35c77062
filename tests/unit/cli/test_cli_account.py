"""`onshore account`, and the desk as `onshore serve` runs it."""

import asyncio
import http.client
import json

import pytest
from click.testing import CliRunner

from desk_makers import PASSWORD, quick_passwords
from onshore.cli.main import cli
from onshore.desk.serve import served
from onshore.site import open_site
from onshore.words.errors import Malformed, Refusal


@pytest.fixture(autouse=True)
def _quick():
    with quick_passwords():
        yield


@pytest.fixture
def onshore(hands, tmp_path):
    (tmp_path / "password").write_text(PASSWORD + "\n")

    def run(*said, **named):
        return CliRunner().invoke(cli, ["account", *said, "--site", str(hands.site.folder)], **named)

    return run


def test_accounts_are_added_listed_changed_and_disabled(onshore, hands, tmp_path):
    file = "--password-file", str(tmp_path / "password")
    made = onshore("add", "officer", "--role", "officer", "--code", *file, "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["code"].startswith("otpauth://totp/")
    person = f"{hands.car(1).owner:016x}"
    assert onshore("add", "anna.w", "--role", "owner", "--person", person, *file).exit_code == 0
    assert onshore("add", "anna.w", "--role", "owner", "--person", person, *file).exit_code == 1
    listed = json.loads(onshore("list", "--json").stdout)
    assert [(one["name"], one["role"], one["person"], one["code"]) for one in listed] == [
        ("officer", "officer", None, True),
        ("anna.w", "owner", person, False),
    ]
    assert onshore("code", "anna.w").stdout.startswith("otpauth://totp/")
    assert onshore("password", "anna.w", input=f"{PASSWORD}2\n{PASSWORD}2\n").exit_code == 0
    assert onshore("password", "eve", *file).exit_code == 1
    (tmp_path / "password").write_text("")
    assert onshore("password", "anna.w", *file).exit_code == 2
    assert onshore("disable", "anna.w").exit_code == 0
    assert "anna.w  owner, with a code, added 2026" in onshore("list").stdout
    assert ", disabled 2026" in onshore("list").stdout


def asked(hands, table, act):
    """What `act` finds while the desk is served with these settings."""
    toml = hands.site.folder / "site.toml"
    toml.write_text(f"{toml.read_text()}\n[desk]\n{table}\n")
    site = open_site(hands.site.folder, clock=lambda: hands.now)

    async def story():
        async with served(site) as address:
            return await asyncio.to_thread(act, address)

    return asyncio.run(story())


def answer(address):
    connection = http.client.HTTPConnection(address.split("/")[2], timeout=20)
    connection.request("GET", "/sign-in")
    said = connection.getresponse()
    body = said.read()
    connection.close()
    return said.status, dict(said.getheaders()), body


def test_the_desk_answers_at_the_place_of_the_settings(hands):
    status, headers, body = asked(hands, "port = 0", answer)
    assert (status, headers["x-content-type-options"]) == (200, "nosniff")
    assert "server" not in headers
    assert b"Sign in" in body


def test_a_second_desk_is_refused_while_the_first_runs(hands):
    async def again(site):
        async with served(site):
            pass

    with pytest.raises(Refusal, match="already runs the road 'desk'"):
        asked(hands, "port = 0", lambda _: asyncio.run(again(hands.site)))


def test_a_port_that_is_taken_is_said(hands):
    async def busy():
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            await asyncio.to_thread(asked, hands, f"port = {port}", lambda _: None)

    with pytest.raises(Malformed, match="cannot listen on"):
        asyncio.run(busy())
