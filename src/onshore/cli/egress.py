"""The audit hook: a connection outwards that no module may open is refused while the program runs."""

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvloop

from onshore.words.errors import Broken

_MAY_CONNECT = frozenset({"send", "client", "simulate"})
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.exec", "os.spawn", "os.system", "pty.spawn"})
"""Another program would connect unseen; of ours only the demo starts one, the verifier that ships alone."""

_MAY_START = frozenset({"story"})


def shut_the_border(add_hook: Callable[[Callable[[str, tuple[Any, ...]], None]], None]) -> None:
    """Install the hook (`sys.addaudithook`): it holds for the life of the process and cannot be taken out.

    It shows at run time what import contracts cannot: which module of ours asked for the connection. uvloop connects
    in C, unseen by the interpreter, so its way out is guarded by name.
    """
    add_hook(_hook)
    for way in ("create_connection", "create_datagram_endpoint", "create_unix_connection"):
        setattr(uvloop.Loop, way, _guarded(getattr(uvloop.Loop, way)))


def _guarded(way: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(way)
    def checked(*args: Any, **kwargs: Any) -> Any:
        _refuse_unless(_MAY_CONNECT, "open a connection outwards")
        return way(*args, **kwargs)

    return checked


def _hook(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTS:
        _refuse_unless(_MAY_CONNECT, "open a connection outwards")
    elif event in _STARTS:
        _refuse_unless(_MAY_START, "start another program")


def _refuse_unless(may: frozenset[str], what: str) -> None:
    module = _asking(sys._getframe(2))  # noqa: SLF001 (the only way to see who asks)
    if module.rpartition(".")[2] not in may:
        raise Broken(f"{module or 'a module that is not ours'} tried to {what}; it was stopped")


def _asking(frame: FrameType | None) -> str:
    """The innermost module of ours on the stack; empty where there is none."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("onshore.") and name != __name__:
            return name
        frame = frame.f_back
    return ""
