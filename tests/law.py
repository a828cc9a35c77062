"""The pack and the catalogue as they ship, instants to judge at, and what the judge says then."""

import functools
from datetime import datetime
from pathlib import Path

from onshore.rules.acts import Act, Facts
from onshore.rules.explaining import letter
from onshore.rules.judge import judge
from onshore.rules.pack import Pack
from onshore.rules.pack import parse as parse_pack
from onshore.words.catalogue import Signal
from onshore.words.catalogue import parse as parse_catalogue
from onshore.words.verdict import Verdict

SOURCE = Path(__file__).parent.parent / "src" / "onshore"
CN_PACK = SOURCE / "rules" / "packs" / "cn" / "2026-02" / "pack.toml"
PACKS = SOURCE / "rules" / "packs"
CATALOGUE = SOURCE / "words" / "catalogue.toml"


def ms(text: str) -> int:
    """An instant with offset, ISO 8601, as milliseconds UTC."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


AT = ms("2026-06-15T12:00:00+08:00")


@functools.cache
def cn_pack() -> Pack:
    return parse_pack(CN_PACK.read_text("utf-8"), "cn/2026-02")


@functools.cache
def packs() -> tuple[Pack, ...]:
    """Every pack that ships, by its id."""
    found = sorted(PACKS.glob("*/*/pack.toml"))
    return tuple(parse_pack(path.read_text("utf-8"), "/".join(path.parts[-3:-1])) for path in found)


def pack(name: str) -> Pack:
    return next(found for found in packs() if found.id == name)


@functools.cache
def catalogue() -> dict[str, Signal]:
    return parse_catalogue(CATALOGUE.read_text("utf-8"))


def told(act: Act, facts: Facts, pack: Pack | None = None, here: str = "CN") -> str:
    """The letter that explains the judge's word."""
    own = pack or cn_pack()
    return "\n".join(letter(act, facts, here, [own], lambda a, f: judge(a, f, own)))


def by_cn(act: Act, facts: Facts) -> Verdict:
    """The word of China's pack."""
    return judge(act, facts, cn_pack())
