"""The standing of a pack: a draft or in force, reviewed or not; and a pack judged as if it were in force."""

from datetime import date

from msgspec.structs import replace

from onshore.rules import wording
from onshore.rules.articles import Rule
from onshore.rules.pack import Pack
from onshore.rules.parts import changed
from onshore.rules.phases import days

_ALWAYS = date(1970, 1, 1)


def is_draft(pack: Pack) -> bool:
    """Whether a pack is of a draft that never came into force as it stands: it says so, or its name does."""
    return pack.draft or pack.id.endswith("-draft")


def validity(pack: Pack) -> str:
    """From when until when a pack is in force; a draft never is."""
    if is_draft(pack):
        return f"draft of {wording.day(pack.valid_from)}, not in force"
    until = f"until {wording.day(pack.valid_until)}" if pack.valid_until else "on"
    return f"from {wording.day(pack.valid_from)} {until}"


def reviewed(pack: Pack) -> str:
    """Who has reviewed it."""
    return f"reviewed by {pack.reviewed_by}" if pack.reviewed_by else "not reviewed by counsel"


def as_if_in_force(pack: Pack) -> Pack:
    """The pack as if it held on every day, and each of its rules: what would it do."""
    whole: Pack = changed(pack, _from_the_first_day)
    return replace(whole, valid_from=_ALWAYS, valid_until=None)


def _from_the_first_day(rule: Rule) -> Rule:
    fields = {"since", "counts_since"} & set(rule.__struct_fields__)
    return replace(rule, **dict.fromkeys(fields)) if days([rule]) else rule
