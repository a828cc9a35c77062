"""Signed packs: a pack of rules as it lies on disk, the note beside it, and whose signature that bears."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from onshore.ledger.note import Unreadable, Wrong, open_note
from onshore.ledger.signer import Signer
from onshore.rules.pack import Pack, parse
from onshore.rules.standing import is_draft
from onshore.words.errors import Broken, Malformed, Refusal

PACK, NOTE, CASES = "pack.toml", "pack.note", "cases.toml"


@dataclass(frozen=True)
class PackFile:
    """A pack's text, the signed note beside it (None where there is none), its cases, and where all that lies."""

    text: str
    note: str | None
    cases: str | None
    where: str

    @property
    def digest(self) -> str:
        """The sha256 of the text, hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def pack(self) -> Pack:
        """The pack, read; Malformed names file, line and key."""
        return parse(self.text, self.where)


def words_of(file: PackFile) -> str:
    """What whoever signs a pack says: its id and the digest of its bytes."""
    return f"onshore pack\n{file.pack().id}\nsha256:{file.digest}\n"


def signed(file: PackFile, signer: Signer) -> str:
    """The note to lay beside a pack."""
    return signer.sign(words_of(file))


def signers(file: PackFile, keys: Collection[str]) -> tuple[str, ...]:
    """Names of those among `keys` (verifier keys) who signed this very pack; none where there is no note.

    Broken where a signature by one of them does not hold, or where the note is about other bytes.
    """
    if file.note is None or not keys:
        return ()
    try:
        note = open_note(file.note, keys)
    except Unreadable as error:
        raise Malformed(str(error), where="site.toml: rules.signers") from None
    except Wrong as wrong:
        if wrong.what == "no key that you trust has signed it":
            return ()
        raise Broken(f"the note beside {file.where}: {wrong.what}; take the pack and its note again") from None
    if note.text != words_of(file):
        raise Broken(f"{file.where} is not what its note was signed for; it was altered, or the note belongs elsewhere")
    return tuple(key.name for key in note.signers)


def obeyed(file: PackFile, keys: Collection[str]) -> Pack:
    """The pack, where a site may obey it: signed by one of `keys`, and no draft. Refuses any other."""
    pack = file.pack()
    if is_draft(pack):
        raise Refusal(
            "draft-rules",
            f"{pack.id} is a draft; it may be checked and replayed, never obeyed",
            remedy="name the version that is in force in site.toml",
        )
    if not signers(file, keys):
        raise Refusal(
            "unsigned-rules",
            f"nobody whose key stands in site.toml signed {pack.id}; it may be checked and replayed, never obeyed",
            remedy="have it signed ('onshore rules sign'), or name the signer's key in [rules] signers of site.toml",
        )
    return pack


def known(folder: Path) -> list[PackFile]:
    """Every pack that ships or lies in a site's own `folder`; the site's own last."""
    return [*map(shipped, shipped_names()), *(in_folder(path) for path in sorted(folder.rglob(PACK)))]


@cache
def shipped_names() -> tuple[str, ...]:
    """Names of the packs that this release ships, such as "cn/2026-02"."""
    return tuple(
        f"{jurisdiction.name}/{version.name}"
        for jurisdiction in _folders(_shelf())
        for version in _folders(jurisdiction)
        if version.joinpath(PACK).is_file()
    )


@cache
def shipped(name: str) -> PackFile:
    """A pack that this release ships; refuses a name that it does not know."""
    if name not in shipped_names():
        raise Refusal(
            "no-rule-pack", f"this release ships no pack '{name}'", remedy="'onshore rules list' names those it ships"
        )
    return _read(_shelf().joinpath(*name.split("/")), name)


def in_folder(path: Path) -> PackFile:
    """A pack under a person's own hands: its folder or its file; Malformed where nothing can be read there."""
    folder = path.parent if path.is_file() else path
    file = path if path.is_file() else path / PACK
    if not file.is_file():
        raise Malformed(f"there is no {PACK} here", where=str(path))
    return _read(folder, str(file), file)


def below(folder: Path) -> list[PackFile]:
    """Every pack in a folder or below it, by path; Malformed where there is none."""
    found = [in_folder(path) for path in sorted(folder.rglob(PACK))]
    if not found:
        raise Malformed(f"there is no {PACK} here or below", where=str(folder))
    return found


def release_key() -> str:
    """The verifier key of whoever releases Onshore: what signs the packs that ship."""
    return _shelf().joinpath("release.vkey").read_text(encoding="utf-8").strip()


def _shelf() -> Traversable:
    return resources.files("onshore.rules").joinpath("packs")


def _folders(place: Traversable) -> Iterator[Traversable]:
    yield from sorted((p for p in place.iterdir() if p.is_dir()), key=lambda p: p.name)


def _read(folder: Traversable, where: str, file: Traversable | None = None) -> PackFile:
    def text(name: str) -> str | None:
        found = folder.joinpath(name)
        return found.read_text(encoding="utf-8") if found.is_file() else None

    try:
        whole = (file or folder.joinpath(PACK)).read_text(encoding="utf-8")
        return PackFile(whole, text(NOTE), text(CASES), where)
    except UnicodeDecodeError as error:
        raise Malformed("it is not UTF-8", where=where) from error
