"""Entrance: signing in and out, where each role's first page is, and how the pages look."""

from onshore.desk import why
from onshore.desk.asked import Asked
from onshore.desk.browser import KEPT, local
from onshore.desk.page import Answer, Entered, Kept, Moved, Page
from onshore.desk.route import ANYBODY, EVERYBODY, Route
from onshore.desk.who import NOBODY, Who
from onshore.register import sessions
from onshore.site import Site
from onshore.words.errors import Refusal

_TRIES = 20  # a minute, of one address


def first(_site: Site, who: Who, _asked: Asked) -> Answer:
    """The first page of whoever asks."""
    return Moved("/sign-in" if who.role == NOBODY else f"/{who.role}")


def form(_site: Site, who: Who, asked: Asked) -> Answer:
    """The form to sign in with."""
    if who.role != NOBODY:
        return Moved("/")
    return Page("sign_in.html", {"to": local(asked.text("to", "/")), "name": "", "refused": None})


def sign_in(site: Site, _who: Who, asked: Asked) -> Answer:
    """Sign in; the same form again where something is not right."""
    name, to = asked.text("name", ""), local(asked.text("to", "/"))
    password = next((value for key, value in asked.fields if key == "password"), "")  # blanks count
    try:
        signed = sessions.sign_in(site, name, password, asked.text("code", ""), old=asked.token)
    except Refusal as refusal:
        return Page("sign_in.html", {"to": to, "name": name, "refused": why.of_refusal(site, refusal)}, 403)
    return Entered(signed.token, to)


def sign_out(site: Site, _who: Who, asked: Asked) -> Answer:
    """Sign out."""
    sessions.sign_out(site, asked.token)
    return Entered("", "/sign-in")


def theme(_site: Site, _who: Who, asked: Asked) -> Answer:
    """Light, dark, or as the browser has it."""
    return Kept("theme", asked.one_of("theme", KEPT["theme"], ""), local(asked.text("to", "/")))


ROUTES = (
    Route("/", first, ANYBODY),
    Route("/sign-in", form, ANYBODY),
    Route("/sign-in", sign_in, ANYBODY, "POST", few=_TRIES),
    Route("/sign-out", sign_out, EVERYBODY, "POST"),
    Route("/theme", theme, ANYBODY, "POST"),
)
