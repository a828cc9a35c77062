"""Who received what: parcels that left, platforms that the law names, and questions asked of it here."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from onshore.site import Site
from onshore.vault.lanes import last_answer
from onshore.vault.papers import meter, parcels, queries, reading, transfers
from onshore.words.vocabulary import STATUTORY


def by_parcels(site: Site, person: int) -> list[dict[str, Any]]:
    """Every parcel that may have left: one that is `sending` is past holding back, `left` is None until it is noted."""
    ask = (
        select(parcels.c.id, parcels.c.left, transfers.c.body)
        .join(meter, meter.c.parcel == parcels.c.id)
        .join(transfers, transfers.c.id == parcels.c.transfer)
        .where(meter.c.person == person, parcels.c.state.in_(("sending", "left", "cut")))
    )
    with reading(site.engine) as conn:
        rows = conn.execute(ask).all()
    return [
        {
            "parcel": r.id,
            "left": r.left,
            **{k: json.loads(r.body)[k] for k in ("recipient", "purpose", "categories")},
        }
        for r in rows
    ]


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
