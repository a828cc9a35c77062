"""One act told as a lawyer would: a case of the pack's own book, or an export as it may be asked for."""

from typing import Any

from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.pages.officer.rules import known
from onshore.desk.route import Route
from onshore.desk.who import Who
from onshore.rules import asking, book, explaining
from onshore.rules.acts import TRANSFER_GROUNDS, Act, Facts, TransferAsked
from onshore.rules.articles import PAPERS
from onshore.rules.judge import judge
from onshore.rules.pack import Pack
from onshore.rules.switches import opinion_papers
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal
from onshore.words.verdict import Verdict
from onshore.words.vocabulary import CATEGORIES

_MOST = 10**9  # persons


def explain(site: Site, _who: Who, asked: Asked) -> Answer:
    """The forms, and what was asked explained by the rules asked, the figures, and what would change the answer."""
    cases = _cases(site)
    data: dict[str, Any] = {
        "pack": site.pack.id,
        "cases": [{"id": one["id"], "title": one["title"]} for one in cases],
        "recipients": [{"name": name, "to": one.jurisdiction} for name, one in site.settings.recipients.items()],
        "purposes": site.settings.site.purposes[1:],
        "categories": CATEGORIES,
        "grounds": TRANSFER_GROUNDS,
        "papers": PAPERS,
        "asked": dict(asked.fields),
        "ticked": [*asked.all("category"), *asked.all("paper")],
        "explained": None,
    }
    if wanted := asked.text("case", ""):
        data["explained"] = _of_book(site, cases, wanted)
    elif asked.text("recipient", ""):
        data["explained"] = _of_export(site, asked)
    return Page("officer/explain.html", data)


def _cases(site: Site) -> list[dict[str, Any]]:
    """The cases of the book beside the pack in force."""
    file = next((file for file in known(site) if file.pack().id == site.pack.id), None)
    return [] if file is None or file.cases is None else book.tables(file.cases, site.pack.id)


def _of_book(site: Site, cases: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    table = next((one for one in cases if one["id"] == wanted), None)
    if table is None:
        raise Refusal("case-unknown", "no such case stands in the book of this pack", remedy="choose one of the list")
    found = book.read_case(table, site.pack.id)
    every = [site.pack, *site.law.others]
    pack = book.in_force(found, every)
    return {"title": found.title} | _told(site, found.act, found.facts, pack, every, found.jurisdiction)


def _of_export(site: Site, asked: Asked) -> dict[str, Any]:
    """An export as of now, with what left so far not counted: the figures are those that are asked."""
    to = site.recipient(asked.text("recipient"))
    if not asked.all("category"):
        raise Malformed("at least one category is needed", where="category")
    act = TransferAsked(
        to=to.jurisdiction,
        recipient=to.name,
        recipient_status=to.status,
        purpose=asked.one_of("purpose", site.settings.site.purposes),
        categories=asked.all("category"),
        ground=asked.one_of("ground", TRANSFER_GROUNDS, "consent"),
        new_persons=asked.number("persons", 1, least=0, most=_MOST),
    )
    papers = frozenset(asked.all("paper")) | opinion_papers(site.pack, site.lenient)
    facts = Facts(at=site.clock(), papers=papers)
    every = [site.pack, *site.law.others]
    return {"title": ""} | _told(site, act, facts, site.pack, every, site.settings.site.jurisdiction)


def _told(site: Site, act: Act, facts: Facts, pack: Pack | None, every: list[Pack], here: str) -> dict[str, Any]:
    def judged(one: Act, known_facts: Facts) -> Verdict:
        return judge(one, known_facts, pack, every)

    played, verdict = asking.in_play(act, facts, pack, every), judged(act, facts)
    found = asking.asked(act, verdict, played, facts.at)
    return {
        "verdict": verdict.verdict,
        "decision": why.of_verdict(site, verdict),
        "would_turn": explaining.turns_told(act, facts, judged, here, played),
        "packs": [one.id for one in played],
        "asked_rules": list(asking.facts_of(found)),
        "letter": explaining.letter(act, facts, here, played, judged),
    }


ROUTES = (Route("/officer/rules/explain", explain, ("officer",)),)
