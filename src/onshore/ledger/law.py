"""The law that a site obeys: its packs day by day as counsel reads them, and the packs of others that it asks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from onshore.ledger import packs
from onshore.ledger.entry import digest
from onshore.rules import switches
from onshore.rules.judge import STALE_RULES
from onshore.rules.pack import Pack
from onshore.rules.rulebook import compile_rulebook
from onshore.rules.standing import is_draft
from onshore.words.catalogue import Signal
from onshore.words.errors import Broken, Malformed, Refusal
from onshore.words.lines import place
from onshore.words.rulebook import Rulebook
from onshore.words.settings import Opinion, Rules, Settings
from onshore.words.strict import BadValueError


@dataclass(frozen=True)
class Version:
    """A pack without the rules that fall away here, the sha256 of its bytes, and the switches that counsel turned."""

    pack: Pack
    digest: str
    lenient: frozenset[str]

    def stands(self, day: date) -> bool:
        """Whether it is in force on a local day."""
        return self.pack.valid_from <= day and (self.pack.valid_until is None or day <= self.pack.valid_until)


class Law:
    """Versions of one jurisdiction's law, each in force by its own days; tables are compiled anew as a day asks it."""

    def __init__(
        self, versions: Sequence[Version], catalogue: Mapping[str, Signal], signers: Collection[str], folder: Path
    ) -> None:
        self._versions = versions
        self._catalogue = catalogue
        self._signers = signers
        self._folder = folder
        self._others: dict[frozenset[str], tuple[Pack, ...]] = {}
        self._last: tuple[date, Rulebook] | None = None

    @property
    def zone(self) -> str:
        """The IANA zone by which days begin and end."""
        return self._versions[0].pack.zone

    @property
    def others(self) -> tuple[Pack, ...]:
        """All packs of other jurisdictions that may be obeyed here, as `concerned` says."""
        return self.concerned({code for pack, _ in self._known for code in pack.home})

    def concerned(self, codes: Collection[str]) -> tuple[Pack, ...]:
        """Packs of others, at home in some of these jurisdictions, that may be obeyed here: signed, and no draft.

        One of the site's own stands for the shipped one of the same id; Broken where a note does not hold.
        """
        asked = frozenset(codes).difference(self._versions[0].pack.home)
        if not asked:
            return ()  # most acts: no pack but the site's own is read for them
        if asked not in self._others:
            concerned = [(pack, file) for pack, file in self._known if not asked.isdisjoint(pack.home)]
            signed = [pack for pack, file in concerned if not is_draft(pack) and packs.signers(file, self._signers)]
            self._others[asked] = tuple({pack.id: pack for pack in signed}.values())
        return self._others[asked]

    def digests(self, day: date, others: Collection[Pack]) -> tuple[str, ...]:
        """The sha256 (hex) of the pack of a local day, then of those of others that `concerned` gave, in order."""
        known = {id(pack): file for pack, file in self._known} if others else {}
        return self.on(day).digest, *(known[id(pack)].digest for pack in others)

    @cached_property
    def _known(self) -> list[tuple[Pack, packs.PackFile]]:
        return [(file.pack(), file) for file in packs.known(self._folder)]

    def on(self, day: date) -> Version:
        """The version that stands on a local day, or stood last; before the first, that one."""
        begun = [version for version in self._versions if version.pack.valid_from <= day]
        return max(begun, key=lambda version: version.pack.valid_from, default=self._versions[0])

    def ahead(self, day: date) -> list[Version]:
        """The version of a local day, and those that begin later."""
        return [self.on(day), *(version for version in self._versions if version.pack.valid_from > day)]

    def rulebook(self, day: date) -> Rulebook:
        """The tables of a local day; refuses (`stale-rules`) where no version is in force, as the judge does."""
        last = self._last  # a batch of the same day asks for nothing more
        if last is not None and last[0] == day:
            return last[1]
        version = self.on(day)
        if not version.stands(day):
            raise Refusal(
                STALE_RULES.code,
                f"{version.pack.id} is not in force on {day}; nothing is kept by it and nothing leaves",
                article=STALE_RULES.article,
                remedy="name the version that is in force in site.toml, as [site] pack or among later",
            )
        tables = compile_rulebook(version.pack.as_of(day), self._catalogue, version.digest)
        self._last = day, tables
        return tables


@dataclass(frozen=True)
class Turned:
    """A switch that the settings turn, the number of counsel's opinion, where that lies, and its digest.

    Without its opinion (`obj` is None) it counts for nothing: the strict reading holds.
    """

    name: str
    opinion: str
    file: Path
    obj: str | None


def turned_here(folder: Path, rules: Rules) -> tuple[Turned, ...]:
    """The switches that settings turn and name an opinion for; `folder`: the site's."""

    def turned(name: str, opinion: Opinion) -> Turned:
        file = folder / opinion.file
        return Turned(name, opinion.number, file, digest(file.read_bytes()) if file.is_file() else None)

    lenient = (name for name, reading in rules.switches.items() if reading == "lenient")
    return tuple(turned(name, rules.opinions[name]) for name in sorted(lenient) if name in rules.opinions)


def read_pack(name: str, signers: Collection[str], folder: Path | None = None) -> tuple[Pack, str]:
    """A rule pack to be obeyed, by its name such as "cn/2026-02", with the sha256 of its bytes.

    It lies in `folder` (a site's own packs) or ships with this release; refuses a draft, and one that none of
    `signers` (verifier keys) signed.
    """
    own = folder / name if folder else None
    file = packs.in_folder(own) if own is not None and own.is_dir() else packs.shipped(name)
    pack = packs.obeyed(file, signers)
    if pack.id != name:
        raise Broken(f"{file.where} says that it is {pack.id}; name it so in site.toml, or take the right pack")
    return pack, file.digest


def read_law(folder: Path, settings: Settings, catalogue: Mapping[str, Signal], held: Collection[str]) -> Law:
    """The packs that the settings name, as this site obeys them; refuses as `read_pack`, and one of another place.

    `held`: switches whose opinion lies here.
    """
    path, rules, own = folder / "site.toml", settings.rules, folder / "packs"
    read = [read_pack(name, rules.signers, own) for name in (settings.site.pack, *settings.site.later)]
    known = {name for pack, _ in read for name in switches.names(pack)}
    numbers = {name: opinion.number for name, opinion in rules.opinions.items()}
    versions = []
    for pack, sha256 in read:
        if settings.site.jurisdiction not in pack.home:
            raise Malformed(
                f"the pack {pack.id} is {pack.jurisdiction}'s, the site stands in {settings.site.jurisdiction}",
                where=str(path),
            )
        mine = {n: r for n, r in rules.switches.items() if n in switches.names(pack) or n not in known}
        try:
            lenient = switches.lenient(pack, mine, numbers).intersection(held)
        except BadValueError as error:
            where = place(str(path), f"rules.switches.{error.where}", path.read_text())
            raise Malformed(error.what, where=where) from None
        versions.append(Version(switches.turned(pack, lenient), sha256, lenient))
    return Law(versions, catalogue, rules.signers, own)
