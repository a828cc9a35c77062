"""The rulebook: a pack's verdicts on collecting, compiled to what the sieve needs per column."""

from collections.abc import Collection, Mapping

from onshore.rules.pack import Pack
from onshore.rules.persons import separate_categories
from onshore.words.catalogue import Signal, carried_by
from onshore.words.place import HERE
from onshore.words.rulebook import Rulebook


def compile_rulebook(pack: Pack, catalogue: Mapping[str, Signal], digest: str, memos: Collection[str] = ()) -> Rulebook:
    """Compile for signals of the catalogue. `digest`: sha256 of the pack's bytes, hex.

    `memos`: categories for which the site holds a written necessity memo; without it none serves any purpose
    (Automotive Data Provisions, Art. 9). Categories that leave the car only masked are left out: a column
    cannot show that it was masked, so such pictures never enter by a batch.

    `pack.as_of(day)` compiles what stands on a day; the whole pack asks already for what begins later, so a site
    compiles anew when the day changes. Of a draft by which no consent stands without an end this is not shown.
    """
    masked = pack.collect.must_mask.categories if pack.collect.must_mask else ()
    category = {name: signal.category for name, signal in catalogue.items() if signal.category not in masked}
    return Rulebook(
        pack=pack.id,
        digest=digest,
        category=category,
        statutory=_statutory(pack, catalogue, category),
        separate=frozenset(separate_categories(pack)),
        only_for=_only_for(pack, memos),
        zoned=frozenset(pack.collect.restricted_zone.categories) if pack.collect.restricted_zone else frozenset(),
        places={name: catalogue[name].place for name in category if catalogue[name].place != HERE},
    )


def _statutory(pack: Pack, catalogue: Mapping[str, Signal], category: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Door to the signals that its statutory units carry, of the categories that the ground covers."""
    ground = pack.grounds.statutory
    if ground is None:
        return {}
    covered = {
        name for name in category if ground.categories is None or category[name] in ground.categories
    } - _limited(pack, category)
    return {door: carried_by(catalogue, frozenset(units)) & covered for door, units in ground.doors.items()}


def _limited(pack: Pack, category: Mapping[str, str]) -> set[str]:
    """Signals of categories that serve some purposes alone, none of which is statutory."""
    limit = pack.consent.biometric_not_for_safety
    return {name for name in category if limit and category[name] in limit.categories}


def _only_for(pack: Pack, memos: Collection[str]) -> dict[str, frozenset[str]]:
    limit = pack.consent.biometric_not_for_safety
    if limit is None:
        return {}
    return {
        category: frozenset(limit.purposes) if not limit.memo or category in memos else frozenset()
        for category in limit.categories
    }
