"""The audit hook: a connection outwards that no module may open is refused while the program runs."""

import asyncio
import functools
import sys
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any, NoReturn

import uvloop

from onshore.words.errors import Broken

_MAY_CONNECT = frozenset({"send", "client", "simulate"})
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.exec", "os.spawn", "os.system", "pty.spawn"})
"""Another program would connect unseen; of ours only the demo starts one, the verifier that ships alone."""

_MAY_START = frozenset({"story"})

_PAPERS = "onshore.vault.client"
_LISTED = {"onshore.gate.forward.client": frozenset[tuple[str, int]](), _PAPERS: frozenset[tuple[str, int]]()}
"""Modules that connect to places of the settings alone, each with its hosts and ports."""


def listed(module: str, places: Collection[tuple[str, int]]) -> None:
    """From now on a module connects to these hosts and ports and to no other; before it connects to none."""
    _LISTED[module] = frozenset(places)


def shut_the_border(add_hook: Callable[[Callable[[str, tuple[Any, ...]], None]], None]) -> None:
    """Install the hook (`sys.addaudithook`): it holds for the life of the process and cannot be taken out.

    It shows at run time what import contracts cannot: which module of ours asked for the connection. uvloop connects
    in C, unseen by the interpreter, so its way out is guarded by name.
    """
    add_hook(_hook)
    for way in ("create_connection", "create_datagram_endpoint", "create_unix_connection"):
        for loop in (uvloop.Loop, asyncio.BaseEventLoop):
            if hasattr(loop, way):
                setattr(loop, way, _guarded(getattr(loop, way)))


def _guarded(way: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(way)
    def checked(*args: Any, **kwargs: Any) -> Any:
        module = _refuse_unless(_MAY_CONNECT, "open a connection outwards")
        if module in _LISTED and _place(*args, **kwargs) not in _LISTED[module]:
            _refuse_place(module)
        return way(*args, **kwargs)

    return checked


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTS:
        module = _refuse_unless(_MAY_CONNECT, "open a connection outwards")
        if module in _LISTED and not _is_listed(arguments[1], _LISTED[module]):
            _refuse_place(module)
    elif event == "socket.getaddrinfo":
        module = _asking(sys._getframe(1))  # noqa: SLF001 (as below)
        if module == _PAPERS and arguments[:2] not in _LISTED[module]:
            _refuse_place(module)
    elif event == "onshore.listed" and _asking(sys._getframe(1)) == "onshore.site":  # noqa: SLF001 (as below)
        listed(arguments[0], {*_LISTED[arguments[0]], arguments[1]})
    elif event in _STARTS:
        _refuse_unless(_MAY_START, "start another program")


def _is_listed(address: tuple[Any, ...] | str | bytes, places: Collection[tuple[str, int]]) -> bool:
    """Whether that is one of these places: a socket's path, or, its name being resolved by now, a port."""
    if isinstance(address, tuple):
        return address[1] in {port for _, port in places if port}
    return (address, 0) in places


def _refuse_place(module: str) -> NoReturn:
    raise Broken(f"{module} tried to connect to a place that site.toml does not list; it was stopped")


def _place(_loop: Any, _factory: Any, host: Any = None, port: Any = None, *_more: Any, **_named: Any) -> Any:
    return host, port


def _refuse_unless(may: frozenset[str], what: str) -> str:
    module = _asking(sys._getframe(2))  # noqa: SLF001 (the only way to see who asks)
    if module.rpartition(".")[2] not in may:
        raise Broken(f"{module or 'a module that is not ours'} tried to {what}; it was stopped")
    return module


def _asking(frame: FrameType | None) -> str:
    """The innermost module of ours on the stack; empty where there is none."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("onshore.") and name != __name__:
            return name
        frame = frame.f_back
    return ""
