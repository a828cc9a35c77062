"""A look from abroad, or for somebody there, is an export: one gate for all that shows rows or persons."""

import json

import pytest

from onshore.query.asking import answered
from onshore.query.entries import Question
from onshore.register import views
from onshore.rights.access import access
from onshore.rights.take import take
from onshore.rights.whose import wish
from onshore.site import open_site
from onshore.vault.age import new_identity, recipient_of
from onshore.words.errors import Malformed, Refusal

ABROAD = {
    "sits abroad": 'jurisdiction = "DE"',
    "works for a recipient abroad": 'employer = "stuttgart"',
    "works for somebody abroad": 'employer_jurisdiction = "US"',
    "sits abroad for somebody at home": 'jurisdiction = "DE"\nemployer_jurisdiction = "CN"',
    "sits at home for somebody abroad": 'jurisdiction = "CN"\nemployer_jurisdiction = "DE"',
}


def with_person(hands, role, where, name="visitor"):
    toml = hands.site.folder / "site.toml"
    toml.write_text(toml.read_text() + f'\n[people.{name}]\nrole = "{role}"\n{where}\n')
    return open_site(hands.site.folder, clock=hands.site.clock)


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def entries(site):
    site.settle()
    return [json.loads(body) for body in site.ledger.entries() if json.loads(body)["t"] == "view"]


@pytest.mark.parametrize("where", ABROAD.values(), ids=ABROAD)
@pytest.mark.parametrize("role", ["operator", "officer", "regulator"])
def test_whoever_looks_from_abroad_or_for_somebody_there_is_refused_with_the_article(hands, role, where):
    site = with_person(hands, role, where)
    refusal = refused(lambda: views.refuse_abroad(site, "visitor", "vehicle-show"))
    assert refusal.reason == "view-is-export"
    assert refusal.article
    assert "onshore" in refusal.remedy
    (entry,) = entries(site)
    assert (entry["state"], entry["what"], entry["role"]) == ("refused", "vehicle-show", role)
    assert entry["dest"] in {"DE", "US"}


@pytest.mark.parametrize("name", ["operator", "officer", "regulator", "owner", "nobody-known"])
def test_who_looks_from_here_looks(hands, name):
    views.refuse_abroad(hands.site, name, "vehicle-show")
    assert entries(hands.site) == []


@pytest.mark.parametrize("where", ['jurisdiction = "CN"', 'jurisdiction = "HK"'])
def test_home_is_what_the_pack_has_as_home(hands, where):
    site = with_person(hands, "officer", where)
    home = where.split('"')[1] in site.pack.home
    assert (views.refusal(site, "visitor") is None) == home


def test_an_engineer_of_whom_nothing_is_said_sits_abroad_and_one_at_home_reads_nothing_either(hands):
    assert views.looking(hands.site, "engineer").abroad == views.SOMEWHERE
    assert views.refusal(hands.site, "engineer").article
    site = with_person(hands, "engineer", 'jurisdiction = "CN"')
    assert views.refusal(site, "visitor") is None
    with pytest.raises(Refusal) as caught, answered(site, Question("SELECT 1", "warranty-analysis", "visitor")):
        pass
    assert caught.value.reason == "not-your-act"


@pytest.mark.parametrize("employer", ["Stuttgart", "a recipient that was taken out", "stuttgart gmbh"])
def test_whose_employer_stands_nobody_knows_where_looks_from_abroad(hands, employer):
    """A recipient that is misspelt, or taken out of site.toml, does not bring its people home."""
    site = with_person(hands, "operator", f'employer = "{employer}"')
    refusal = refused(lambda: views.refuse_abroad(site, "visitor", "vehicle-show"))
    assert refusal.reason == "view-is-export"
    assert entries(site)[0]["dest"] == views.SOMEWHERE
    home = with_person(hands, "operator", f'employer = "{employer}"\nemployer_jurisdiction = "CN"', "colleague")
    views.refuse_abroad(home, "colleague", "vehicle-show")


def test_an_owner_sees_what_is_theirs_wherever_they_are(hands):
    site = with_person(hands, "owner", 'jurisdiction = "DE"')
    hands.drive(1)
    assert access(site, hands.car(1), "visitor")["held"]


@pytest.mark.parametrize("where", ABROAD.values(), ids=ABROAD)
def test_no_room_shows_rows_to_an_officer_abroad(hands, tmp_path, where):
    site = with_person(hands, "officer", where)
    hands.allow(1)
    hands.drive(1)
    car, key = hands.car(1), recipient_of(new_identity())
    question = Question("SELECT count(*) FROM track", "warranty-analysis", "visitor")

    def queried():
        with answered(site, question):
            pass

    everything = wish(site, car, person=car.owner)
    for act in (
        queried,
        lambda: access(site, car, "visitor"),
        lambda: take(site, car, "visitor", everything, folder=tmp_path / "copy", to=key),
    ):
        assert refused(act).reason == "view-is-export"
    assert not (tmp_path / "copy").exists()
    assert [e["what"] for e in entries(site)] == ["rights-access", "rights-take"]


@pytest.mark.parametrize("where", ['jurisdiction = "germany"', 'employer_jurisdiction = "D"', 'place = "DE"'])
def test_a_place_that_is_none_stops_the_start(hands, where):
    with pytest.raises(Malformed, match=r"site\.toml"):
        with_person(hands, "officer", where)
