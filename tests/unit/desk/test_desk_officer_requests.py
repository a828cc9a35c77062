"""An officer and a request: what is asked, its papers, approvals by two, and what is held back."""

import pytest

from border_makers import PAPERS, Border
from desk_makers import PASSWORD
from onshore.border import requests
from onshore.register import accounts

SCAN = b"%PDF-1.7 a contract, signed"


@pytest.fixture
def border(desk):
    return Border(desk.hands)


@pytest.fixture
def officer(desk):
    return desk.as_("officer")


def deputy(desk):
    """Another officer, signed in."""
    accounts.add(desk.site, "deputy", "officer", PASSWORD)
    browser = desk.browser()
    assert browser.sign_in("deputy").status_code == 303
    return browser


def file(browser, request, kind, **fields):
    data = {"csrf": browser.token(), "kind": kind, "number": "SC-1", **fields}
    return browser.post(
        f"/officer/requests/{request.id}/papers", data=data, files={"scan": ("sc.pdf", SCAN, "application/pdf")}
    )


def test_a_request_says_what_is_missing_by_which_article(border, officer):
    request, _ = border.ask()
    listed = officer.get("/officer/requests.json").json()
    assert (listed["waits"], listed["requests"][0]["id"]) == (1, request.id)
    seen = officer.get(f"/officer/requests/{request.id}.json").json()
    assert seen["next"] == "paper"
    assert "impact-assessment" in seen["missing"]
    assert any(one["article"] == "PIPL Art. 55" for one in seen["decision"]["reasons"])
    words = officer.texts(f"/officer/requests/{request.id}")
    assert "PIPL Art. 55" in words
    assert "Impact assessment" in words


def test_a_request_with_its_papers_names_the_threshold_ahead(desk, border, officer):
    desk.hands.allow(1)
    desk.hands.drive(1)
    request, _ = border.ask()
    border.file(request, *PAPERS)
    seen = officer.get(f"/officer/requests/{request.id}.json").json()
    assert {one["name"] for one in seen["counts"]} == {"sensitive", "ordinary"}
    assert all(step["article"] for count in seen["counts"] for step in count["thresholds"])
    assert ("sensitive", 1, 10_000) in [(one["name"], one["used"], one["threshold"]) for one in seen["toward"]]
    assert "10,000" in officer.texts(f"/officer/requests/{request.id}")


def test_a_paper_is_filed_with_its_scan_and_withdrawn(border, officer):
    request, _ = border.ask()
    assert file(officer, request, "standard-contract", until="2027-12-31").status_code == 303
    paper = officer.get(f"/officer/requests/{request.id}.json").json()["papers"][0]
    assert (paper["kind"], paper["scan_kept"], paper["filed_by"]) == ("standard-contract", True, "officer")
    scan = officer.get(f"/officer/requests/{request.id}/papers/{paper['paper']}/scan")
    assert (scan.content, scan.headers["content-type"]) == (SCAN, "application/pdf")
    path = f"/officer/requests/{request.id}/papers/{paper['paper']}/withdraw"
    assert officer.form(path).status_code == 303
    again = officer.form(path)
    assert again.status_code == 409
    assert "withdrawn already" in again.text
    assert officer.form(f"/officer/requests/{request.id}/papers/x/withdraw").status_code == 404


def test_a_paper_that_is_none_is_refused(border, officer):
    request, _ = border.ask()
    assert file(officer, request, "poem").status_code == 422
    assert file(officer, request, "standard-contract", until="soon").status_code == 422
    assert officer.get(f"/officer/requests/{request.id}.json").json()["papers"] == []


def test_a_notice_says_its_items_and_is_incomplete_without_all(border, officer):
    request, _ = border.ask()
    file(officer, request, "export-notice", item=["recipient", "contact"])
    paper = officer.get(f"/officer/requests/{request.id}.json").json()["papers"][0]
    assert paper["state"] == "incomplete"
    assert "purpose" in paper["missing_items"]


def test_two_officers_approve_and_one_alone_is_refused_in_plain_words(desk, border, officer):
    request, _ = border.ask()
    border.file(request, *PAPERS)
    path = f"/officer/requests/{request.id}/approve"
    assert "Approve" in officer.texts(f"/officer/requests/{request.id}")
    assert officer.form(path).status_code == 303
    again = officer.form(path)
    assert again.status_code == 403
    assert "Four eyes" in again.text
    assert "officer&#39;s" in again.text
    assert f'action="{path}"' not in again.text, "the button is gone for whoever approved"
    assert deputy(desk).form(path).status_code == 303
    seen = officer.get(f"/officer/requests/{request.id}.json").json()
    assert (seen["state"], seen["approved"], seen["next"]) == ("approved", 2, "permit")
    assert {one["by"] for one in seen["approvals"]} == {"officer", "deputy"}


def test_whoever_asked_is_told_that_two_others_approve(border, officer):
    request, _ = border.ask(asked_by="officer")
    border.file(request, *PAPERS)
    assert officer.get(f"/officer/requests/{request.id}.json").json()["mine"] == "asked"
    assert "two other officers approve it" in officer.texts(f"/officer/requests/{request.id}")
    assert officer.form(f"/officer/requests/{request.id}/approve").status_code == 403


def test_an_officer_suspends_resumes_refuses_and_closes(border, officer):
    request, _ = border.ask()
    border.file(request, *PAPERS)
    page = f"/officer/requests/{request.id}"

    def does(act):
        assert officer.form(f"{page}/{act}").status_code == 303
        return requests.find(border.site, request.id).state

    assert does("suspend") == "suspended"
    assert officer.get("/officer/requests.json").json()["requests"][0]["waits"] == "resume"
    assert does("resume") == "completed"
    assert officer.form(f"{page}/resume").status_code == 409
    assert does("refuse") == "refused"
    assert "resume" in officer.get(f"{page}.json").json()["acts"]
    assert does("resume") == "completed"
    assert does("close") == "closed"
    assert officer.get(f"{page}.json").json()["acts"] == []
    assert file(officer, request, "standard-contract").status_code == 409


def test_what_was_permitted_and_left_is_told(desk, border, officer):
    from onshore.border import transfer

    desk.hands.allow(1)
    desk.hands.drive(1)
    request, _ = border.permitted()
    assert officer.get(f"/officer/requests/{request.id}.json").json()["next"] == "ship"
    transfer.ship(border.site, request.id)
    seen = officer.get(f"/officer/requests/{request.id}.json").json()
    assert (seen["state"], seen["parcels"][0]["persons"]) == ("left", 1)
    assert "Parcels" in officer.texts(f"/officer/requests/{request.id}")


def test_an_unknown_request_is_no_page(officer):
    assert officer.get("/officer/requests/none").status_code == 404
    assert officer.form("/officer/requests/none/approve").status_code == 404
    assert officer.get("/officer/requests/none/papers/1/scan").status_code == 404
