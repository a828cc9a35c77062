"""What an officer does to a request: approve, refuse, suspend, resume, close. A refusal is shown on its page."""

from collections.abc import Callable, Mapping

from onshore.border import approvals
from onshore.border import requests as asked_for
from onshore.border.requests import Standing
from onshore.desk import problems, why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.pages.officer import requests
from onshore.desk.route import Act, Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site
from onshore.words.errors import Refusal

Doing = Callable[[Site, str, str], Standing]

DOINGS: Mapping[str, tuple[Doing, str]] = {
    "approve": (approvals.approve, T("You approved it.")),
    "refuse": (approvals.refuse, T("You refused it: no paper brings it back until an officer resumes it.")),
    "suspend": (approvals.suspend, T("You hold it from this instant.")),
    "resume": (approvals.resume, T("It is taken up again, and was judged anew.")),
    "close": (approvals.close, T("It is closed for good.")),
}
"""Each act by its word, with what it does and what is told once it is done."""


def refused(site: Site, who: Who, number: str, refusal: Refusal) -> Page:
    """The page of a request, with what was refused on top."""
    shown = requests.data(site, who, number) | {"refused": why.of_refusal(site, refusal)}
    return Page("officer/request.html", shown, problems.of_error(refusal).status)


def doing(do: Doing, says: str) -> Act:
    """An act on one request."""

    def act(site: Site, who: Who, asked: Asked) -> Answer:
        number = asked_for.find(site, asked.where["request"]).transfer.id
        try:
            done = do(site, number, who.name)
        except Refusal as refusal:
            return refused(site, who, number, refusal)
        site.settle()
        return Moved(f"/officer/requests/{number}", says, data={"id": number, "state": done.state})

    return act


ROUTES = tuple(
    Route(f"/officer/requests/{{request}}/{word}", doing(do, says), ("officer",), "POST")
    for word, (do, says) in DOINGS.items()
)
