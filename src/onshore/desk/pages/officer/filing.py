"""Papers of a request: file one with its scan, withdraw one, open a scan."""

from onshore.border import requests as asked_for
from onshore.border.cases import filing
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Moved
from onshore.desk.pages.officer import acts
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import views
from onshore.rules.articles import PAPERS
from onshore.site import Site
from onshore.words.errors import Refusal

MOST = 66 << 20  # bytes of a form: the largest scan that a site may allow, and the fields beside it


def put_on_file(site: Site, who: Who, asked: Asked) -> Answer:
    """File a paper; the request is judged again with it, and approvals so far lapse."""
    transfer = asked_for.find(site, asked.where["request"]).transfer
    kind, scan = asked.one_of("kind", PAPERS), asked.files.get("scan")
    items = asked.all("item") if kind == filing.NOTICE else ()
    try:
        done = asked_for.file_paper(
            site,
            transfer,
            kind,
            number=asked.text("number", longest=80),
            by=who.name,
            start=asked.text("from", "") or None,
            until=asked.text("until", "") or None,
            items=items or None,
            file=scan.body if scan and scan.body else None,
        )
    except Refusal as refusal:
        return acts.refused(site, who, transfer.id, refusal)
    site.settle()
    return Moved(
        f"/officer/requests/{transfer.id}",
        T("The paper is on file, and the request was judged again with it."),
        data={"id": transfer.id, "state": done.state, "missing": done.verdict.missing},
    )


def withdraw(site: Site, who: Who, asked: Asked) -> Answer:
    """Take a paper off a request's file; it is judged again without it."""
    transfer = asked_for.find(site, asked.where["request"]).transfer
    try:
        done = asked_for.withdraw_paper(site, transfer, _number(asked), by=who.name)
    except Refusal as refusal:
        return acts.refused(site, who, transfer.id, refusal)
    site.settle()
    said = T("The paper is off the file, and the request was judged again without it.")
    return Moved(f"/officer/requests/{transfer.id}", said, data={"id": transfer.id, "state": done.state})


def scan(site: Site, who: Who, asked: Asked) -> Answer:
    """The scan of a paper, opened; it may name people, so nobody opens it from abroad."""
    transfer, number = asked_for.find(site, asked.where["request"]).transfer, _number(asked)
    views.refuse_abroad(site, who.name, "paper-scan")
    body = filing.scan(site, transfer.id, number)
    pdf = body.startswith(b"%PDF")
    name, media = f"paper-{number}", "application/pdf" if pdf else "application/octet-stream"
    return File(f"{name}.pdf" if pdf else name, media, body)


def _number(asked: Asked) -> int:
    said = asked.where["paper"]
    if not (said.isascii() and said.isdecimal() and len(said) < 16):
        raise Refusal("paper-unknown", "this request has no such paper")
    return int(said)


_ONE = "/officer/requests/{request}/papers"
ROUTES = (
    Route(_ONE, put_on_file, ("officer",), "POST", most=MOST),
    Route(f"{_ONE}/{{paper}}/withdraw", withdraw, ("officer",), "POST"),
    Route(f"{_ONE}/{{paper}}/scan", scan, ("officer",), file=True),
)
