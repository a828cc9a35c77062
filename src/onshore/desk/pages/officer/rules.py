"""The packs of rules: which are in force here, who is asked besides, and what changed from one to another."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.ledger import packs
from onshore.ledger.packs import PackFile
from onshore.rules import diff, wording
from onshore.rules.pack import Pack
from onshore.rules.pack import rules as rules_of
from onshore.rules.standing import is_draft
from onshore.site import Site
from onshore.words.errors import Refusal


@dataclass(frozen=True)
class Shelved:
    """A pack on the shelf. `part`: "here" (in force at this site), "later", "asked" (of others), "draft", or ""."""

    id: str
    title: str
    jurisdiction: str
    valid_from: date
    valid_until: date | None
    reviewed_by: str
    signed_by: tuple[str, ...]
    rules: int
    part: str


@dataclass(frozen=True)
class Change:
    """A rule that came, went or changed; `fields`: of a changed one each name, what was and what is, as text."""

    kind: str
    id: str
    article: str
    says: str
    since: date | None
    fields: list[tuple[str, str, str]]


def shelf(site: Site, _who: Who, _asked: Asked) -> Answer:
    """Every pack that is known here, the one in force first."""
    found = [_shelved(site, file) for file in known(site)]
    order = ("here", "later", "asked", "", "draft")
    found.sort(key=lambda one: (order.index(one.part), one.jurisdiction, one.valid_from))
    switches = [{"name": one.name, "opinion": one.opinion, "recorded": one.obj is not None} for one in site.readings]
    return Page("officer/rules.html", {"packs": found, "switches": switches, "today": site.today().isoformat()})


def difference(site: Site, _who: Who, asked: Asked) -> Answer:
    """What changed from one pack to another, rule by rule; without a choice, from the one before to the one here."""
    files = known(site)
    ids = [file.pack().id for file in files]
    before, after = _usual(site, ids)
    old, new = named(site, asked.text("old", before)), named(site, asked.text("new", after))
    data: dict[str, Any] = {"packs": ids, "old": _head(old), "new": _head(new)}
    found = sorted(diff.changes(old, new), key=lambda one: (not one.path, one.id.startswith("source ")))
    changes = [_changed(one) for one in found]
    return Page("officer/difference.html", data | {"changes": changes})


def known(site: Site) -> list[PackFile]:
    """Every pack that ships or lies at the site; one of the site's own stands for the shipped one of its id."""
    return list({file.pack().id: file for file in packs.known(site.folder / "packs")}.values())


def named(site: Site, wanted: str) -> Pack:
    """A pack by its id; refuses one that is not known here."""
    found = next((pack for file in known(site) if (pack := file.pack()).id == wanted), None)
    if found is None:
        raise Refusal("pack-unknown", "no pack of that name is known here", remedy="choose one of the list")
    return found


def _usual(site: Site, ids: list[str]) -> tuple[str, str]:
    """The pack in force, and the version of the same law before it, if there is one."""
    mine = site.pack.id
    alike = sorted(one for one in ids if one.partition("/")[0] == mine.partition("/")[0] and one < mine)
    return (alike[-1] if alike else mine), mine


def _shelved(site: Site, file: PackFile) -> Shelved:
    pack = file.pack()
    ahead = [version.pack.id for version in site.law.ahead(site.today())]
    if pack.id in ahead:
        part = "here" if pack.id == site.pack.id else "later"
    elif is_draft(pack):
        part = "draft"
    else:
        part = "asked" if pack.id in {one.id for one in site.law.others} else ""
    return Shelved(
        id=pack.id,
        title=pack.title,
        jurisdiction=pack.jurisdiction,
        valid_from=pack.valid_from,
        valid_until=pack.valid_until,
        reviewed_by=pack.reviewed_by or "",
        signed_by=packs.signers(file, [packs.release_key(), *site.settings.rules.signers]),
        rules=sum(1 for _ in rules_of(pack)),
        part=part,
    )


def _head(pack: Pack) -> dict[str, str]:
    return {"id": pack.id, "title": pack.title}


def _changed(one: diff.Change) -> Change:
    fields = [(wording.label(name), *_texts(old, new)) for name, old, new in one.fields]
    return Change(one.kind, one.id, one.article, one.says, one.since, fields)


def _texts(old: Any, new: Any) -> tuple[str, str]:
    """What was and what is; of lists what went and what came."""
    if isinstance(old, tuple) and isinstance(new, tuple):
        went, came = (tuple(x for x in here if x not in there) for here, there in ((old, new), (new, old)))
        old, new = went or None, came or None
    return _text(old), _text(new)


def _text(value: Any) -> str:
    return "" if value is None else str(wording.value(value))


ROUTES = (
    Route("/officer/rules", shelf, ("officer",), nav=T("Rules")),
    Route("/officer/rules/difference", difference, ("officer",)),
)
