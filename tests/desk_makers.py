"""A desk over a real site, its clock in our hands, and browsers that are signed in to it as anybody of any role."""

import re
from contextlib import contextmanager

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from onshore.desk.app import app
from onshore.desk.forms import token_for
from onshore.register import accounts, passwords

PASSWORD = "correct horse battery staple"
NAMES = {role: role for role in ("engineer", "officer", "regulator", "operator")}
"""Of site.toml, as `onshore init` writes it; of owners each is made for a car."""

HERE = "http://127.0.0.1"


@contextmanager
def quick_passwords():
    """Argon2 with little to do: how much it has is the library's business, that it is asked is ours."""
    with pytest.MonkeyPatch.context() as changed:
        little = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        changed.setattr(passwords, "_ARGON2ID", little)
        passwords._nobodys.cache_clear()
        yield
    passwords._nobodys.cache_clear()


class Browser(TestClient):
    """A browser at the desk. Forms that it sends carry the token of its session, as those of a page do."""

    def __init__(self, desk, served, **named):
        super().__init__(served, base_url=HERE, follow_redirects=False, **named)
        self.desk = desk

    def form(self, path, **fields):
        """Send a form (POST); `csrf=""` leaves its token out."""
        return self.post(path, data={"csrf": self.token(), **fields})

    def token(self):
        """What the forms of this browser carry."""
        if not self.cookies.get("onshore-visitor"):
            self.get("/sign-in")
        seed = self.cookies.get("onshore-session") or self.cookies.get("onshore-visitor")
        return token_for(self.desk.site, seed)

    def sign_in(self, name, password=PASSWORD, **more):
        """Send the form to sign in with."""
        return self.form("/sign-in", name=name, password=password, **more)

    def texts(self, path):
        """The words of a page, its tags taken out."""
        return " ".join(re.sub(r"<[^>]*>", " ", self.get(path).text).split())


class Desk:
    """The desk of `hands.site`; `as_(role)` is a browser that somebody of that role has signed in with."""

    def __init__(self, hands, **served):
        self.hands, self.site = hands, hands.site
        self.app = app(hands.site, **served)
        self._in = {}

    def browser(self, **named):
        """A browser of nobody."""
        return Browser(self, self.app, **named)

    def as_(self, role, car=1):
        """The same browser each time; an owner's is signed in for the owner of that car."""
        key = (role, car if role == "owner" else 0)
        if key not in self._in:
            self._in[key] = self.browser()
            assert self._in[key].sign_in(self.account(role, car)).status_code == 303
        return self._in[key]

    def account(self, role, car=1):
        """The name of an account of a role, made if there is none."""
        name = f"owner-of-{car}" if role == "owner" else NAMES[role]
        if name not in {one.name for one in accounts.listed(self.site)}:
            person = self.hands.car(car).owner if role == "owner" else None
            accounts.add(self.site, name, role, PASSWORD, person=person)
        return name
