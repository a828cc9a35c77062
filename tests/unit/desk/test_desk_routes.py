"""The table of routes, walked: whose each is, that it has a twin, that no form is taken without its token."""

import re

import pytest

from desk_makers import Desk
from onshore.desk.page import Moved, Page
from onshore.desk.route import ANYBODY, EVERYBODY, Route
from onshore.desk.routes import ROUTES, refuse_doubled
from onshore.desk.who import NOBODY, ROLES
from onshore.words.errors import Broken, Malformed, Refusal

GETS = [route for route in ROUTES if route.method == "GET"]
POSTS = [route for route in ROUTES if route.method == "POST"]
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


def filled(path):
    """A path with something in place of its parameters."""
    return re.sub(r"\{[a-z_]+\}", "none-such", path)


def named(route):
    return f"{route.method} {route.path}"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """One desk for the whole walk: nothing of it changes anything."""
    from site_makers import Hands

    return Desk(Hands(tmp_path_factory.mktemp("walk") / "site"))


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_a_route_says_whose_it_is(route):
    assert set(route.roles) <= set(ANYBODY)
    assert route.roles
    if route.area != "common":
        assert route.roles == (route.area,), "a path that begins with a role is that role's alone"


@pytest.mark.parametrize("roles", [(), ("somebody",)])
def test_a_route_that_does_not_say_whose_it_is_ends_the_start(roles):
    with pytest.raises(Broken, match="does not say whose"):
        Route("/new", lambda *_: Page("x.html"), roles)


@pytest.mark.parametrize("path", ["new", "/New", "/a b", "/x/", "/x.json", "/{Case}"])
def test_a_path_has_one_form(path):
    with pytest.raises(Broken, match="no path"):
        Route(path, lambda *_: Page("x.html"), EVERYBODY)


def test_two_routes_of_one_path_end_the_start():
    with pytest.raises(Broken, match="two routes are GET /owner"):
        refuse_doubled((*ROUTES, Route("/owner", lambda *_: Page("x.html"), ("officer",))))


@pytest.mark.parametrize("route", [r for r in ROUTES if NOBODY not in r.roles], ids=named)
def test_whoever_has_not_signed_in_is_asked_to(house, route):
    browser, path = house.browser(), filled(route.path)
    if route.method == "GET":
        asked = browser.get(path)
        assert (asked.status_code, asked.headers["location"]) == (303, f"/sign-in?to={path}")
    else:
        assert browser.form(path).status_code == 401
    if not route.file:
        said = browser.request(route.method, filled(route.twin))
        assert said.status_code == 401
        assert said.headers["content-type"] == "application/problem+json"
        assert said.json()["reason"] == "not-signed-in"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", [r for r in ROUTES if set(r.roles) < set(EVERYBODY)], ids=named)
def test_another_role_is_refused(house, route, role):
    if role in route.roles:
        return
    browser, path = house.as_(role), filled(route.path)
    assert (browser.get(path) if route.method == "GET" else browser.form(path)).status_code == 403
    if not route.file:
        said = browser.request(route.method, filled(route.twin))
        assert (said.status_code, said.json()["reason"]) == (403, "not-your-role")


@pytest.mark.parametrize("route", [r for r in GETS if "{" not in r.path and not r.file], ids=named)
def test_a_page_has_a_twin(house, route):
    browser = house.browser() if NOBODY in route.roles else house.as_(route.roles[0])
    page, twin = browser.get(route.path), browser.get(route.twin)
    assert page.status_code in (200, 303)
    assert twin.status_code == 200
    assert isinstance(twin.json(), dict)
    assert browser.get(route.path, headers={"accept": "application/json"}).json().keys() == twin.json().keys()


@pytest.mark.parametrize("route", POSTS, ids=named)
def test_a_form_without_its_token_is_refused(house, route):
    role = next((one for one in route.roles if one != NOBODY), NOBODY)
    for browser in [house.as_(role)] + ([house.browser()] if NOBODY in route.roles else []):
        path = filled(route.path)
        browser.get("/sign-in")
        assert browser.post(path).status_code == 403
        assert "csrf" in browser.post(path, data={"csrf": "x" * 43}).text
        other = browser.post(path, data={"csrf": browser.token()}, headers={"sec-fetch-site": "cross-site"})
        assert other.status_code == 403
        said = browser.post(filled(route.twin), json={})
        assert (said.status_code, said.json()["reason"]) == (403, "csrf")


@pytest.mark.parametrize("path", ["/", "/sign-in", "/owner", "/owner.json", "/none", "/none.json", "/static/none.css"])
@pytest.mark.parametrize("host", ["http://127.0.0.1", "http://evil.example"])
def test_every_answer_has_its_headers(house, path, host):
    said = house.browser().get(host + path)
    assert {name: said.headers[name] for name in HEADERS} == HEADERS
    assert said.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert said.headers["cache-control"] == "no-store"
    assert (said.status_code == 421) == (host == "http://evil.example")


def test_files_are_kept_for_ever_under_the_digest_in_their_name(house):
    page = house.browser().get("/sign-in").text
    paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(paths) == 4
    for path in paths:
        said = house.browser().get(path)
        assert said.status_code == 200
        assert said.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert house.browser().get(path.replace(".", ".0", 1)).status_code == 404


def test_a_page_asks_for_nothing_from_outside_and_holds_no_script(house):
    for role in ROLES:
        page = house.as_(role).get(f"/{role}").text
        assert not re.search(r'(?:src|href|action)="(?!/|#|\?)', page)
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=", page)
        assert len(page) < 60_000


def shop(hands, *routes):
    return Desk(hands, routes=(*ROUTES, *routes))


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (Refusal("four-eyes", "another does <b>it</b>", article="Art. 1", remedy="ask 100% of them"), 403, "four-eyes"),
        (Refusal("case-unknown", "there is no such case"), 404, "case-unknown"),
        (Refusal("meter-full", "no more"), 409, "meter-full"),
        (Malformed("it is <i>odd</i>", where="number"), 422, "malformed"),
        (Broken("somebody <u>tampered</u>"), 500, "broken"),
    ],
)
def test_an_error_is_told_as_page_and_as_problem(hands, error, status, says):
    def act(*_):
        raise error

    browser = shop(hands, Route("/new", act, EVERYBODY)).as_("officer")
    page, twin = browser.get("/new"), browser.get("/new.json")
    assert (page.status_code, twin.status_code) == (status, status)
    assert str(getattr(error, "remedy", "")).split("%", maxsplit=1)[0] in page.text
    assert not re.search("<[biu]>", page.text)
    assert twin.headers["content-type"] == "application/problem+json"
    assert twin.json()["type"] == f"urn:onshore:problem:{says}"
    assert twin.json()["status"] == status
    assert twin.json()["detail"] == str(error)


def test_what_was_not_foreseen_is_told_without_its_words(hands):
    def act(*_):
        raise ValueError("a secret")

    browser = shop(hands, Route("/new", act, EVERYBODY)).as_("officer")
    browser._transport.raise_server_exceptions = False
    said = browser.get("/new.json")
    assert said.status_code == 500
    assert "secret" not in said.text
    assert said.json()["reason"] == "broken"


def test_an_act_moves_on_with_a_message_that_is_told_once(hands):
    def act(_site, who, asked):
        return Moved("/officer", "Number %(n)s is filed.", {"n": asked.text("n")}, data={"by": who.name})

    browser = shop(hands, Route("/officer/new", act, ("officer",), "POST")).as_("officer")
    done = browser.form("/officer/new", n="<7>")
    assert (done.status_code, done.headers["location"]) == (303, "/officer")
    assert "Number &lt;7&gt; is filed." in browser.get("/officer").text
    assert "is filed" not in browser.get("/officer").text
    said = browser.post("/officer/new.json", json={"n": 8}, headers={"x-csrf-token": browser.token()})
    assert said.json() == {"to": "/officer", "by": "officer"}
    assert "is filed" not in browser.get("/officer").text


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "/x\ny"])
def test_nobody_is_sent_elsewhere(hands, to):
    browser = shop(hands, Route("/new", lambda *_: Moved(to), EVERYBODY)).as_("officer")
    assert browser.get("/new").headers["location"] == "/"


def test_more_than_a_form_takes_is_refused(hands):
    browser = shop(hands, Route("/new", lambda *_: Moved("/"), EVERYBODY, "POST", most=1000)).as_("officer")
    assert browser.form("/new", x="y" * 500).status_code == 303
    assert browser.form("/new", x="y" * 1000).status_code == 413


def test_files_come_with_a_form(hands):
    def act(_site, _who, asked):
        sent = asked.file("list")
        return Page("patterns.html", {"name": sent.name, "bytes": len(sent.body), "note": asked.text("note")})

    browser = shop(hands, Route("/new", act, EVERYBODY, "POST", most=3 << 20)).as_("officer")
    fields = {"csrf": browser.token(), "note": " a "}
    said = browser.post("/new.json", data=fields, files={"list": ("zones.geojson", b"x" * (2 << 20))})
    assert said.json() == {"name": "zones.geojson", "bytes": 2 << 20, "note": "a"}
    assert browser.post("/new.json", data=fields, files={"list": ("empty", b"")}).status_code == 422
    headers = {"content-type": "multipart/form-data", "x-csrf-token": browser.token()}
    torn = browser.post("/new.json", content=b"--x\r\n", headers=headers)
    assert (torn.status_code, torn.json()["reason"]) == (422, "malformed")


def test_whoever_asks_too_often_waits(hands):
    site = hands.site
    toml = site.folder / "site.toml"
    toml.write_text(toml.read_text() + "\n[desk]\nrequests = 60\n")
    from onshore.site import open_site

    hands.site = open_site(site.folder, clock=lambda: hands.now)
    browser = Desk(hands).browser()
    said = [browser.get("/sign-in").status_code for _ in range(62)]
    assert said == [200] * 60 + [429] * 2
    assert int(browser.get("/sign-in").headers["retry-after"]) >= 1
    hands.now += 3000
    assert browser.get("/sign-in").status_code == 200
