"""What was asked: the parameters of a path, the fields of a query or form, files; each read with its bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from onshore.words.errors import Malformed

_LONGEST = 4000  # characters of a field, unless more is asked for


@dataclass(frozen=True)
class Sent:
    """A file that came with a form."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Asked:
    """One request. `where`: parameters of the path. `fields`: of the query, or of the form; `files`: of the form.

    `part`: htmx asks, which takes a part of a page. `token`: of the session that it came in, if any.
    """

    path: str
    where: Mapping[str, str] = field(default_factory=dict)
    fields: Sequence[tuple[str, str]] = ()
    files: Mapping[str, Sent] = field(default_factory=dict)
    part: bool = False
    token: str = ""

    def text(self, name: str, default: str | None = None, *, longest: int = _LONGEST) -> str:
        """A field, without blanks around it; Malformed where it is missing, unless there is a default, or too long."""
        found = next((value.strip() for key, value in self.fields if key == name), "")
        if not found:
            if default is None:
                raise Malformed("it is needed", where=name)
            return default
        if len(found) > longest:
            raise Malformed(f"it has at most {longest} characters", where=name)
        return found

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, as of boxes that were ticked."""
        return tuple(value for key, value in self.fields if key == name and value)

    def one_of(self, name: str, among: Sequence[str], default: str | None = None) -> str:
        """A field that is one of some words."""
        found = self.text(name, default)
        if found not in among and found != default:
            raise Malformed(f"it is one of {', '.join(among)}", where=name)
        return found

    def number(self, name: str, default: int | None = None, *, least: int = 0, most: int = 1 << 53) -> int:
        """A whole number within bounds."""
        said = self.text(name, None if default is None else str(default), longest=20)
        if not said.removeprefix("-").isdecimal() or not said.isascii() or not least <= int(said) <= most:
            raise Malformed(f"it is a whole number from {least} to {most}", where=name)
        return int(said)

    def page(self) -> int:
        """Which page of a long list, from 1 on."""
        return self.number("page", 1, least=1, most=1_000_000)

    def file(self, name: str) -> Sent:
        """A file of the form; Malformed where none came."""
        if name not in self.files or not self.files[name].body:
            raise Malformed("a file is needed", where=name)
        return self.files[name]
