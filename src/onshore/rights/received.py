"""Who received what: parcels that left, platforms that the law names, and questions asked of it here."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from onshore.site import Site
from onshore.vault.lanes import last_answer
from onshore.vault.papers import meter, parcels, queries, reading, transfers
from onshore.words.vocabulary import STATUTORY


@dataclass(frozen=True)
class Parcel:
    """A parcel with something about a person: when it `left` (ms UTC; None: not noted yet), to whom, under what."""

    id: str
    transfer: str
    permit: str
    left: int | None
    recipient: str
    purpose: str
    categories: list[str]


def parcels_of(site: Site, person: int) -> list[Parcel]:
    """Every parcel that may have left: one that is `sending` is past holding back."""
    ask = (
        select(parcels.c.id, parcels.c.transfer, parcels.c.permit, parcels.c.left, transfers.c.body)
        .join(meter, meter.c.parcel == parcels.c.id)
        .join(transfers, transfers.c.id == parcels.c.transfer)
        .where(meter.c.person == person, parcels.c.state.in_(("sending", "left", "cut")))
    )
    with reading(site.engine) as conn:
        rows = [(row, json.loads(row.body)) for row in conn.execute(ask)]
    return [
        Parcel(r.id, r.transfer, r.permit, r.left, asked["recipient"], asked["purpose"], asked["categories"])
        for r, asked in rows
    ]


def by_parcels(site: Site, person: int) -> list[dict[str, Any]]:
    """The same as a person's answer has it."""
    said = ("left", "recipient", "purpose", "categories")
    return [{"parcel": p.id, **{name: getattr(p, name) for name in said}} for p in parcels_of(site, person)]


def by_platforms(site: Site, grounds: Collection[str]) -> list[dict[str, Any]]:
    """The platforms to which the law has statutory rows sent on, where any are held; never what a consent allowed."""
    if "statutory" not in grounds:
        return []
    return [
        {
            "platform": name,
            "jurisdiction": endpoint.jurisdiction,
            "purpose": STATUTORY,
            "last_acknowledged": last_answer(site.engine, name),
        }
        for name, endpoint in sorted(site.settings.forward.items())
    ]


def by_queries(site: Site, categories: Collection[str], since: int, until: int) -> list[dict[str, Any]]:
    """Questions that were asked at the site in [since, until) (ms UTC) and let see one of the categories.

    Which rows a question saw is not kept: that would be one more list of persons.
    """
    with reading(site.engine) as conn:
        papers = [json.loads(row.paper) for row in conn.execute(select(queries.c.paper).order_by(queries.c.entry))]
    return [
        {name: paper.get(name) for name in ("at", "by", "purpose", "categories")}
        for paper in papers
        if since <= paper["at"] < until and set(paper.get("categories", ())) & set(categories)
    ]
