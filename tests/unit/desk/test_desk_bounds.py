"""Bounds: what a stranger may send, how long the desk waits for it, and whom it counts as."""

import asyncio
import threading

import pytest
from argon2 import PasswordHasher
from starlette.requests import Request
from starlette.testclient import TestClient

from desk_makers import PASSWORD, Desk
from onshore.desk import answering, forms
from onshore.desk.asked import Sent
from onshore.desk.forms import Form, TooLarge, form_of, read_body
from onshore.desk.pace import address
from onshore.desk.page import Moved, Page
from onshore.desk.route import ANYBODY, EVERYBODY, Route
from onshore.desk.routes import ROUTES
from onshore.register import accounts, passwords
from onshore.site import open_site
from onshore.words.errors import Malformed

MULTI = "multipart/form-data; boundary=x"
PLAIN = "application/x-www-form-urlencoded"


def part(name, value, more=""):
    return b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name.encode(), more.encode(), value)


def echo(_site, _who, asked):
    return Page("patterns.html", {"fields": [list(one) for one in asked.fields if one[0] != "csrf"]})


def done(_site, _who, _asked):
    return Moved("/done")


def shop(hands):
    return Desk(hands, routes=(*ROUTES, Route("/new", echo, EVERYBODY, "POST")))


def counting(monkeypatch):
    """How often a body is read, from here on."""
    read = []

    async def reading(request, most):
        read.append(most)
        return await read_body(request, most)

    monkeypatch.setattr(answering, "read_body", reading)
    return read


@pytest.mark.parametrize("charset", ["punycode", "undefined", "idna", "utf-16", "none-such"])
def test_a_form_is_utf8_whatever_its_sender_calls_it(charset):
    body = part("ö", "ß".encode()) + part("list", b"1", '; filename="é"') + b"--x--\r\n"
    found = form_of(f"{MULTI}; charset={charset}", body, 1000)
    assert found == Form((("ö", "ß"),), {"list": Sent("é", b"1")})


@pytest.mark.parametrize("charset", ["punycode", "undefined"])
def test_a_charset_reaches_nobody_through_the_desk(hands, charset):
    browser = shop(hands).as_("officer")
    headers = {"content-type": f"multipart/form-data; charset={charset}; boundary=x"}
    body = part("csrf", browser.token().encode()) + part("a", "ä".encode()) + b"--x--\r\n"
    said = browser.post("/new.json", content=body, headers=headers)
    assert (said.status_code, said.json()) == (200, {"fields": [["a", "ä"]]})


@pytest.mark.parametrize("said", ['; boundary="x y"', "; charset=utf-8; Boundary=x", ";boundary=--=_x'()+,./:?; a=b"])
def test_a_boundary_is_read_as_senders_write_it(said):
    boundary = said.lower().partition("boundary=")[2].partition(";")[0].strip('"').encode()
    body = (part("a", b"1") + b"--x--\r\n").replace(b"--x", b"--" + boundary)
    assert form_of("multipart/form-data" + said, body, 1000).fields == (("a", "1"),)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b""),
        ("multipart/form-data; boundary*=punycode''x", b""),
        ('multipart/form-data; boundary="\\""', b""),
        (f"multipart/form-data; boundary={'x' * 71}", b""),
        (MULTI, b"--y\r\n"),
        (MULTI, b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n"),
        (MULTI, part("a", b"1") * 501 + b"--x--\r\n"),
        (PLAIN, b"a=1&" * 501),
        (PLAIN, b"a=" + b"1" * 9000),
        ("application/json", b'{"a":"\xff"}'),
        ("application/json", b"[1]"),
        ("application/json", b'{"a":[' + b'"1",' * 500 + b'"1"]}'),
        ("application/json", b"{" + b",".join(b'"%d":1' % n for n in range(501)) + b"}"),
    ],
)
def test_what_cannot_be_read_is_malformed(kind, body):
    with pytest.raises(Malformed):
        form_of(kind, body, 8000)


def test_as_many_fields_as_there_may_be_are_read_in_each_form():
    bodies = {
        MULTI: part("a", b"1") * 500 + b"--x--\r\n",
        PLAIN: b"a=1&" * 500,
        "application/json": b'{"a":[' + b'"1",' * 499 + b'"1"]}',
    }
    for kind, body in bodies.items():
        assert form_of(kind, body, 1 << 20).fields == (("a", "1"),) * 500


def test_a_form_is_parsed_beside_the_loop(hands, monkeypatch):
    loops, threads = [], []

    async def reading(request, most):
        loops.append(threading.get_ident())
        return await read_body(request, most)

    def parsing(*given):
        threads.append(threading.get_ident())
        return form_of(*given)

    monkeypatch.setattr(answering, "read_body", reading)
    monkeypatch.setattr(answering, "form_of", parsing)
    assert shop(hands).as_("officer").form("/theme", theme="dark").status_code == 303
    assert len(loops) == len(threads) == 2, "of signing in, and of this"
    assert all(loop != thread for loop, thread in zip(loops, threads, strict=True))


def test_nothing_is_read_of_whoever_may_not_send_it(hands, monkeypatch):
    routes = [Route(path, done, ("officer",), "POST", most=1 << 20, few=few) for path, few in (("/a", 0), ("/b", 1))]
    desk = Desk(hands, routes=(*ROUTES, *routes))
    stranger, owner, officer = desk.browser(), desk.as_("owner"), desk.as_("officer")
    read = counting(monkeypatch)
    assert stranger.post("/a", content=b"x" * 100).status_code == 401
    assert owner.post("/a", content=b"x" * 100).status_code == 403
    assert read == []
    assert officer.form("/a").status_code == 303
    assert [officer.form("/b").status_code for _ in range(2)] == [303, 429]
    assert read == [1 << 20] * 2, "and none of what came too soon"


def test_a_stranger_sends_no_more_than_a_small_form(hands):
    desk = Desk(hands, routes=(*ROUTES, Route("/all", done, ANYBODY, "POST", most=1 << 20)))
    stranger, officer = desk.browser(), desk.as_("officer")
    assert stranger.form("/all", a="x" * (64 << 10)).status_code == 413
    assert officer.form("/all", a="x" * (64 << 10)).status_code == 303


def test_whoever_is_signed_out_while_sending_has_sent_nothing(hands, monkeypatch):
    browser = shop(hands).as_("officer")

    async def reading(request, most):
        accounts.disable(hands.site, "officer")
        return await read_body(request, most)

    monkeypatch.setattr(answering, "read_body", reading)
    said = browser.post("/new.json", json={}, headers={"x-csrf-token": browser.token()})
    assert (said.status_code, said.json()["reason"]) == (401, "not-signed-in")


def asked(*chunks):
    left = list(chunks)

    async def receive():
        if not left:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_a_body_that_does_not_end_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(forms, "_WAITS", 0)
    with pytest.raises(TimeoutError):
        asyncio.run(read_body(asked(b"a"), 1000))
    with pytest.raises(TooLarge):
        asyncio.run(read_body(asked(b"a" * 1001), 1000))


def test_whoever_sends_too_slowly_is_told_and_let_go(hands, monkeypatch):
    browser = shop(hands).as_("officer")

    async def reading(_request, _most):
        raise TimeoutError

    monkeypatch.setattr(answering, "read_body", reading)
    said = browser.post("/new.json")
    assert (said.status_code, said.json()["reason"], said.headers["connection"]) == (408, "malformed", "close")


def test_a_fault_is_told_behind_our_headers(hands):
    def act(*_):
        raise ValueError

    browser = Desk(hands, routes=(*ROUTES, Route("/fault", act, EVERYBODY))).as_("officer")
    browser._transport.raise_server_exceptions = False
    for path in ("/fault", "/fault.json"):
        said = browser.get(path)
        assert said.status_code == 500
        assert said.headers["content-security-policy"].startswith("default-src 'none'")
        assert (said.headers["cache-control"], said.headers["x-content-type-options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("name", ["_AT_ONCE", "_IN_LINE"])
def test_whoever_comes_while_too_many_sign_in_is_told_to_wait(desk, monkeypatch, name):
    browser, officer = desk.browser(), desk.account("officer")
    monkeypatch.setattr(passwords, "_PATIENCE", 0.001)
    with monkeypatch.context() as full:
        full.setattr(passwords, name, threading.Semaphore(0))
        with pytest.raises(passwords.Busy):
            passwords.kept(PASSWORD)
        said = browser.sign_in(officer)
        assert (said.status_code, said.headers["retry-after"]) == (429, "5")
        assert "set-cookie" not in said.headers
    assert browser.sign_in(officer).status_code == 303, "and nobody is left in line"


def test_a_turn_is_given_back_whatever_becomes_of_it(monkeypatch):
    class Failing:
        def hash(self, _password):
            raise MemoryError

    with monkeypatch.context() as failing:
        failing.setattr(passwords, "_ARGON2ID", Failing())
        for _ in range(20):
            with pytest.raises(MemoryError):
                passwords.kept(PASSWORD)
    monkeypatch.setattr(passwords, "_ARGON2ID", PasswordHasher(1, 64, 1))
    assert passwords.fits(PASSWORD, passwords.kept(PASSWORD))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "198.51.100.1", "192.0.2.7"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        ("::1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, unknown", "127.0.0.1"),
        ("127.0.0.1", "[2001:db8:1:2:3::4]", "20010db800010002/64"),
        ("2001:db8:1:2:ffff::9", "", "20010db800010002/64"),
        ("::ffff:192.0.2.7", "", "192.0.2.7"),
        ("", "198.51.100.1", ""),
        ("testclient", "198.51.100.1", "testclient"),
    ],
)
def test_an_address_counts_as_whom_our_proxy_saw(peer, forwarded, found):
    assert address(peer, forwarded) == found


@pytest.mark.parametrize(("origin", "said"), [("https://desk.example", [200, 429, 200]), ("", [200, 429, 429])])
def test_behind_a_proxy_each_address_has_its_own_pace(hands, origin, said):
    toml = hands.site.folder / "site.toml"
    toml.write_text(f'{toml.read_text()}\n[desk]\norigin = "{origin}"\n')
    hands.site = open_site(hands.site.folder, clock=lambda: hands.now)
    desk = Desk(hands, routes=(*ROUTES, Route("/few", lambda *_: Page("x", {}), ANYBODY, few=1)))
    browser = TestClient(desk.app, base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    addresses = ("192.0.2.1", "8.8.8.8, 192.0.2.1", "192.0.2.2")
    found = [browser.get("/few.json", headers={"x-forwarded-for": one}).status_code for one in addresses]
    assert found == said


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/a"])
def test_no_link_of_a_page_leads_off_the_desk(desk, path):
    page = desk.browser().get(f"http://127.0.0.1{path}").text
    assert 'href="/?lang=de"' in page
    assert "evil.example" not in page
