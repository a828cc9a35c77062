"""Switches: readings of the law that counsel of a site decides; strict until an opinion is recorded."""

from collections.abc import Collection, Mapping

from onshore.rules.pack import Pack
from onshore.rules.parts import changed
from onshore.words.settings import Reading
from onshore.words.strict import BadValueError

ART3_5 = "strict_art3_5"
"""The fact of the scenario book by which the scale of Art. 3(5) is read; its paper is counsel's opinion."""


def names(pack: Pack) -> tuple[str, ...]:
    """The switches that a pack knows."""
    scale = pack.classes.important_scale
    own = tuple(switch.name for switch in pack.switch)
    return own if scale is None or not scale.unless_papers or ART3_5 in own else (*own, ART3_5)


def lenient(pack: Pack, switches: Mapping[str, Reading], opinions: Mapping[str, str]) -> frozenset[str]:
    """The switches that a site has turned; refuses one that the pack does not know, or without a recorded opinion."""
    known = names(pack)
    for name in switches:
        if name not in known:
            raise BadValueError(f"{pack.id} has no such switch; it has: {', '.join(known) or 'none'}", where=name)
    turned_ones = frozenset(name for name, reading in switches.items() if reading == "lenient")
    for name in sorted(turned_ones):
        if not opinions.get(name, "").strip():
            raise BadValueError(
                f"it is turned only with counsel's recorded opinion: name it in [rules.opinions] as {name}", where=name
            )
    return turned_ones


def turned(pack: Pack, lenient_ones: Collection[str]) -> Pack:
    """The pack without the rules that fall away with these switches."""
    if not lenient_ones:
        return pack
    found: Pack = changed(pack, lambda rule: None if rule.switch in lenient_ones else rule)
    return found


def opinion_papers(pack: Pack, lenient_ones: Collection[str]) -> frozenset[str]:
    """Papers that are on file with a recorded opinion: those on which the scale of Art. 3(5) gives way."""
    scale = pack.classes.important_scale
    return frozenset(scale.unless_papers) if scale is not None and ART3_5 in lenient_ones else frozenset()
