"""An operator's first page: whether all is well."""

from onshore import __version__
from onshore.desk.asked import Asked
from onshore.desk.looks.status import looks
from onshore.desk.page import Answer, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site


def status(site: Site, _who: Who, _asked: Asked) -> Answer:
    """What `onshore check` says of a site that is open, what is bad first."""
    found = [{"what": one.what, "good": one.good, "says": one.says} for one in looks(site)]
    lines = sorted(found, key=lambda one: bool(one["good"]))
    bad = sum(not one["good"] for one in found)
    return Page("operator/status.html", {"bad": bad, "lines": lines, "version": __version__, "at": site.clock()})


ROUTES = (Route("/operator", status, ("operator",), nav=T("Status")),)
