"""Problems: what went otherwise than asked, as a page with reason, article and remedy, and as RFC 9457 has it."""

from dataclasses import dataclass, field
from typing import Any

from onshore.desk.page import Page
from onshore.desk.texts import T
from onshore.words.errors import Broken, Malformed, OnshoreError, Refusal

MEDIA = "application/problem+json"
_NOT_YOURS = frozenset({"not-your-act", "view-is-export", "four-eyes", "no-keeper"})
_ABSENT = "-unknown"


@dataclass(frozen=True)
class Problem:
    """A problem: HTTP status, a title marked for translation, the reason's code, and what an error says of it.

    `waits`: seconds after which to ask again.
    """

    status: int
    title: str
    reason: str
    says: str = ""
    article: str = ""
    remedy: str = ""
    waits: int = 0
    more: dict[str, Any] = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        """As JSON (RFC 9457), with what RFC 9457 §3.2 lets us add."""
        told = {"type": f"urn:onshore:problem:{self.reason}", "title": self.title, "status": self.status}
        rest = {"detail": self.says, "reason": self.reason, "article": self.article, "remedy": self.remedy}
        return told | {name: value for name, value in rest.items() if value} | self.more

    def page(self) -> Page:
        """As a page."""
        return Page("problem.html", {"problem": self}, self.status)


SIGN_IN = Problem(401, T("Sign in first"), "not-signed-in", T("This is for somebody who has signed in."))
OTHERS = Problem(403, T("This is not yours to see"), "not-your-role", T("Another role sees or does this."))
ABSENT = Problem(404, T("There is no such page"), "no-such-page")
METHOD = Problem(405, T("This is asked for in another way"), "method")
LARGE = Problem(413, T("This is too large"), "too-large", T("More was sent than this form takes."))
FORGED = Problem(
    403,
    T("This form is not from here"),
    "csrf",
    T("What was sent did not come from a page of this desk, or you have signed in or out since it was opened."),
    remedy=T("Open the page again, and send the form from there."),
)
FAULT = Problem(500, T("Something is broken here"), "broken", T("Whoever runs the site finds it in the log."))


def busy(seconds: int) -> Problem:
    """Whoever asks too often waits."""
    return Problem(429, T("Too many requests"), "too-many", T("Wait a little, then try again."), waits=seconds)


def of_error(error: OnshoreError) -> Problem:
    """One of our errors: a refusal (403, 404, 409), what cannot be read (422), what is broken (500)."""
    if isinstance(error, Refusal):
        status = 403 if error.reason in _NOT_YOURS else 404 if error.reason.endswith(_ABSENT) else 409
        return Problem(status, T("Refused"), error.reason, error.says, error.article, error.remedy)
    if isinstance(error, Malformed):
        return Problem(422, T("This cannot be taken"), "malformed", str(error))
    return Problem(500, FAULT.title, "broken", str(error) if isinstance(error, Broken) else FAULT.says)
