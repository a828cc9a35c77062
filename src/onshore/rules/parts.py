"""Parts of a pack: the same part with each of its rules as it is, changed, or gone."""

from collections.abc import Callable
from typing import Any

import msgspec

from onshore.rules.articles import Rule


def changed(part: Any, by: Callable[[Rule], Rule | None]) -> Any:
    """A part whose rules are what `by` makes of them; those of which it makes None are gone."""
    if isinstance(part, Rule):
        return by(part)
    if isinstance(part, tuple):
        found = ((item, changed(item, by)) for item in part)
        return tuple(now for was, now in found if now is not None or was is None)
    if not isinstance(part, msgspec.Struct):
        return part
    fields = msgspec.structs.fields(part)
    return msgspec.structs.replace(part, **{field.name: changed(getattr(part, field.name), by) for field in fields})
