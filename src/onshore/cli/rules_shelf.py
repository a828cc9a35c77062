"""The packs that a rules command works with: those that ship, and those under a person's own hands."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.ledger.packs import PackFile
    from onshore.rules.pack import Pack

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Packs:
    """Packs given by hand stand for their jurisdiction, instead of all that ship for it."""

    given: tuple[Path, ...]
    folder: Path | None

    def by_hand(self) -> "list[PackFile]":
        """The packs given."""
        from onshore.ledger import packs

        return [packs.in_folder(path) for path in self.given] + (packs.below(self.folder) if self.folder else [])

    def files(self) -> "list[PackFile]":
        """Every pack: those given, then those that ship for other jurisdictions."""
        from onshore.ledger import packs

        own = self.by_hand()
        mine = {file.pack().jurisdiction for file in own}
        ships = [packs.shipped(name) for name in packs.shipped_names()]
        return own + [file for file in ships if file.pack().jurisdiction not in mine]

    def packs(self) -> "list[Pack]":
        """Every pack, read; a draft only where it was given by hand."""
        from onshore.rules.standing import is_draft

        ours = bool(self.given or self.folder)
        return [pack for file in self.files() if not is_draft(pack := file.pack()) or ours]

    def named(self, name: str) -> "PackFile":
        """A pack by its name, or by the path of its file or folder."""
        from onshore.ledger import packs

        found = next((file for file in self.files() if file.pack().id == name), None)
        if found is not None:
            return found
        return packs.in_folder(Path(name)) if Path(name).exists() else packs.shipped(name)

    def own_books(self) -> "list[tuple[str, str, list[Pack]]]":
        """The cases that packs bring along: where, text, and the packs that judge (a draft judges its own alone)."""
        from onshore.rules.standing import is_draft

        files, known = self.by_hand() or self.files(), self.packs()
        return [
            (f"{file.where}: cases", file.cases, [pack] if is_draft(pack := file.pack()) else known)
            for file in files
            if file.cases is not None
        ]

    @staticmethod
    def signed_by(file: "PackFile") -> list[str]:
        """Who signed a pack, as far as the release's own key can tell; Broken where the note is wrong."""
        from onshore.ledger import packs

        return list(packs.signers(file, [packs.release_key()]))

    @staticmethod
    def text_of(file: Path) -> str:
        """A book's text; Malformed where it cannot be read."""
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise Malformed(f"it cannot be read: {why}", where=str(file)) from None


def packs_option(command: Command) -> Command:
    """Options `--pack` and `--packs`, handed to the command as `packs`."""

    @click.option(
        "--pack", "given", multiple=True, type=click.Path(path_type=Path), help="A pack's file, for its jurisdiction."
    )
    @click.option("--packs", "folder", type=click.Path(path_type=Path, file_okay=False), help="A folder of packs.")
    @functools.wraps(command)
    def run(*args: Any, given: tuple[Path, ...], folder: Path | None, **kwargs: Any) -> Any:
        return command(*args, packs=Packs(given, folder), **kwargs)

    return run  # type: ignore[return-value] # wraps keeps the signature that click reads
