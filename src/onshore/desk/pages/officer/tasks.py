"""Tasks with clocks: what a refusal, or an emergency, has people do; done once, with the paper that shows it."""

from typing import Any

from onshore.border import requests
from onshore.border.cases import tasks
from onshore.desk import problems, why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site
from onshore.words.errors import Refusal


def listing(site: Site, who: Who, _asked: Asked) -> Answer:
    """The tasks that wait, earliest due first, and those that are done."""
    return Page("officer/tasks.html", _data(site, who))


def done(site: Site, who: Who, asked: Asked) -> Answer:
    """Mark a task as done, by the number of the paper that shows it."""
    task = asked.where["task"]
    if all(one.id != task for one in tasks.listed(site, every=True)):
        raise Refusal("task-unknown", "there is no such task")
    try:
        one = tasks.done(site, task, who.name, asked.text("number"))
    except Refusal as refusal:
        shown = _data(site, who) | {"refused": why.of_refusal(site, refusal)}
        return Page("officer/tasks.html", shown, problems.of_error(refusal).status)
    said = T("Done, by paper %(number)s.")
    return Moved("/officer/tasks", said, {"number": one.number or ""}, data={"id": one.id, "state": one.state})


def _data(site: Site, who: Who) -> dict[str, Any]:
    """`others`: those that are another officer's, as whoever looks claimed the emergency (four-eyes)."""
    found = tasks.listed(site, every=True)
    reviews = [one for one in found if one.what == tasks.REVIEW and one.done is None]
    return {
        "others": [one.id for one in reviews if requests.find(site, one.transfer).transfer.asked_by == who.name],
        "waits": [one for one in found if one.done is None],
        "ended": [one for one in found if one.done is not None],
    }


ROUTES = (
    Route("/officer/tasks", listing, ("officer",), nav=T("Duties")),
    Route("/officer/tasks/{task}/done", done, ("officer",), "POST"),
)
