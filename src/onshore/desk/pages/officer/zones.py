"""Restricted zones: which lists stand, whose they are; import one, remove one. No coordinate is shown."""

from onshore.desk import problems, why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.desk.why import Decision
from onshore.register import zones
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal

MOST = 33 << 20  # bytes of a form: a list has 32 MiB at most
KINDS = ("military", "government")
DATUMS = ("WGS-84", "GCJ-02")


def listing(site: Site, _who: Who, _asked: Asked) -> Answer:
    """The lists that stand, those that were removed, and the rule that has them kept clear."""
    return Page("officer/zones.html", _data(site))


def put_on_file(site: Site, who: Who, asked: Asked) -> Answer:
    """Import a list of zones from a GeoJSON file."""
    sent = asked.file("file")
    origin = zones.Origin(
        name=asked.text("name", sent.name or "zones"),
        source=asked.text("source"),
        kind=asked.one_of("kind", KINDS),
        datum=asked.one_of("datum", DATUMS),
        margin=asked.number("margin", least=0, most=1_000_000),
    )
    try:
        text = sent.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("not UTF-8", where="file") from None
    try:
        done = zones.put_on_file(site, text, origin, who.name)
    except Refusal as refusal:
        shown = _data(site) | {"refused": why.of_refusal(site, refusal)}
        return Page("officer/zones.html", shown, problems.of_error(refusal).status)
    site.settle(done.entry)
    count = done.paper["features"]
    said = T("Imported: %(count)s zones. They hold for everything that arrives from now on.")
    return Moved("/officer/zones", said, {"count": count}, data={"id": done.id, "features": count})


def remove(site: Site, _who: Who, asked: Asked) -> Answer:
    """Remove a list, from this instant; what arrived before stays withheld."""
    done = zones.remove(site, asked.where["zone"])
    site.settle(done.entry)
    said = T("Removed from this instant on. What arrived before stays withheld.")
    return Moved("/officer/zones", said, data={"id": done.id})


def _data(site: Site) -> dict[str, object]:
    found = zones.listed(site)
    return {
        "standing": [one for one in found if one.removed is None],
        "removed": [one for one in found if one.removed is not None],
        "kinds": KINDS,
        "datums": DATUMS,
        "rule": _rule(site),
    }


def _rule(site: Site) -> Decision | None:
    """By which rule of the pack a zone is kept clear."""
    rule = site.pack.collect.restricted_zone
    if rule is None:
        return None
    return Decision("withhold", (why.of_reason((site.pack,), rule.reason("restricted-zone")),))


ROUTES = (
    Route("/officer/zones", listing, ("officer",), nav=T("Zones")),
    Route("/officer/zones", put_on_file, ("officer",), "POST", most=MOST),
    Route("/officer/zones/{zone}/remove", remove, ("officer",), "POST"),
)
