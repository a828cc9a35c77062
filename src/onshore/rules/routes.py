"""Routes: how many persons have left this year, and which route that makes necessary."""

from dataclasses import dataclass

from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Route
from onshore.words.verdict import Counter


@dataclass(frozen=True)
class Load:
    """What a transfer carries in law, and how many distinct persons that makes this year, itself included."""

    personal: bool
    sensitive: bool
    important: bool
    ordinary_persons: int
    sensitive_persons: int


def weigh(act: TransferAsked, facts: Facts, pack: Pack) -> Load:
    """What the transfer carries. Sensitive information is of one person at least, however many are new."""
    classes = pack.classes
    sensitive = bool(set(act.categories) & set(classes.sensitive.categories))
    ordinary = bool(set(act.categories) & set(classes.personal.categories))
    sensitive_persons = facts.exported.sensitive + (act.new_persons if sensitive else 0)
    return Load(
        personal=sensitive or ordinary,
        sensitive=sensitive,
        important=_important(act, facts, pack, personal=sensitive or ordinary),
        ordinary_persons=facts.exported.ordinary + (act.new_persons if ordinary else 0),
        sensitive_persons=max(sensitive_persons, int(sensitive)),
    )


def needed(load: Load, facts: Facts, pack: Pack, *, with_group: bool = False) -> int:
    """Index of the strictest route that is necessary; `with_group` adds what sister companies sent."""
    group = facts.group_exports if with_group else None
    ordinary = load.ordinary_persons + (group.ordinary if group else 0)
    sensitive = load.sensitive_persons + (group.sensitive if group else 0)
    found = 0
    for index, route in enumerate(pack.transfer.route):
        if (
            _reached(route.ordinary_from, ordinary)
            or _reached(route.sensitive_from, sensitive)
            or (route.important and load.important)
            or (route.critical_operator and facts.critical_operator)
        ):
            found = index
    return found


def sufficient(index: int, facts: Facts, pack: Pack) -> bool:
    """Whether a paper for this route or a stricter one is on file."""
    routes = pack.transfer.route[index:]
    return not routes[0].papers or any(facts.papers & set(route.papers) for route in routes)


def counters(load: Load, pack: Pack) -> tuple[Counter, ...]:
    """How far each count is from the next threshold above it."""
    routes = pack.transfer.route
    return (
        _counter("ordinary", load.ordinary_persons, [route.ordinary_from for route in routes]),
        _counter("sensitive", load.sensitive_persons, [route.sensitive_from for route in routes]),
    )


def find(name: str, pack: Pack) -> tuple[int, Route] | None:
    """A route of the pack by its name, with its index."""
    return next(((i, route) for i, route in enumerate(pack.transfer.route) if route.id == name), None)


def _important(act: TransferAsked, facts: Facts, pack: Pack, *, personal: bool) -> bool:
    classes = pack.classes
    if classes.important and set(act.categories) & set(classes.important.categories):
        return True
    if act.near_sensitive_site and classes.important_sites:
        return True
    scale = classes.important_scale
    if scale is None or not personal:
        return False
    lenient = not facts.strict_art3_5 and bool(facts.papers & set(scale.unless_papers))
    return not lenient and max(act.subjects_in_dataset, act.new_persons) > scale.more_than


def _reached(threshold: int | None, count: int) -> bool:
    return threshold is not None and count >= threshold


def _counter(name: str, used: int, thresholds: list[int | None]) -> Counter:
    ahead = [threshold for threshold in thresholds if threshold is not None and threshold > used]
    return Counter(name, used, min(ahead, default=None))
