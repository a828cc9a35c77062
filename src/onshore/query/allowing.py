"""Allowing: who may ask, for which purpose, over which tables; every no with its reason, article and remedy."""

from collections.abc import Collection

from onshore.query.entries import Question
from onshore.query.tables import Seen
from onshore.rules.acts import Facts, TransferAsked
from onshore.site import Site
from onshore.words.errors import Refusal
from onshore.words.settings import Role

MAY: tuple[Role, ...] = ("operator", "officer")
"""Who reads rows at the site: those who run it and who answer for it. An owner has a copy of their own rows, a
regulator what is on file of a request, an engineer abroad what a permit let go."""

_ABROAD = "ZZ"  # ISO 3166-1 leaves it to users: a place that no pack makes an exception for


def refuse_purpose(site: Site, purpose: str) -> None:
    """Refuse a purpose that the site does not have (`purpose-unknown`)."""
    known = site.settings.site.purposes
    if purpose not in known:
        raise Refusal(
            "purpose-unknown",
            "a query is for one purpose of this site, and this is none of them",
            article=site.pack.consent.purpose_not_consented.article,
            remedy="choose one of: " + ", ".join(known),
        )


def refuse_person(site: Site, question: Question, categories: Collection[str]) -> None:
    """Refuse whoever may not look at rows here: an engineer's look from abroad is an export (`view-is-export`)."""
    known = site.settings.people.get(question.by)
    if known is not None and known.role == "engineer":
        raise _export(site, question, categories)
    site.person(question.by, *MAY)


def refuse_barred(named: Collection[str], tables: Seen, purpose: str) -> None:
    """Refuse what no table is called, and every table of a category that the purpose may not see."""
    for name in sorted(named):
        if name in tables.barred:
            category, why = tables.barred[name]
            raise Refusal(
                why.code,
                f"the query needs the category {category}, which {purpose} may not see: {why.says}",
                article=why.article,
                remedy=why.remedy or "'onshore query --tables' shows what the purpose may see",
            )
    if not tables.shown.keys() >= set(named):
        raise Refusal(
            "not-a-table",
            "the query names a table that is not here; tables are the categories that the purpose may see",
            remedy="choose from: " + (", ".join(sorted(tables.shown)) or "none"),
        )


def _export(site: Site, question: Question, categories: Collection[str]) -> Refusal:
    act = TransferAsked(to=_ABROAD, purpose=question.purpose, categories=tuple(categories) or ("track",), by="query")
    verdict = site.judge(act, Facts(at=site.clock()))
    first = verdict.reasons[0] if verdict.verdict == "refuse" else None
    return Refusal(
        "view-is-export",
        "an engineer looks from abroad, and what is seen there has left; " + (first.says if first else ""),
        article=first.article if first else "",
        remedy="ask for a parcel with 'onshore transfer ask'",
    )
