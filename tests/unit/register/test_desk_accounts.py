"""Accounts and sessions: who may sign in, for how long, after how many tries; every act is in the ledger."""

import json
import threading

import pytest
from sqlalchemy import select

from databases import held
from desk_makers import quick_passwords
from onshore.ledger.entry import digest, read
from onshore.register import accounts, codes, passwords, sessions
from onshore.site import open_site
from onshore.vault.papers import account_acts, account_tries, desk_sessions, entries, reading
from onshore.words.errors import Malformed, Refusal

PASSWORD, MINUTE = "correct horse battery staple", 60_000


@pytest.fixture(autouse=True, scope="module")
def _quick():
    with quick_passwords():
        yield


def refused(act, *args, **named):
    with pytest.raises(Refusal) as why:
        act(*args, **named)
    return why.value.reason


def states(site):
    with reading(site.engine) as conn:
        said = [read(body) for body in conn.execute(select(entries.c.body).order_by(entries.c.id)).scalars()]
    return [(one["state"], one["role"]) for one in said if one["t"] == "account"]


def test_an_account_is_listed_and_each_act_on_it_is_in_the_ledger(hands):
    site = hands.site
    made = accounts.add(site, "officer", "officer", PASSWORD, sits="DE", employer="stuttgart")
    assert accounts.listed(site) == [made] == [accounts.find(site, "OFFICER")]
    assert (made.sits, made.employer, made.coded, made.disabled) == ("DE", "stuttgart", False, None)
    accounts.change_password(site, "officer", PASSWORD + "!")
    assert accounts.ask_for_codes(site, "officer").startswith("otpauth://totp/Onshore%20shanghai:officer?secret=")
    assert accounts.disable(site, "officer").disabled == hands.now
    assert states(site) == [(state, "officer") for state in ("added", "password", "code", "disabled")]
    with reading(site.engine) as conn:
        for row in conn.execute(select(account_acts.c.paper, entries.c.body).join(entries)):
            assert digest(json.loads(row.paper)) == read(row.body)["obj"]
            assert "officer" not in row.paper


def test_papers_hold_neither_name_nor_password_nor_token(hands):
    accounts.add(hands.site, "annabelle@example.org", "owner", PASSWORD, person=hands.car(1).owner)
    secret = accounts.ask_for_codes(hands.site, "annabelle@example.org").partition("secret=")[2].partition("&")[0]
    import base64

    key = base64.b32decode(secret)
    code = codes.code(key, hands.now // codes.STEP)
    token = sessions.sign_in(hands.site, "annabelle@example.org", PASSWORD, code).token
    raw = held(hands.site.folder)
    for hidden in (b"annabelle", PASSWORD.encode(), token.encode(), key):
        assert hidden not in raw


@pytest.mark.parametrize(
    ("name", "more", "says"),
    [
        ("", {}, "a name has letters"),
        ("a b", {}, "a name has letters"),
        ("é", {}, "a name has letters"),
        ("x" * 65, {}, "a name has letters"),
        ("owner-0123456789abcdef", {}, "under which owners act"),
        ("Owner-7", {}, "under which owners act"),
        ("ada", {"sits": "China"}, "a jurisdiction's code"),
        ("ada", {"person": 7}, "an owner's account names its person"),
        ("ada", {"role": "owner"}, "an owner's account names its person"),
        ("ada", {"password": "short"}, "12 to 256 characters"),
        ("ada", {"password": "x" * 257}, "12 to 256 characters"),
        ("ada", {"password": "my name is ADA, so"}, "does not hold the account's name"),
        ("ada", {"password": "ababababababab"}, "few letters"),
    ],
)
def test_what_is_no_account_is_malformed(hands, name, more, says):
    asked = {"role": "officer", "password": PASSWORD} | more
    with pytest.raises(Malformed, match=says):
        accounts.add(hands.site, name, **asked)
    assert accounts.listed(hands.site) == []


def test_an_account_stands_on_what_is_known(hands):
    site = hands.site
    accounts.add(site, "ada", "officer", PASSWORD)
    assert refused(accounts.add, site, "Ada", "engineer", PASSWORD) == "account-known"
    assert refused(accounts.add, site, "regulator", "officer", PASSWORD) == "role-differs"
    assert refused(accounts.add, site, "eve", "owner", PASSWORD, person=7) == "no-keeper"
    assert refused(accounts.disable, site, "eve") == "account-unknown"
    accounts.disable(site, "ada")
    assert refused(accounts.disable, site, "ada") == "account-disabled"
    assert refused(sessions.sign_in, site, "ada", PASSWORD) == "sign-in-refused"


def named(site, more):
    """The site after site.toml was changed."""
    toml = site.folder / "site.toml"
    toml.write_text(f"{toml.read_text()}\n{more}\n")
    return open_site(site.folder, clock=site.clock)


def test_nobody_is_two_people_by_writing_a_name_otherwise(hands):
    site = named(hands.site, '[people."Ｂｏ"]\nrole = "officer"')
    assert refused(accounts.add, site, "Officer", "officer", PASSWORD) == "name-alike"
    assert refused(accounts.add, site, "bo", "officer", PASSWORD) == "name-alike"
    assert refused(accounts.add, site, "OFFICER", "regulator", PASSWORD) == "role-differs"
    assert accounts.listed(site) == []
    assert accounts.add(site, "officer", "officer", PASSWORD).name == "officer"


@pytest.mark.parametrize(
    ("people", "reason"),
    [('[people.ada]\nrole = "engineer"', "role-differs"), ('[people.Ada]\nrole = "officer"', "name-alike")],
)
def test_a_session_ends_where_site_toml_has_them_otherwise_now(hands, people, reason):
    accounts.add(hands.site, "ada", "officer", PASSWORD)
    token = sessions.sign_in(hands.site, "ada", PASSWORD).token
    assert sessions.session(hands.site, token).name == "ada"
    changed = named(hands.site, people)
    assert sessions.session(changed, token) is None
    assert refused(sessions.sign_in, changed, "ada", PASSWORD) == reason
    assert refused(sessions.sign_in, changed, "ada", PASSWORD + "?") == "sign-in-refused"
    assert sessions.session(hands.site, token) is None, "it does not come back"


def test_a_session_begins_anew_and_ends_by_either_limit(hands):
    site = hands.site
    ada = accounts.add(site, "ada", "officer", PASSWORD)
    first = sessions.sign_in(site, "ada", PASSWORD)
    second = sessions.sign_in(site, "ada", PASSWORD, old=first.token)
    assert (first.account, second.account) == (ada, ada)
    assert sessions.session(site, first.token) is None
    for _ in range(16):
        assert sessions.session(site, second.token) == ada
        hands.now += 29 * MINUTE
    hands.now += 17 * MINUTE
    assert sessions.session(site, second.token) is None, "eight hours are over, though nobody was idle"
    third = sessions.sign_in(site, "ada", PASSWORD)
    hands.now += 30 * MINUTE
    assert sessions.session(site, third.token) is None, "half an hour of nothing"
    with reading(site.engine) as conn:
        assert conn.execute(select(desk_sessions)).all() == []
    fourth = sessions.sign_in(site, "ada", PASSWORD)
    sessions.sign_out(site, fourth.token)
    assert sessions.session(site, fourth.token) is None
    assert sessions.session(site, "") is sessions.session(site, "guess") is None


def test_a_session_of_another_clock_is_none(hands):
    accounts.add(hands.site, "ada", "officer", PASSWORD)
    token = sessions.sign_in(hands.site, "ada", PASSWORD).token
    hands.now -= MINUTE
    assert sessions.session(hands.site, token) is None


@pytest.mark.parametrize("act", ["disable", "change_password", "ask_for_codes"])
def test_whoever_is_changed_is_signed_out(hands, act):
    accounts.add(hands.site, "ada", "officer", PASSWORD)
    token = sessions.sign_in(hands.site, "ada", PASSWORD).token
    getattr(accounts, act)(hands.site, "ada", *([PASSWORD + "2"] if act == "change_password" else []))
    assert sessions.session(hands.site, token) is None


@pytest.mark.parametrize("name", ["ada", "nobody-here"])
def test_a_name_is_locked_after_some_tries_be_it_anybodys_or_not(hands, name):
    site = hands.site
    accounts.add(site, "ada", "officer", PASSWORD)
    assert [refused(sessions.sign_in, site, name, "wrong") for _ in range(5)] == ["sign-in-refused"] * 5
    with pytest.raises(Refusal, match="waits for 15 minutes") as locked:
        sessions.sign_in(site, name, PASSWORD)
    assert locked.value.reason == "sign-in-locked"
    assert [state for state, _ in states(site)].count("locked") == (name == "ada")
    hands.now += 15 * MINUTE - 1
    assert refused(sessions.sign_in, site, name, PASSWORD) == "sign-in-locked"
    hands.now += 1
    if name == "ada":
        assert sessions.session(site, sessions.sign_in(site, name, PASSWORD).token)
        assert [refused(sessions.sign_in, site, name, "wrong") for _ in range(5)][-1] == "sign-in-refused"
        accounts.change_password(site, name, PASSWORD + "2")
        assert sessions.sign_in(site, name, PASSWORD + "2")
    else:
        assert refused(sessions.sign_in, site, name, PASSWORD) == "sign-in-refused"


def test_tries_are_forgotten_after_a_day(hands):
    for number in range(3):
        refused(sessions.sign_in, hands.site, f"guess-{number}", "wrong")
    hands.now += 24 * 60 * MINUTE + 1
    refused(sessions.sign_in, hands.site, "guess-9", "wrong")
    with reading(hands.site.engine) as conn:
        assert len(conn.execute(select(account_tries)).all()) == 1


def test_many_tries_at_once_are_as_many_tries(hands):
    accounts.add(hands.site, "ada", "officer", PASSWORD)
    found = []
    guess = [
        threading.Thread(target=lambda: found.append(refused(sessions.sign_in, hands.site, "ada", "wrong")))
        for _ in range(12)
    ]
    for one in guess:
        one.start()
    for one in guess:
        one.join()
    assert sorted(found) == ["sign-in-locked"] * 7 + ["sign-in-refused"] * 5


def test_nobodys_password_is_looked_at_as_long_as_anybodys(hands, monkeypatch):
    accounts.add(hands.site, "ada", "officer", PASSWORD)
    looked = []
    real = passwords._ARGON2ID
    passwords._nobodys()

    class Counting:
        def verify(self, kept, password):
            looked.append(kept.split("$")[1])
            return real.verify(kept, password)

    monkeypatch.setattr(passwords, "_ARGON2ID", Counting())
    for name in ("ada", "nobody-here"):
        refused(sessions.sign_in, hands.site, name, "wrong")
    assert looked == ["argon2id", "argon2id"]


def test_a_code_counts_once_and_not_for_long(hands):
    site = hands.site
    accounts.add(site, "ada", "officer", PASSWORD)
    import base64

    secret = base64.b32decode(accounts.ask_for_codes(site, "ada").partition("secret=")[2].partition("&")[0])
    code = codes.code(secret, hands.now // codes.STEP)
    assert refused(sessions.sign_in, site, "ada", PASSWORD) == "sign-in-refused"
    assert refused(sessions.sign_in, site, "ada", "wrong", code) == "sign-in-refused"
    assert sessions.sign_in(site, "ada", PASSWORD, code)
    assert refused(sessions.sign_in, site, "ada", PASSWORD, code) == "sign-in-refused"
    hands.now += codes.STEP
    late = codes.code(secret, hands.now // codes.STEP)
    hands.now += 2 * codes.STEP
    assert refused(sessions.sign_in, site, "ada", PASSWORD, late) == "sign-in-refused"
    assert sessions.sign_in(site, "ada", PASSWORD, codes.code(secret, hands.now // codes.STEP + 1))


def test_an_owner_who_signs_in_is_nobodys_business(hands):
    accounts.add(hands.site, "anna.w", "owner", PASSWORD, person=hands.car(1).owner)
    accounts.add(hands.site, "ada", "officer", PASSWORD)
    for name in ("anna.w", "ada"):
        sessions.sign_in(hands.site, name, PASSWORD)
    assert states(hands.site)[2:] == [("signed-in", "officer")]


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds, code):
    """RFC 6238, appendix B, SHA-1."""
    assert codes.code(b"12345678901234567890", seconds * 1000 // codes.STEP, 8) == code
