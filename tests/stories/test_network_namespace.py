"""The recipe of docs/network.md as it stands there, in real namespaces: who reaches whom, and what is counted."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from waiting import until

RECIPE = Path(__file__).parents[2] / "docs" / "network.md"
ABROAD, OTHER, PORT = "203.0.113.7", "203.0.113.8", 443
GATE, BORDER = "10.88.1.2", "10.88.2.2"
ACCOUNTS = {"onshore-border": 4001, "onshore-gate": 4002, "onshore-keep": 4003}
LISTENS = """
import socket, threading
def serve(port):
    with socket.create_server(("0.0.0.0", port)) as server:
        while True:
            sock, _ = server.accept()
            with sock:
                while sock.recv(1 << 16):
                    pass
for port in {ports}:
    threading.Thread(target=serve, args=(port,)).start()
"""
SENDS = """
import socket
with socket.create_connection(({host!r}, {port}), timeout=2) as sock:
    sock.sendall(b"x" * {count})
    sock.shutdown(socket.SHUT_WR)
    sock.recv(1)
"""


def why_not():
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    if missing := [name for name in ("ip", "nft", "unshare") if not shutil.which(name, path=_PATH)]:
        return f"not installed: {', '.join(missing)} (Debian's iproute2, nftables, util-linux)"
    tried = subprocess.run(["unshare", "--net", "nft", "list", "ruleset"], capture_output=True, check=False, env=_ENV)
    return "" if tried.returncode == 0 else "this kernel, or this container, lets nobody make network namespaces"


_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_ENV = os.environ | {"PATH": _PATH}
pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can")


def fence(name):
    """A file of the recipe, by the name in its first line."""
    return re.search(rf"```\w+\n# {re.escape(name)}\n(.*?)```", RECIPE.read_text("utf-8"), re.DOTALL)[1]


class World:
    """A host of its own with the recipe's namespaces behind it, and a machine abroad; all in an unshared namespace.

    Everything is inside namespaces that end with one process, so nothing of this machine's own network is touched.
    """

    def __init__(self, folder):
        self.folder, self.programs = folder, []
        for name in ("network.sh", "gate.nft", "border.nft"):
            (folder / name).write_text(fence(name))
        hold = "mount --make-rprivate / && mount -t tmpfs none /run && mkdir -p /run/netns && echo ready && exec cat"
        self.host = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", hold],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_ENV,
        )
        assert self.host.stdout.readline() == b"ready\n"
        self.run("ip link set lo up && sysctl -qw net.ipv4.ip_forward=1 && sh network.sh")
        self.run(
            "ip netns add abroad && ip link add toabroad type veth peer name eth0 netns abroad"
            f" && ip addr add 203.0.113.1/24 dev toabroad && ip link set toabroad up"
            f" && ip -n abroad addr add {ABROAD}/24 dev eth0 && ip -n abroad addr add {OTHER}/24 dev eth0"
            " && ip -n abroad link set lo up && ip -n abroad link set eth0 up"
            " && ip -n abroad route add default via 203.0.113.1"
        )

    def inside(self, road=None):
        away = [] if road is None else ["ip", "netns", "exec", road]
        return ["nsenter", f"--net=/proc/{self.host.pid}/ns/net", f"--mount=/proc/{self.host.pid}/ns/mnt", *away]

    def run(self, line, road=None):
        command = [*self.inside(road), "sh", "-c", f"cd {self.folder} && {line}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_ENV)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def listens(self, road, *ports):
        command = [*self.inside(road), sys.executable, "-c", LISTENS.format(ports=ports)]
        self.programs.append(subprocess.Popen(command, env=_ENV))
        wanted = {f"0.0.0.0:{port}" for port in ports}
        until(lambda: wanted <= set(self.run("ss -Hltn", road).split()))

    def reaches(self, road, host, port, count=1, user=0):
        """Whether a program in a road's namespace gets so many bytes to a place."""
        account = ["setpriv", "--reuid", str(user), "--clear-groups"] if user else []
        sends = [sys.executable, "-I", "-c", SENDS.format(host=host, port=port, count=count)]
        command = [*self.inside(road), *account, *sends]
        return subprocess.run(command, capture_output=True, check=False, env=_ENV).returncode == 0

    def counter(self, road, name):
        said = self.run(f"nft list counter inet onshore {name}", road)
        return int(re.search(r"bytes (\d+)", said)[1])

    def end(self):
        for program in self.programs:
            program.kill()
            program.wait()
        self.host.stdin.close()
        self.host.stdout.close()
        self.host.wait()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("network"))
    made.listens("abroad", PORT, 8443)
    yield made
    made.end()


def test_the_gate_answers_cars_and_begins_nothing(world):
    world.listens("onshore-gate", 32960, 5432)
    assert world.reaches("abroad", GATE, 32960), "a car reaches the gate, and the gate answers"
    assert not world.reaches("abroad", GATE, 5432), "nothing else there is reached"
    for port in (PORT, 8443):
        assert not world.reaches("onshore-gate", ABROAD, port)
    assert not world.reaches("onshore-gate", BORDER, PORT)
    assert world.counter("onshore-gate", "refused") > 0


def test_the_border_reaches_its_destination_and_nothing_else(world):
    assert world.reaches("onshore-border", ABROAD, PORT)
    assert not world.reaches("onshore-border", ABROAD, 8443), "another port of that host"
    assert not world.reaches("onshore-border", OTHER, PORT), "another host, which listens there"
    assert not world.reaches("onshore-border", GATE, 32960)
    assert world.counter("onshore-border", "refused") > 0


def test_nobody_begins_anything_with_the_border(world):
    world.listens("onshore-border", 443)
    assert not world.reaches("abroad", BORDER, 443)


def test_the_keeper_reaches_nothing(world):
    assert not world.reaches("onshore-keep", ABROAD, PORT)
    assert world.run("ip -br addr", "onshore-keep").split()[0] == "lo"
    assert "eth0" not in world.run("ip -br link", "onshore-keep")


@pytest.mark.parametrize("count", [10_000, 5_000_000])
def test_the_kernels_counter_is_never_below_what_was_sent_and_little_above(world, count):
    before = world.counter("onshore-border", "left")
    assert world.reaches("onshore-border", ABROAD, PORT, count)
    left = world.counter("onshore-border", "left") - before
    assert count < left < 1.2 * count + 2000


def test_without_rules_they_would_reach_it(world):
    """What keeps them in is the recipe: the same namespaces without its tables are open."""
    world.run("nft delete table inet onshore", "onshore-gate")
    try:
        assert world.reaches("onshore-gate", ABROAD, PORT)
    finally:
        world.run("nft -f gate.nft", "onshore-gate")
    assert not world.reaches("onshore-gate", ABROAD, PORT)


def test_accounts_on_one_network_are_told_apart(world):
    runs = subprocess.run(
        ["setpriv", "--reuid", "4001", sys.executable, "-I", "-c", ""], capture_output=True, check=False
    )
    if runs.returncode:
        pytest.skip("the Python that runs these tests may be run by root alone")
    text = fence("by-user.nft")
    for name, number in ACCOUNTS.items():
        text = text.replace(f'"{name}"', str(number))
    (world.folder / "by-user.nft").write_text(text)
    world.run("nft -f by-user.nft")
    reached = {
        (name, port)
        for name, user in ACCOUNTS.items()
        for port in (PORT, 8443)
        if world.reaches(None, ABROAD, port, user=user)
    }
    assert reached == {("onshore-border", PORT)}
    assert world.reaches(None, ABROAD, 8443), "others on this machine are nobody's business here"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", ["onshore@.service", "onshore-network.service"])
def test_the_units_are_units(tmp_path, name):
    text = fence(name).replace("/opt/onshore/bin/onshore", "/bin/true").replace("User=onshore\n", "")
    unit = tmp_path / name.replace("@.", "@gate.")
    unit.write_text(text)
    (tmp_path / "onshore-network.service").write_text(fence("onshore-network.service"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "onshore" in line]
    assert not said, said
