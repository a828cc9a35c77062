"""Receipts: what proves each thing they allowed or withdrew; to save, and to verify without anybody's word."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Page
from onshore.desk.pages.owner import mine, purposes
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.ledger import verify
from onshore.ledger.__main__ import keys_of
from onshore.ledger.note import Unreadable, Wrong
from onshore.ledger.verify import Finding, Trust
from onshore.register import consents
from onshore.site import Site
from onshore.words.errors import Refusal


@dataclass(frozen=True)
class Receipt:
    """A receipt: of which consent and state (its path), what for, of which category, when (ms UTC)."""

    consent: str
    state: str
    purpose: str
    category: str
    at: int


@dataclass(frozen=True)
class Checked:
    """What was found of a file: each finding, and what is wrong, empty where nothing is."""

    findings: list[str]
    wrong: str


def listed(site: Site, who: Who, asked: Asked) -> Answer:
    """Every receipt of theirs, newest first."""
    return Page("owner/receipts.html", _data(site, who, asked) | {"checked": None})


def check(site: Site, who: Who, asked: Asked) -> Answer:
    """Check a receipt or certificate that they saved, as anybody can with the key of the log alone."""
    data = _data(site, who, asked)
    checked = _checked(site, asked.file("receipt").body)
    return Page("owner/receipts.html", data | {"checked": checked}, status=409 if checked.wrong else 200)


def save(site: Site, who: Who, asked: Asked) -> Answer:
    """One receipt as a file, with its proof under the present checkpoint."""
    wanted, state = asked.where["consent"], asked.where["state"]
    for one in mine.all_of(site, who):
        for consent in mine.given(site, one):
            if f"{consent.id:016x}" == wanted:
                papers = consents.receipts_of(site, consent)
                found = next((paper for paper in papers if paper["receipt"]["state"] == state), None)
                if found is not None:
                    body = json.dumps(found, ensure_ascii=False).encode()
                    return File(f"receipt-{wanted}-{state}.json", "application/json", body)
    raise Refusal("receipt-unknown", "you have no receipt of this number")


def key(site: Site, _who: Who, _asked: Asked) -> Answer:
    """The key by which receipts are verified."""
    return File("onshore.vkey", "text/plain", _vkey(site).encode())


def _vkey(site: Site) -> str:
    return (site.folder / "ledger" / "vkey").read_text("utf-8")


def _data(site: Site, who: Who, asked: Asked) -> dict[str, object]:
    one = mine.one_of(site, who, asked)
    what = {f"{c.id:016x}": c.purpose for c in mine.given(site, one)}
    acts = purposes.acts(mine.given(site, one))
    found = [Receipt(act.consent, act.state, what[act.consent], act.category, act.at) for act in acts]
    return {"car": mine.shown(site, who, one), "receipts": found, "key": _vkey(site).split()}


def _checked(site: Site, raw: bytes) -> Checked:
    told: list[str] = []
    try:
        told.extend(str(finding) for finding in _findings(site, raw))  # up to the one that is wrong
    except (Wrong, Unreadable) as wrong:
        return Checked(told, str(wrong))
    return Checked(told, "")


def _findings(site: Site, raw: bytes) -> Iterator[Finding]:
    return verify.receipt(raw, Trust(keys_of(str(site.folder / "ledger" / "vkey")), None, None))


ROUTES = (
    Route("/owner/receipts", listed, ("owner",), nav=T("My receipts")),
    Route("/owner/receipts/check", check, ("owner",), "POST", most=1 << 20),
    Route("/owner/receipts/key", key, ("owner",), file=True),
    Route("/owner/receipts/{consent}/{state}", save, ("owner",), file=True),
)
