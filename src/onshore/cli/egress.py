"""The audit hook: a connection outwards that no module may open is refused while the program runs."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from onshore.words.errors import Broken

_MAY_CONNECT = frozenset({"send", "client", "simulate"})
_WATCHED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


def shut_the_border(add_hook: Callable[[Callable[[str, tuple[Any, ...]], None]], None]) -> None:
    """Install the hook (`sys.addaudithook`): it holds for the life of the process and cannot be taken out.

    It shows at run time what import contracts cannot: which module of ours asked for the connection.
    """
    add_hook(_hook)


def _hook(event: str, _arguments: tuple[Any, ...]) -> None:
    if event not in _WATCHED:
        return
    module = _asking(sys._getframe(1))  # noqa: SLF001 (the only way to see who asks)
    if module.rpartition(".")[2] not in _MAY_CONNECT:
        raise Broken(f"{module or 'a module that is not ours'} tried to open a connection outwards; none was made")


def _asking(frame: FrameType | None) -> str:
    """The innermost module of ours on the stack; empty where there is none."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("onshore.") and name != __name__:
            return name
        frame = frame.f_back
    return ""
