"""The audit hook, in processes of their own: it cannot be taken out again."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from onshore.cli import egress
from onshore.words.errors import Broken

SOURCE = Path(egress.__file__).parents[2]
PROGRAM = """
import sys
from onshore.cli.egress import shut_the_border
shut_the_border(sys.addaudithook)
exec(compile({body!r}, "<module>", "exec"), {{"__name__": "{module}"}})
"""
SOCKET = "import socket\nwith socket.socket() as s: s.connect(('127.0.0.1', {port}))"
UVLOOP = """
import asyncio, uvloop
async def main():
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", {port})
    transport.close()
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(main())
"""
WAYS = pytest.mark.parametrize("way", [SOCKET, UVLOOP], ids=["socket", "uvloop"])
STARTS = ["import subprocess; subprocess.run(['true'])", "import os; os.system('true')"]


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def connects(port, module, way=SOCKET):
    return runs(way.format(port=port), module)


def runs(body, module):
    program = PROGRAM.format(body=body, module=module)
    env = os.environ | {"PYTHONPATH": str(SOURCE)}
    return subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)


@WAYS
def test_the_simulator_may_connect_anywhere(listening, way):
    done = connects(listening, "onshore.cli.simulate", way)
    assert done.returncode == 0, done.stderr


def test_who_may_connect_is_who_is_named_so_in_the_tree():
    """`.importlinter` has the names, the hook the modules: a new client.py is in neither by itself."""
    tree = {p for name in ("send", "client") for p in SOURCE.glob(f"onshore/**/{name}.py")} | {
        SOURCE / "onshore" / "cli" / "simulate.py"
    }
    assert {".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in tree} == egress._MAY_CONNECT


@pytest.mark.parametrize(
    "module", ["onshore.border.transfer", "onshore.cli.serve", "onshore.query.client", "onshore.border.client", "send"]
)
@WAYS
def test_no_other_module_connects(listening, module, way):
    done = connects(listening, module, way)
    assert done.returncode != 0
    assert "tried to open a connection outwards; it was stopped" in done.stderr
    assert (module if module.startswith("onshore") else "not ours") in done.stderr


@pytest.mark.parametrize(
    "body",
    ["import subprocess; subprocess.run(['true'])", "import os; os.system('true')"],
    ids=["subprocess", "system"],
)
def test_no_module_starts_a_program_that_could_connect_for_it(body):
    done = runs(body, "onshore.border.transfer")
    assert "tried to start another program" in done.stderr
    assert runs(body, "onshore.cli.story").returncode == 0


def test_the_hook_watches_connections_and_nothing_else():
    egress._hook("open", ("file",))
    with pytest.raises(Broken):
        egress._hook("socket.connect", ())


ASKS = """
import socket
try:
    socket.{way}
except OSError:
    pass
"""


@pytest.mark.parametrize("way", ["getaddrinfo('rows.in.a.name.invalid', 443)", "gethostbyname('rows.invalid')"])
@pytest.mark.parametrize("module", ["onshore.border.transfer", "onshore.border.send", "somebody_else"])
def test_a_question_to_dns_carries_nothing_out(module, way):
    """Whoever answers for a name reads it: only names that the settings list are asked for."""
    done = runs(ASKS.format(way=way), module)
    assert done.returncode != 0
    assert "it was stopped" in done.stderr
    assert "rows" not in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("name", ["'127.0.0.1'", "'::1'", "None", "'localhost'", "b'127.0.0.1'"])
def test_an_address_is_no_question(name):
    assert runs(ASKS.format(way=f"getaddrinfo({name}, 443)"), "onshore.cli.serve").returncode == 0


def test_a_thread_of_the_loop_asks_for_a_listed_name():
    """asyncio looks names up in a thread where nobody of ours is on the stack."""
    body = LISTED.format(listed=[("platform.invalid", 1)]) + ASKS.format(way="getaddrinfo('platform.invalid', 1)")
    assert runs(body, "somebody_else").returncode == 0


DESTINED = """
import sys
exec("sys.audit('onshore.listed', 'onshore.border.send', ('{host}', {port}))", {{"__name__": "{says}", "sys": sys}})
import socket
with socket.create_connection(("127.0.0.1", {port})) as s: pass
"""


def test_the_border_connects_where_its_destinations_say_and_nowhere_else(listening):
    def connects_to(host, port, says="onshore.border.sending.destinations"):
        said = DESTINED.format(host=host, port=port, says=says).replace(
            f'("127.0.0.1", {port})', f'("127.0.0.1", {listening})'
        )
        return runs(said, "onshore.border.send")

    done = connects_to("127.0.0.1", listening)
    assert done.returncode == 0, done.stderr
    for wrong in (
        connects_to("127.0.0.1", listening + 1),
        connects_to("parcels.example", listening),
        connects_to("127.0.0.1", listening, says="onshore.border.send"),
    ):
        assert wrong.returncode != 0
        assert "a place that site.toml does not list" in wrong.stderr


def test_the_border_opens_no_connection_where_nobody_counts_its_bytes(listening):
    done = connects(listening, "onshore.border.send", UVLOOP)
    assert done.returncode != 0
    assert "nobody counts its bytes; it was stopped" in done.stderr


STREAMS = """
import asyncio
from onshore.cli import egress
egress.listed("onshore.gate.forward.client", {listed})
async def main():
    _, writer = await asyncio.open_connection("127.0.0.1", {port})
    writer.close()
asyncio.run(main())
"""
LISTED = """
from onshore.cli import egress
egress.listed("onshore.gate.forward.client", {listed})
"""


@pytest.mark.parametrize("way", [STREAMS, LISTED + SOCKET, LISTED + UVLOOP], ids=["streams", "socket", "uvloop"])
def test_the_statutory_lane_connects_where_the_settings_say_and_nowhere_else(listening, way):
    def connects_to(listed):
        return runs(way.format(port=listening, listed=listed), "onshore.gate.forward.client")

    done = connects_to([("127.0.0.1", listening)])
    assert done.returncode == 0, done.stderr
    for places in ([], [("127.0.0.1", listening + 1)]):
        done = connects_to(places)
        assert done.returncode != 0
        assert "a place that site.toml does not list" in done.stderr


PAPERS = """
import sys
from pathlib import Path
import msgspec
from onshore.cli.egress import shut_the_border
from onshore.site import open_papers_of
from onshore.vault.client import opened, named
from onshore.words.settings import Settings
shut_the_border(sys.addaudithook)
site = {"id": "1", "name": "n", "jurisdiction": "CN", "pack": "cn/2026-02", "origin": "o", "purposes": ["p"]}
named_there, asked, folder = sys.argv[1:]
if named_there:
    try:
        open_papers_of(msgspec.convert({"site": site, "papers": {"url": named_there}}, Settings), Path(folder))
    except Exception as failed:
        assert "does not answer" in str(failed), failed
opened(named(asked)).connect()
"""


@pytest.fixture(params=["127.0.0.1", "localhost", "socket"])
def asked(request, tmp_path):
    """Asks, in a program that names some database in its settings, another one; the place is one where nobody is."""

    def url(number):
        where = f"@/x?host={tmp_path}&port={number}" if request.param == "socket" else f"@{request.param}:{number}/x"
        return f"postgresql://u{where}"

    def ask(named_there, asked_for):
        command = [sys.executable, "-c", PAPERS, url(named_there) if named_there else "", url(asked_for), str(tmp_path)]
        env = os.environ | {"PYTHONPATH": str(SOURCE)}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stderr

    return ask


def test_papers_are_reached_where_the_settings_say_and_nowhere_else(asked):
    assert "network error" in asked(1, 1), "it was let out, and nobody answered"
    for named_there in (None, 2):
        told = asked(named_there, 1)
        assert "onshore.vault.client tried to connect to a place that site.toml does not list" in told


def test_nobody_but_the_site_lists_a_place_for_papers():
    egress._hook("onshore.listed", ("onshore.vault.client", ("somewhere", 1)))
    assert ("somewhere", 1) not in egress._LISTED["onshore.vault.client"]
