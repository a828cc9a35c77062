"""Granting a permit for a request, with limits; or taking in one that was signed elsewhere."""

import json
from datetime import date
from typing import Any

from onshore.border import granting, grants, requests
from onshore.border.permits.permit import text_of
from onshore.border.rows import transforms
from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site
from onshore.words.errors import Malformed, OnshoreError, Refusal
from onshore.words.permit import Permit

_NOTE = 64 << 10  # characters of a signed permit at most
_FORM = 256 << 10


def form(site: Site, who: Who, asked: Asked) -> Answer:
    """The form, with what is asked for beside it."""
    return Page("regulator/grant.html", _shown(site, who, asked))


def grant(site: Site, who: Who, asked: Asked) -> Answer:
    """Sign a permit with the regulator's key that lies beside the site, and put it on file."""
    site.person(who.name, "regulator")
    try:
        signer = granting.signer(site, who.name, "regulator", granting.key_beside(site.folder))
        granted = grants.grant(site, _drafted(site, who, asked), signer)
    except (Refusal, Malformed) as error:
        return _again(site, who, asked, error)
    return _done(granted)


def words(site: Site, who: Who, asked: Asked) -> Answer:
    """The words of the permit, for a regulator who signs elsewhere."""
    site.person(who.name, "regulator")
    try:
        drafted = _drafted(site, who, asked)
    except (Refusal, Malformed) as error:
        return _again(site, who, asked, error)
    data = {"request": asked.where["request"], "permit": drafted.id, "text": text_of(drafted)}
    return Page("regulator/words.html", data)


def take_in(site: Site, who: Who, asked: Asked) -> Answer:
    """Put a permit on file that was signed elsewhere."""
    site.person(who.name, "regulator")
    note = asked.text("note", longest=_NOTE).replace("\r\n", "\n") + "\n"
    try:
        found = json.loads(note.partition("\n")[0])
    except ValueError:
        found = None
    if not isinstance(found, dict) or found.get("transfer") != asked.where["request"]:
        raise Malformed("these are not the words of a permit for this request with a signature below", where="note")
    return _done(grants.put_on_file(site, note))


def _done(granted: Permit) -> Moved:
    to = f"/regulator/permits/{granted.id}"
    return Moved(to, T("Granted: at most %(num)d persons."), {"num": granted.persons}, data={"permit": granted.id})


def _again(site: Site, who: Who, asked: Asked, error: OnshoreError) -> Page:
    refusal = error if isinstance(error, Refusal) else Refusal("malformed", str(error))
    data = _shown(site, who, asked) | {"refused": why.of_refusal(site, refusal)}
    return Page("regulator/grant.html", data, status=422 if isinstance(error, Malformed) else 409)


def _shown(site: Site, who: Who, asked: Asked) -> dict[str, Any]:
    standing = requests.find(site, asked.where["request"])
    transfer, today = standing.transfer, site.today()
    every = sorted(name for name, signal in site.catalogue.items() if signal.category in transfer.categories)
    said = {name: asked.text(name, "", longest=200) for name in ("persons", "start", "until", "rows", "space", "time")}
    said |= {"start": said["start"] or today.isoformat(), "rows": said["rows"] or "0"}
    return {
        "request": transfer.id,
        "state": standing.state,
        "purpose": transfer.purpose,
        "categories": transfer.categories,
        "recipient": transfer.recipient,
        "to": site.recipient(transfer.recipient).jurisdiction,
        "route": standing.verdict.route or "none",
        "method": transfer.method,
        "decided": why.of_verdict(site, standing.verdict),
        "signals": [name for name in every if not transfer.signals or name in transfer.signals],
        "said": said,
        "chosen": {name: asked.all(name) for name in ("signal", "drop", "mask")},
        "most_metres": transforms.MOST_METRES,
        "most_seconds": transforms.MOST_SECONDS,
        "key_here": _signs_here(site, who),
        "refused": None,
    }


def _signs_here(site: Site, who: Who) -> bool:
    try:
        granting.signer(site, who.name, "regulator", granting.key_beside(site.folder))
    except OnshoreError:
        return False
    return True


def _drafted(site: Site, who: Who, asked: Asked) -> Permit:
    """The permit's words; there is no limit of the form that the command does not have."""
    how = [f"{name}:{one}" for name in ("drop", "mask") for one in asked.all(name)]
    how += [f"{name}:{asked.number(name, least=1)}" for name in ("space", "time") if asked.text(name, "")]
    limits = granting.Limits(
        persons=asked.number("persons", least=1),
        start=_day(asked, "start"),
        until=_day(asked, "until"),
        signals=asked.all("signal"),
        rows=asked.number("rows", 0),
        transforms=tuple(how),
    )
    return granting.drafted(site, asked.where["request"], limits, who.name)


def _day(asked: Asked, name: str) -> date:
    try:
        return date.fromisoformat(asked.text(name))
    except ValueError:
        raise Malformed("it is a day, as 2026-11-22", where=name) from None


_HERE = "/regulator/requests/{request}"
ROUTES = (
    Route(f"{_HERE}/grant", form, ("regulator",)),
    Route(f"{_HERE}/grant", grant, ("regulator",), "POST", most=_FORM),
    Route(f"{_HERE}/words", words, ("regulator",), "POST", most=_FORM),
    Route(f"{_HERE}/note", take_in, ("regulator",), "POST", most=_FORM),
)
