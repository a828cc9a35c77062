"""Mechanisms: what carries personal data to a destination, by paper or without one."""

from collections.abc import Iterator

from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Mechanism
from onshore.rules.telling import on_file

ADEQUACY = "adequacy"
BY_PAPER = ("safeguards", "contract-or-certificate", "assessment")
"""Routes that a paper opens; the reason for leaving by another is that it is exempt."""


def fitting(act: TransferAsked, facts: Facts, pack: Pack) -> Iterator[Mechanism]:
    """The mechanisms of the pack that carry this transfer, in their order."""
    today = local_day(facts.at, pack.zone)
    for found in pack.transfer.mechanism:
        there = not found.to or act.to in found.to
        still = found.until is None or today <= found.until
        if there and still and found.ground in {None, act.ground} and _filed(found, act, facts, pack):
            yield found


def adequate(place: str, facts: Facts, pack: Pack) -> bool:
    """Whether the pack calls a place adequate, by a mechanism that needs no ground."""
    today = local_day(facts.at, pack.zone)
    return any(
        found.route == ADEQUACY
        and place in found.to
        and found.ground is None
        and (found.until is None or today <= found.until)
        and (not found.papers or bool(facts.papers & set(found.papers)))
        and facts.papers >= set(found.also)
        for found in pack.transfer.mechanism
    )


def _filed(found: Mechanism, act: TransferAsked, facts: Facts, pack: Pack) -> bool:
    one = not found.papers or any(on_file(paper, act, facts, pack) for paper in found.papers)
    return one and all(on_file(paper, act, facts, pack) for paper in found.also)
