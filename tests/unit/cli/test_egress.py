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


@pytest.mark.parametrize("module", ["onshore.border.send", "onshore.ledger.client", "onshore.cli.simulate"])
@WAYS
def test_modules_that_may_connect_do(listening, module, way):
    done = connects(listening, module, way)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("module", ["onshore.border.transfer", "onshore.cli.serve", "somebody_else"])
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
