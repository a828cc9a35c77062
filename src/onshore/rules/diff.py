"""What changed from one pack to another, rule by rule."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from onshore.rules import wording
from onshore.rules.articles import Rule
from onshore.rules.pack import Pack, rules


@dataclass(frozen=True)
class Change:
    """A rule added, removed or changed; of a changed one each field with its value before and after.

    `path`: where in the pack it stands, such as "transfer.route[2]"; empty for what is no rule. `since`: the day on
    which an added rule begins, where that is later than its pack.
    """

    kind: str
    id: str
    path: str
    article: str
    says: str
    since: date | None = None
    fields: tuple[tuple[str, Any, Any], ...] = ()


def changes(old: Pack, new: Pack) -> list[Change]:
    """Every difference, in the order of the new pack, what was removed last.

    A rule is the same rule where its id is the same, or where it stands at the same place under another id.
    """
    before, after = _by_path(old), _by_path(new)
    came_from = _pairs(before, after)
    found = list(_head(old, new))
    for path, rule in after.items():
        if path not in came_from:
            found.append(Change("added", rule.id, path, rule.article, rule.says, rule.since))
        elif fields := _fields(before[came_from[path]], rule, new.valid_from):
            found.append(Change("changed", rule.id, path, rule.article, rule.says, fields=fields))
    gone = [path for path in before if path not in set(came_from.values())]
    return found + [Change("removed", (r := before[path]).id, path, r.article, r.says) for path in gone]


def told(old: Pack, new: Pack) -> list[str]:
    """The changes as lines for a person."""
    found = changes(old, new)
    counts = {kind: sum(c.kind == kind and bool(c.path) for c in found) for kind in ("added", "removed", "changed")}
    same = sum(1 for _ in rules(new)) - counts["added"] - counts["changed"]
    lines = [f"{old.id} ({old.title})", f"{new.id} ({new.title})", ""]
    lines.append(", ".join(f"{wording.figure(n)} {kind}" for kind, n in counts.items()) + f", {same} the same")
    for change in sorted(found, key=lambda change: change.id.startswith("source ")):
        lines += ["", f"{change.kind.upper():8} {_named(change)}"]
        lines += [f"         {change.article}"] if change.article else []
        lines += [f"         begins on {wording.day(change.since)}"] if change.since else []
        lines += [line for field in change.fields for line in _lines(*field)]
    return lines


def _named(change: Change) -> str:
    place = wording.plain(change.path.partition("[")[0].replace(".", ": "))
    return f"{place}. {change.says}" if change.path else change.says


def _lines(name: str, old: Any, new: Any) -> Iterator[str]:
    """A field's change: of a list what came and what went, of anything else the two values."""
    if isinstance(old, tuple) and isinstance(new, tuple) and all(isinstance(x, str) for x in old + new):
        came, went = [x for x in new if x not in old], [x for x in old if x not in new]
        for word, items in (("now also", came), ("no longer", went)):
            if any(" " in item for item in items):  # sentences
                yield from (f"         {word}: {item}" for item in items)
            elif items:
                yield f"         {wording.label(name)}: {word} {wording.value(items)}"
        if not came and not went:
            yield f"         {wording.label(name)}: the same in another order"
        return
    quote = '"{}"' if name == "says" else "{}"
    yield f"         {wording.label(name)}: {quote.format(wording.value(old))}"
    yield f"         {' ' * (len(wording.label(name)) - 3)}now: {quote.format(wording.value(new))}"


def _by_path(pack: Pack) -> dict[str, Rule]:
    return dict(rules(pack))


def _pairs(before: Mapping[str, Rule], after: Mapping[str, Rule]) -> dict[str, str]:
    """Path of a rule in the new pack to that of the same rule in the old one."""
    ids = {rule.id: path for path, rule in before.items()}
    found = {path: ids[rule.id] for path, rule in after.items() if rule.id in ids}
    taken = set(found.values())
    for path in after:
        if path not in found and path in before and path not in taken and "[" not in path:
            found[path] = path
    return found


def _fields(old: Rule, new: Rule, first_day: date) -> tuple[tuple[str, Any, Any], ...]:
    """What differs. A day of beginning that lies before the new pack's first is no change of law."""
    names = dict.fromkeys([f.name for rule in (new, old) for f in msgspec.structs.fields(rule)])
    pairs = [(name, getattr(old, name, None), getattr(new, name, None)) for name in names]
    return tuple(pair for pair in pairs if pair[1] != pair[2] and not _past(*pair, first_day))


def _past(name: str, old: Any, new: Any, first_day: date) -> bool:
    return name in {"since", "counts_since"} and new is None and old < first_day


def _head(old: Pack, new: Pack) -> Iterator[Change]:
    """What is no rule: the validity, what is inside, sources, figures that stand beside rules."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    for name in dict.fromkeys([*after, *before]):
        was, now = before.get(name), after.get(name)
        if was == now or name in {"id", "title"}:
            continue
        words = f"{wording.label(name.replace('.', ': '))}."
        if name.startswith("source ") and None in {was, now}:
            yield Change("added" if was is None else "removed", name, "", "", f"{words} {was or now}")
        else:
            yield Change("changed", name, "", "", words, fields=((name, was, now),))


def _leaves(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a pack outside its rules, with its path; sources and the like by what they are called."""
    if isinstance(part, msgspec.Struct) and not isinstance(part, Rule):
        for field in msgspec.structs.fields(part):
            yield from _leaves(getattr(part, field.name), f"{path}.{field.name}".lstrip("."))
    elif isinstance(part, tuple) and any(isinstance(item, msgspec.Struct) for item in part):
        for item in part:
            if not isinstance(item, Rule):
                name = getattr(item, "code", "") or getattr(item, "id", "")
                yield f"{path} {name}", wording.value(item)
    elif isinstance(part, (str, int, float, bool, date, tuple, dict)) and not isinstance(part, Rule):
        yield path, part
