"""The entrance: signing in and out, cookies, and who that makes one."""

import pytest

from desk_makers import NAMES, PASSWORD, Desk
from onshore.desk.browser import local
from onshore.desk.page import Page
from onshore.desk.route import EVERYBODY, Route
from onshore.desk.routes import ROUTES
from onshore.register import accounts, views
from onshore.site import open_site


def test_signing_in_leads_to_the_first_page_of_ones_role(desk):
    for role in ("owner", *NAMES):
        browser = desk.as_(role)
        assert browser.get("/").headers["location"] == f"/{role}"
        assert browser.get("/sign-in").headers["location"] == "/"
        assert browser.get(f"/{role}").status_code == 200
    assert desk.browser().get("/").headers["location"] == "/sign-in"
    assert desk.browser().get("/index.json").json() == {"to": "/sign-in"}


def test_one_comes_to_the_page_that_one_asked_for(desk):
    browser, name = desk.browser(), desk.account("officer")
    assert browser.get("/patterns").headers["location"] == "/sign-in?to=/patterns"
    assert 'name="to" value="/patterns"' in browser.get("/sign-in?to=/patterns").text
    assert browser.sign_in(name, to="/patterns").headers["location"] == "/patterns"
    assert browser.sign_in(name, to="//evil.example").headers["location"] == "/"


def test_what_is_wrong_is_told_in_one_word_and_nothing_is_set(desk):
    browser = desk.browser()
    for name in (desk.account("officer"), "nobody-here"):
        said = browser.sign_in(name, "wrong")
        assert said.status_code == 403
        assert "sign-in-refused" in said.text
        assert "wrong" not in said.text
        assert "set-cookie" not in said.headers
    assert browser.get("/officer").status_code == 303


def test_a_token_that_was_there_before_is_worth_nothing_after(desk):
    browser = desk.as_("officer")
    before = browser.cookies["onshore-session"]
    assert browser.sign_in("officer").status_code == 303
    after = browser.cookies["onshore-session"]
    assert before != after
    browser.cookies.set("onshore-session", before, domain="127.0.0.1")
    thief = desk.browser(cookies={"onshore-session": before})
    assert thief.get("/officer").status_code == 303


def test_a_form_of_before_is_not_taken_after_signing_in(desk):
    browser, name = desk.browser(), desk.account("officer")
    old = browser.token()
    browser.sign_in(name)
    assert browser.post("/sign-out", data={"csrf": old}).status_code == 403
    assert browser.form("/sign-out").headers["location"] == "/sign-in"
    assert browser.get("/officer").status_code == 303


def test_whoever_waits_too_long_signs_in_anew(desk):
    browser = desk.as_("officer")
    desk.hands.now += 29 * 60_000
    assert browser.get("/officer").status_code == 200
    desk.hands.now += 30 * 60_000
    assert browser.get("/officer").headers["location"] == "/sign-in?to=/officer"


def test_one_address_tries_twenty_times_a_minute(desk):
    browser = desk.browser()
    said = [browser.sign_in(f"guess-{number}", "") for number in range(21)]
    assert [one.status_code for one in said] == [403] * 20 + [429]
    desk.hands.now += 60_000
    assert browser.sign_in("guess", "").status_code == 403


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("", ("onshore-session", "onshore-visitor")),
        ('origin = "https://desk.example"', ("__Host-onshore-session", "__Host-onshore-visitor")),
    ],
)
def test_cookies_are_for_this_desk_alone(hands, table, names):
    toml = hands.site.folder / "site.toml"
    toml.write_text(f"{toml.read_text()}\n[desk]\n{table}\n")
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    desk = Desk(hands)
    browser = desk.browser()
    if table:
        browser.base_url = "https://desk.example"
        assert browser.get("/sign-in").headers["strict-transport-security"] == "max-age=31536000"
    page = browser.get("/sign-in")
    token = page.text.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": token, "name": desk.account("officer"), "password": PASSWORD}
    said = browser.post("/sign-in", data=form)
    assert said.status_code == 303, said.text
    assert {cookie.name for cookie in browser.cookies.jar} == set(names)
    for line in said.headers.get_list("set-cookie"):
        assert "HttpOnly" in line
        assert "SameSite=lax" in line
        assert "Path=/" in line
        assert "Domain" not in line
        assert ("Secure" in line) == bool(table)
    assert browser.get("/officer").status_code == 200


def test_an_account_is_asked_as_who_it_is_and_from_where(hands):
    """What the judge asks of people it asks of accounts: an officer who sits abroad exports by looking."""
    accounts.add(hands.site, "ada", "officer", PASSWORD, sits="DE")
    accounts.add(hands.site, "bo", "engineer", PASSWORD, sits="CN")
    seen = {}

    def act(site, who, _asked):
        seen[who.called] = site.person(who.name, who.role), views.refusal(site, who.name)
        return Page("patterns.html", {"sits": who.sits, "name": who.name})

    desk = Desk(hands, routes=(*ROUTES, Route("/new", act, EVERYBODY)))
    for name in ("ada", "bo"):
        browser = desk.browser()
        browser.sign_in(name)
        assert browser.get("/new.json").json()["name"] == name
    assert seen["ada"][0].jurisdiction == "DE"
    assert seen["ada"][1].reason == "view-is-export"
    assert seen["bo"][1] is None
    assert "ada" not in hands.site.settings.people
    assert desk.as_("owner").get("/new.json").json()["name"].startswith("owner-")


@pytest.mark.parametrize("path", ["/", "/officer/cases/7", "/a?b=c"])
def test_a_path_of_here_is_one(path):
    assert local(path) == path


def test_an_owner_sees_their_own_cars_and_no_other(desk):
    for car in (1, 2):
        desk.hands.allow(car)
    mine, other = desk.as_("owner", 1).get("/owner.json").json(), desk.as_("owner", 2).get("/owner.json").json()
    assert [car["id"] for car in mine["cars"]] == [f"{desk.hands.car(1).id:016x}"]
    assert [car["id"] for car in other["cars"]] == [f"{desk.hands.car(2).id:016x}"]
    assert [p["purpose"] for p in mine["cars"][0]["purposes"] if p["sent"]] == [
        "statutory-monitoring",
        "warranty-analysis",
    ]
