"""Kill a process at each of its writes, or let the disk fail there: strace counts them, then strikes at the k-th.

An act is a function of a site's folder, run in a process of its own to which strace is attached before it begins.
`traced` tells how often it makes each system call that changes the disk; `struck` runs it once more and has the k-th of
one of them answered with SIGKILL, or with an error. Needs no preload and nothing in the code.
"""

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import waiting
from forks import FORKS

STRACE = shutil.which("strace")
CALLS = (
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "ftruncate",
    "truncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "link",
    "linkat",
    "mkdir",
    "mkdirat",
    "rmdir",
)
"""System calls that change what is on the disk; of those that a machine lacks strace says nothing."""

FILLING = ("write", "pwrite64", "writev", "pwritev", "ftruncate", "fallocate", "mkdir", "mkdirat", "rename", "fsync")
"""Those that fail where a disk is full."""

_ANYBODY = ctypes.c_ulong(-1)
_PTRACER = 0x59616D61  # PR_SET_PTRACER: strace is no parent of ours (Documentation/admin-guide/LSM/Yama.rst)
_FAILED = 3
_PATIENCE = 120  # seconds

HUNG = "it neither ended nor failed"


@dataclass(frozen=True)
class Strike:
    """At the `at`-th of these calls of an act; `error`: fail with it, from then `on` or once. None: be killed."""

    call: str
    at: int
    error: str | None = None
    on: bool = False

    @property
    def inject(self) -> str:
        """As strace takes it."""
        what = f"error={self.error}" if self.error else "signal=SIGKILL"
        return f"inject={self.call}:{what}:when={self.at}{'+' if self.on else ''}"


@dataclass(frozen=True)
class Came:
    """How the process of an act ended: it was killed, failed (with what was raised) or did all of it."""

    killed: bool
    failed: str


def traced(act: Callable[[Path], object], folder: Path, log: Path) -> Counter[str]:
    """How often an act makes each of the calls, done once to a folder."""
    came = _run(act, folder, ["-o", str(log), "-e", f"trace={_set(CALLS)}"])
    assert came == Came(killed=False, failed=""), came
    return Counter(re.findall(r"^(?:\d+ +)?(\w+)\(", log.read_text(), re.MULTILINE))


def struck(act: Callable[[Path], object], folder: Path, strike: Strike) -> Came:
    """Do an act to a folder and strike."""
    return _run(act, folder, ["-o", "/dev/null", "-e", f"trace=?{strike.call}", "-e", strike.inject])


def _set(calls: tuple[str, ...]) -> str:
    return ",".join(f"?{call}" for call in calls)


def _run(act: Callable[[Path], object], folder: Path, options: list[str]) -> Came:
    assert STRACE is not None
    said = folder.parent / "said"
    said.unlink(missing_ok=True)
    child = FORKS.Process(target=_act, args=(act, folder, said))
    child.start()
    tracer = subprocess.Popen([STRACE, "-f", "-qq", "-p", str(child.pid), *options], stderr=subprocess.DEVNULL)
    child.join(_PATIENCE)
    if child.exitcode is None:
        child.kill()
        child.join()
        tracer.wait()
        return Came(killed=False, failed=HUNG)
    tracer.wait()
    assert child.exitcode in {0, _FAILED, -signal.SIGKILL}, child.exitcode
    killed = child.exitcode == -signal.SIGKILL
    return Came(killed, "" if killed or child.exitcode == 0 else said.read_text() if said.exists() else "unsaid")


def _act(act: Callable[[Path], object], folder: Path, said: Path) -> None:
    ctypes.CDLL(None).prctl(_PTRACER, _ANYBODY, 0, 0, 0)
    waiting.until(_is_traced, pause=0.001)
    try:
        act(folder)
    except BaseException:  # noqa: BLE001 - whatever it is, how it ended is what is asked
        try:
            said.write_text(traceback.format_exc())
        except OSError:
            os._exit(_FAILED)
        os._exit(_FAILED)
    sys.stdout.flush()
    os._exit(0)


def _is_traced() -> bool:
    return not re.search(r"^TracerPid:\t0$", Path("/proc/self/status").read_text(), re.MULTILINE)
