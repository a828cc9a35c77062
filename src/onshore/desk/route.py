"""Route: one line of the desk's table: a path, who may ask for it, and the function that answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from onshore.desk.asked import Asked
from onshore.desk.page import Answer
from onshore.desk.who import NOBODY, ROLES, Who
from onshore.site import Site
from onshore.words.errors import Broken

EVERYBODY: tuple[str, ...] = ROLES
"""Whoever has signed in."""
ANYBODY: tuple[str, ...] = (*ROLES, NOBODY)
"""Whoever has, and whoever has not."""

Act = Callable[[Site, Who, Asked], Answer]

_PATH = re.compile(r"/|(/[a-z0-9-]+|/\{[a-z_]+\})+")
_FORM = 64 << 10  # bytes of a form without files


@dataclass(frozen=True)
class Route:
    """A path such as "/officer/cases/{case}", its roles, and who answers: a page for GET, an act for POST.

    `nav`: the text under which the navigation of its roles shows it; empty: not there. `file`: it answers with a file,
    which has no twin. `most`: bytes that a form may have. `few`: times a minute that one address may ask at most; 0: as
    often as for everything. `maps`: its page runs a script beside it (MapLibre).
    """

    path: str
    act: Act
    roles: tuple[str, ...]
    method: Literal["GET", "POST"] = "GET"
    nav: str = ""
    file: bool = False
    most: int = _FORM
    few: int = 0
    maps: bool = False

    def __post_init__(self) -> None:
        if not self.roles or not set(self.roles) <= set(ANYBODY):
            raise Broken(f"the route {self.method} {self.path} does not say whose it is: {', '.join(ANYBODY)}")
        if not _PATH.fullmatch(self.path):
            raise Broken(f"the route {self.path} is no path of small letters and {{parameters}}")

    @property
    def twin(self) -> str:
        """The path under which the same data is JSON."""
        return "/index.json" if self.path == "/" else f"{self.path}.json"

    @property
    def area(self) -> str:
        """Whose texts it speaks: the role that its path begins with, else "common"."""
        first = self.path.split("/")[1]
        return first if first in ROLES else "common"
