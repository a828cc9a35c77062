"""Allowing: who may ask, for which purpose, over which tables; every no with its reason, article and remedy."""

from collections.abc import Collection

from onshore.query.door import Door
from onshore.query.entries import Question
from onshore.query.tables import Seen
from onshore.register import views
from onshore.register.judgements import ByLaw
from onshore.site import Site
from onshore.words.errors import Refusal
from onshore.words.settings import Role

MAY: tuple[Role, ...] = ("operator", "officer")
"""Who reads rows at the site: those who run it and who answer for it. An owner has a copy of their own rows, a
regulator what is on file of a request, an engineer abroad what a permit let go."""


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


def refuse_other_purpose(site: Site, purpose: str, door: Door) -> None:
    """Refuse (`outside-permit`) another purpose than that for which a door was opened."""
    if purpose != door.purpose:
        raise Refusal(
            "outside-permit",
            "the permit to view is for another purpose",
            article=site.pack.transfer.permit.outside_permit.article,
            remedy=f"ask with --purpose {door.purpose}",
        )


def refuse_person(site: Site, question: Question, categories: Collection[str]) -> None:
    """Refuse whoever may not look at rows here; from abroad or for somebody there it is export (`view-is-export`)."""
    why = views.refusal(site, question.by, by="query", purpose=question.purpose, categories=categories)
    if why is not None:
        raise why
    site.person(question.by, *MAY)


def refuse_barred(named: Collection[str], tables: Seen, purpose: str) -> None:
    """Refuse what no table is called, and every table of a category that the purpose may not see."""
    for name in sorted(named):
        if name in tables.barred:
            category, why = tables.barred[name]
            says = f"the query needs the category {category}, which {purpose} may not see: {why.says}"
            remedy = why.remedy or "'onshore query --tables' shows what the purpose may see"
            if why in (judged := tables.judged[name]).verdict.reasons:
                raise ByLaw(why.code, says, judged, article=why.article, remedy=remedy)
            raise Refusal(why.code, says, article=why.article, remedy=remedy)
    if not tables.shown.keys() >= set(named):
        raise Refusal(
            "not-a-table",
            "the query names a table that is not here; tables are the categories that the purpose may see",
            remedy="choose from: " + (", ".join(sorted(tables.shown)) or "none"),
        )
