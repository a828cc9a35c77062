"""What the law has kept is not erased but restricted, the person is told why and until when, and then it goes."""

from onshore.rights import cases, clocks
from onshore.rights.access import access
from onshore.rights.certificates import certificate, hand_out
from onshore.rights.erase import carry_out, erase
from onshore.vault.read import read
from onshore.words.vocabulary import STATUTORY
from rights_makers import DAY, floored, verified


def held(hands, number=1):
    found = access(hands.site, hands.car(number), "officer")["held"]
    return {(h["category"], h["ground"]): h["rows"] for h in found}


def readable(hands):
    site = hands.site
    where = {"categories": ["driving-behaviour", "track"], "start": 0, "until": 1 << 60}
    tables = read(site.engine, site.root, site.vault, site.id, use=STATUTORY, **where)
    return sum(table.num_rows for table in tables)


def test_a_floor_beats_the_wish_and_the_person_is_told(hands):
    floored(hands)
    hands.drive(1)
    case = erase(hands.site, hands.car(), "anna")
    paper = certificate(hands.site, case)
    assert verified(hands.site, paper)
    (kept,) = paper["receipt"]["kept"]
    assert (kept["article"], kept["rows"]) == ("Test Act, Art. 1", 20)
    assert (paper["receipt"]["rows"], case.state) == (40, "held")
    assert 30 * DAY <= kept["until"] - hands.now <= 31 * DAY
    assert held(hands) == {("driving-behaviour", "statutory"): 20}
    assert readable(hands) == 0
    seen = access(hands.site, hands.car(), "officer")["held"][0]
    assert seen["must_be_kept"]["article"] == "Test Act, Art. 1"
    assert [one.state for one in clocks.queue(hands.site)] == ["held"]
    assert "1 with rows that the law has kept" in clocks.told(hands.site)[1]


def test_what_comes_after_it_is_new_and_read_again(hands):
    floored(hands)
    hands.drive(1)
    erase(hands.site, hands.car(), "anna")
    hands.now += 60_000
    hands.drive(1)
    assert readable(hands) == 40  # 20 of each category, and none of before


def test_when_its_time_is_over_it_goes_by_itself(hands):
    floored(hands)
    hands.drive(1, 2)
    case = erase(hands.site, hands.car(), "anna")
    hand_out(hands.site, case)
    assert carry_out(hands.site) == {}
    assert held(hands)
    hands.now = cases.find(hands.site, case.id).held_until
    hands.drive(1)
    assert carry_out(hands.site) == {}
    again = cases.find(hands.site, case.id)
    assert (again.state, again.held_until, again.struck) == ("done", None, None)
    assert certificate(hands.site, again)["receipt"]["rows"] == 20
    assert set(held(hands).values()) == {20}, "what came since is new"
    assert held(hands, 2)
    assert hands.car().restricted is None


def test_a_floor_of_another_category_holds_nothing(hands):
    floored(hands, categories=("health",))
    hands.drive(1)
    assert erase(hands.site, hands.car(), "anna").state == "done"
    assert held(hands) == {}
