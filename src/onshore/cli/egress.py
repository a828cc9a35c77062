"""The audit hook: a connection outwards that no module may open is refused while the program runs, and remembered."""

import asyncio
import functools
import os
import struct
import sys
from collections.abc import Callable, Collection
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import uvloop

from onshore.words.errors import Broken

if TYPE_CHECKING:
    from onshore.site import Site

_PAPERS, _SEND = "onshore.vault.client", "onshore.border.send"
_WITNESSES, _MIRROR = "onshore.ledger.client", "onshore.ledger.mirror.client"
_MAY_CONNECT = frozenset(
    {
        _PAPERS,
        _SEND,
        _WITNESSES,
        _MIRROR,
        "onshore.cli.simulate",
        "onshore.gate.forward.client",
        "onshore.gate.mqtt.client",
    }
)
"""By their whole names: that another module is called the same opens nothing."""

_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKS_UP = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_LOOKS_BACK = frozenset({"socket.gethostbyaddr", "socket.getnameinfo"})
_STARTS = frozenset({"subprocess.Popen", "os.posix_spawn", "os.exec", "os.spawn", "os.system", "pty.spawn"})
"""Another program would connect unseen; of ours only the demo starts one, the verifier that ships alone."""

_MAY_START = frozenset({"onshore.cli.story"})
_LISTED = {
    "onshore.gate.forward.client": frozenset[tuple[str, int]](),
    _PAPERS: frozenset[tuple[str, int]](),
    _SEND: frozenset[tuple[str, int]](),
    _WITNESSES: frozenset[tuple[str, int]](),
    _MIRROR: frozenset[tuple[str, int]](),
}
"""Modules that connect to places of the settings alone (an auditor's, who has none, to the one asked for), each with
its hosts and ports."""

_SAYS = {_PAPERS: "onshore.site", _SEND: "onshore.border.sending.destinations", _WITNESSES: "onshore.site"}
_SAYS |= {_MIRROR: "onshore.cli.ledger"}
"""Who names the places of a module, of those that are named by an audit event."""

_MOST = 100  # of a kind are remembered; whoever tries more often is told of already
_TCP, _TCP_INFO = 6, 11  # of Linux; this module has no socket of its own to take the names from
_INFO = struct.Struct("=144xI52xQQ")  # of Linux's tcp_info: notsent_bytes, bytes_sent, bytes_retrans


class Tried(NamedTuple):
    """A try to get out: of which module of ours ("" for code of others), what it did, bytes that the kernel took."""

    module: str
    what: str
    bytes: int = 0


_TRIED: list[Tried] = []
_UNCOUNTED: dict[int, tuple[str, Any]] = {}
"""Connections that the border opened and nobody counts yet: the inode of each, its module, a handle of our own."""


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


def record(site: "Site") -> None:
    """Write down what was tried in this process, once, with a ledger entry each: here, where commands end.

    The hook itself only remembers: it runs in any thread, in the middle of anything.
    """
    found = [*_TRIED, *_past()]
    _TRIED.clear()
    if found:
        from onshore.border.sending.attempts import note

        note(site, found)


def _past() -> list[Tried]:
    """What went over connections that the border opened beside the one module that counts, as the kernel counts it."""
    found = []
    for module, ours in _UNCOUNTED.values():
        info = ours.getsockopt(_TCP, _TCP_INFO, _INFO.size)
        ours.close()
        waits, sent, again = _INFO.unpack(info.ljust(_INFO.size, b"\0"))
        if took := waits + sent - again:  # nobody answered there, else
            found.append(Tried(module, "uncounted", took))
    _UNCOUNTED.clear()
    return found


def _guarded(way: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(way)
    def checked(*args: Any, **kwargs: Any) -> Any:
        module = _refuse_unless(_MAY_CONNECT, "connect", "open a connection outwards")
        if module == _SEND:
            _stop(Tried(module, "connect"), f"{module} tried to open a connection where nobody counts its bytes")
        if module in _LISTED and _place(*args, **kwargs) not in _LISTED[module]:
            _refuse_place(module)
        return way(*args, **kwargs)

    return checked


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTS:
        module = _refuse_unless(_MAY_CONNECT, "connect", "open a connection outwards")
        if module in _LISTED and not _is_listed(arguments[1], _LISTED[module]):
            _refuse_place(module)
        if module == _SEND:
            _watch(module, arguments[0])
    elif event in _LOOKS_UP:
        _look_up(arguments[0], arguments[:2])
    elif event in _LOOKS_BACK:
        _refuse_unless(_MAY_CONNECT, "connect", "ask for the name of a host")
    elif event == "onshore.listed" and _asking(sys._getframe(1)) == _SAYS.get(arguments[0]):  # noqa: SLF001 (as below)
        listed(arguments[0], {*_LISTED[arguments[0]], arguments[1]})
    elif event == "onshore.counted" and _asking(sys._getframe(1)) == _SEND:  # noqa: SLF001 (as below)
        _, ours = _UNCOUNTED.pop(os.fstat(arguments[0].fileno()).st_ino, ("", None))
        if ours is not None:
            ours.close()
    elif event in _STARTS:
        _refuse_unless(_MAY_START, "start", "start another program")


def _look_up(name: Any, place: tuple[Any, ...]) -> None:
    """Whether a name may be asked for: a question to DNS is a message to whoever answers for that name."""
    module = _asking(sys._getframe(2))  # noqa: SLF001 (as below)
    if module in _SAYS and place not in _LISTED[module]:
        _refuse_place(module)
    named = {listed[0] for places in _LISTED.values() for listed in places}
    if name and name not in named and not _is_here(name):
        _refuse_unless(_MAY_CONNECT, "connect", "ask for the address of a host", deeper=1)


def _is_here(name: Any) -> bool:
    """Whether no other machine is asked for the address of this name."""
    said = name.decode("latin-1") if isinstance(name, bytes) else str(name)
    return said == "localhost" or ":" in said or said.replace(".", "").isdigit()


def _watch(module: str, sock: Any) -> None:
    """Keep a socket of the border in sight until it is counted, even after whoever opened it has closed it."""
    if len(_UNCOUNTED) >= _MOST:
        _stop(Tried(module, "connect"), f"{module} opened too many connections that nobody counts")
    inode = os.fstat(sock.fileno()).st_ino
    if inode not in _UNCOUNTED:
        plain = sys.modules["_socket"].socket  # whatever class the socket is of, it is one of these
        _UNCOUNTED[inode] = module, plain(fileno=os.dup(sock.fileno()))


def _is_listed(address: tuple[Any, ...] | str | bytes, places: Collection[tuple[str, int]]) -> bool:
    """Whether that is one of these places: a socket's path, or, its name being resolved by now, a port."""
    if isinstance(address, tuple):
        return address[1] in {port for _, port in places if port}
    return (address, 0) in places


def _refuse_place(module: str) -> NoReturn:
    _stop(Tried(module, "place"), f"{module} tried to connect to a place that site.toml does not list")


def _stop(tried: Tried, says: str) -> NoReturn:
    if len(_TRIED) < _MOST:
        _TRIED.append(tried)
    raise Broken(f"{says}; it was stopped")


def _place(_loop: Any, _factory: Any, host: Any = None, port: Any = None, *_more: Any, **_named: Any) -> Any:
    return host, port


def _refuse_unless(may: frozenset[str], what: str, says: str, *, deeper: int = 0) -> str:
    module = _asking(sys._getframe(2 + deeper))  # noqa: SLF001 (the only way to see who asks)
    if module not in may:
        _stop(Tried(module, what), f"{module or 'a module that is not ours'} tried to {says}")
    return module


def _asking(frame: FrameType | None) -> str:
    """The innermost module of ours on the stack; empty where there is none."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("onshore.") and name != __name__:
            return name
        frame = frame.f_back
    return ""
