"""Volumes: how much has gone to recipients of concern in twelve months, and what never goes to them."""

from collections.abc import Iterator

from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Bulk, Leaving, Located
from onshore.words.verdict import Counter, Reason

THRESHOLD = "bulk-threshold"


def reached(act: TransferAsked, facts: Facts, pack: Pack) -> list[Bulk]:
    """The rules whose figure the total with this transfer reaches."""
    return [
        rule for rule in pack.transfer.bulk if _concerns(rule, act) and _total(rule, act, facts, pack) >= rule.start
    ]


def refused(act: TransferAsked, facts: Facts, over: list[Bulk], rules: Leaving) -> Iterator[Reason]:
    """What is too much without a paper, and the places of which no position goes there at all."""
    for rule in over:
        if not facts.papers & set(rule.papers):
            yield rule.reason(THRESHOLD)
    site = rules.sensitive_site
    if site and act.near_sensitive_site and _concerns(site, act):
        yield site.reason("sensitive-site")


def counters(act: TransferAsked, facts: Facts, pack: Pack) -> tuple[Counter, ...]:
    """How far each volume that this transfer adds to is from its figure."""
    asked = (rule for rule in pack.transfer.bulk if _concerns(rule, act))
    return tuple(Counter(rule.id, _total(rule, act, facts, pack), rule.start) for rule in asked)


def _concerns(rule: Located, act: TransferAsked) -> bool:
    """A recipient of concern, one of the categories, and positions fine enough."""
    fine = rule.within_m is None or act.precision_m is None or act.precision_m <= rule.within_m
    there = act.to in rule.to or act.recipient_status in rule.statuses
    named = any(category in rule.categories for category in act.categories)
    return there and fine and (named or (rule.coordinates and act.coordinates))


def _total(rule: Bulk, act: TransferAsked, facts: Facts, pack: Pack) -> int:
    """Devices or persons with this transfer; a person whose devices nobody counted has one, new or not."""
    if rule.count == "devices":
        return max(facts.devices_12_months + max(act.new_devices, act.new_persons), act.subjects_in_dataset)
    sensitive = bool(set(rule.categories) & set(pack.classes.sensitive.categories))
    if (others := facts.others_12_months) is not None:
        return (others.sensitive if sensitive else others.ordinary) + act.subjects_in_dataset
    before = facts.exported.sensitive if sensitive else facts.exported.ordinary
    return max(before + act.new_persons, act.subjects_in_dataset)
