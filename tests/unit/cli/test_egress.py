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
import socket, sys
from onshore.cli.egress import shut_the_border
shut_the_border(sys.addaudithook)
body = "import socket\\nwith socket.socket() as s: s.connect(('127.0.0.1', {port}))"
exec(compile(body, "module", "exec"), {{"__name__": "{module}"}})
"""


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def connects(port, module):
    program = PROGRAM.format(port=port, module=module)
    env = os.environ | {"PYTHONPATH": str(SOURCE)}
    return subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["onshore.border.send", "onshore.ledger.client", "onshore.cli.simulate"])
def test_modules_that_may_connect_do(listening, module):
    assert connects(listening, module).returncode == 0


@pytest.mark.parametrize("module", ["onshore.border.transfer", "onshore.cli.serve", "somebody_else"])
def test_no_other_module_connects(listening, module):
    done = connects(listening, module)
    assert done.returncode != 0
    assert "tried to open a connection outwards; none was made" in done.stderr
    assert (module if module.startswith("onshore") else "not ours") in done.stderr


def test_the_hook_watches_connections_and_nothing_else():
    hooks = []
    egress.shut_the_border(hooks.append)
    (hook,) = hooks
    hook("open", ("file",))
    with pytest.raises(Broken):
        hook("socket.connect", ())
