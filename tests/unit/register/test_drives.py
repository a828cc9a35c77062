import pyarrow as pa
import pytest

from onshore.border.rows import selection
from onshore.consent.drives import HOLDS, SUBJECT
from onshore.gate.intake import Intake
from onshore.register import consents, drives, handover, persons
from onshore.rights.access import access
from onshore.vault.journal import Journal
from onshore.words.batch import BASE
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer

SPEED = "Vehicle.Speed"
MINUTE = 60_000


@pytest.fixture
def cleo(hands):
    return persons.add_driver(hands.site, hands.car().id, name="Cleo", mark="card 7")


def batch(hands, *rows, number=1):
    """A row a second of one car; each with the mark that the car says then, or None."""
    vehicle = hands.car(number).id
    times = [hands.now + 1000 * n for n in range(len(rows))]
    arrays = [
        pa.array([vehicle] * len(rows), pa.int64()),
        *(pa.array(times, BASE[1].type) for _ in range(2)),
        pa.array(["mqtt"] * len(rows)).dictionary_encode().cast(BASE[3].type),
        pa.array([50.0] * len(rows), pa.float32()),
        pa.array(rows, pa.string()),
    ]
    fields = [*BASE, pa.field(SPEED, pa.float32()), pa.field(SUBJECT, pa.string())]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def take_in(hands, *rows, number=1):
    """Through intake, journal and drain, as a door does it; how many rows are kept for whatever reason."""
    site = hands.site
    arrived = batch(hands, *rows, number=number)
    hands.now += 1000 * len(rows)
    with Journal(
        site.engine, site.root, site.vault, site=site.id, gate="0", clock=site.clock, randomness=site.randomness
    ) as journal:
        Intake(site, journal).take_in(arrived)
    hands.now += MINUTE
    return sum(tally.rows_kept for drained in site.drain() for tally in drained.tallies.values())


def allow(hands, driver=None):
    wish = consents.Wish(
        ("warranty-analysis",),
        ("driving-behaviour", "vehicle-operation"),
        "2026-11",
        separate=True,
        recipients=frozenset({"stuttgart"}),
    )
    given = consents.give(hands.site, hands.car(), wish, driver=driver)
    hands.now += 1000
    return given


def touched(hands):
    asked = Transfer(
        id="1",
        purpose="warranty-analysis",
        categories=["driving-behaviour", "vehicle-operation"],
        recipient="stuttgart",
        start=0,
        until=1 << 50,
    )
    return selection.touched(hands.site, asked, hands.now)


def rows_of(hands, person=None):
    seen = access(hands.site, hands.car(), "owner", person=person)
    return sum(place["rows"] for place in seen["held"])


def test_a_drive_is_the_drivers_when_the_car_says_so_and_the_owners_otherwise(hands, cleo):
    standing, car = drives.Standing(hands.site), hands.car().id
    arrived = batch(hands, None, "card 7", None, "card 7", "", None, "card 8", "card 7")
    whose = standing.hear(arrived)
    driver = persons.driver_id(hands.site, car, cleo)
    assert whose.under_driver(arrived).column("vehicle").to_pylist() == [
        *(car, driver, driver, driver),
        *(car, car, car, driver),
    ]
    assert standing.hear(arrived) is whose
    assert drives.Standing(hands.site).hear(arrived).vehicle.tolist() == whose.vehicle.tolist() == [car] * 3


def test_a_word_is_written_down_again_before_it_is_forgotten(hands, cleo):
    standing = drives.Standing(hands.site)
    for ahead, words in ((0, 1), (HOLDS // 2 - 1, 1), (1, 2), (HOLDS, 3)):
        hands.now += ahead
        assert len(standing.hear(batch(hands, "card 7")).vehicle) == words
    late = batch(hands, None)
    hands.now -= 3 * HOLDS
    assert len(standing.hear(batch(hands, "card 7")).vehicle) == 3, "that was before Cleo drove"
    assert standing.compiled().under_driver(late).column("vehicle").to_pylist() != [hands.car().id]


def test_two_gates_hear_the_same_and_write_it_once(hands, cleo):
    one, two = drives.Standing(hands.site), drives.Standing(hands.site)
    arrived = batch(hands, "card 7")
    new = two._new(arrived, two.compiled())
    one.hear(arrived)
    two._new = lambda *_: new
    assert len(two.hear(arrived).vehicle) == 1


def test_cars_without_drivers_cost_nothing(hands):
    standing = drives.Standing(hands.site)
    arrived = batch(hands, "card 7", number=2)
    assert standing.hear(arrived).under_driver(arrived) is arrived
    assert standing.hear(arrived.drop_columns([SUBJECT])).under_driver(arrived) is arrived


def test_each_persons_rows_rest_on_their_own_consent(hands, cleo):
    allow(hands)
    assert take_in(hands, None, None) == 2
    assert take_in(hands, "card 7", None, None) == 0, "Cleo allowed nothing, whatever the owner did"
    assert take_in(hands, "", None) == 2
    allow(hands, driver=cleo)
    assert take_in(hands, "card 7", None, None) == 3
    consents.withdraw(hands.site, hands.car())
    hands.now += 1000
    assert take_in(hands, None) == 1, "still Cleo's drive"
    assert take_in(hands, "") == 0, "the owner's again"


def test_each_person_sees_their_own_rows_and_no_others(hands, cleo):
    allow(hands)
    allow(hands, driver=cleo)
    take_in(hands, None, None)
    take_in(hands, "card 7", None, None)
    take_in(hands, "", None)
    assert (rows_of(hands), rows_of(hands, cleo)) == (4, 3)
    old = hands.car().owner
    handover.sell(hands.site, hands.car(), owner="Bo")
    assert (rows_of(hands), rows_of(hands, old), rows_of(hands, cleo)) == (0, 4, 3)
    with pytest.raises(Refusal) as refused:
        rows_of(hands, hands.car(2).owner)
    assert refused.value.reason == "no-keeper"


def test_the_meter_counts_the_persons_behind_the_rows(hands, cleo):
    allow(hands)
    allow(hands, driver=cleo)
    take_in(hands, None)
    assert touched(hands).persons == {hands.car().owner}
    take_in(hands, "card 7", None)
    found = touched(hands)
    assert found.persons == {hands.car().owner, cleo}
    assert (found.vehicles, found.rows) == ({hands.car().id}, 3)
    consents.withdraw(hands.site, hands.car(), driver=cleo)
    assert touched(hands).persons == {hands.car().owner}


def test_a_driver_who_left_drives_no_more(hands, cleo):
    allow(hands)
    take_in(hands, "card 7")
    handover.dismiss(hands.site, hands.car(), cleo)
    hands.now += 1000
    assert take_in(hands, None) == 1, "the car's word about Cleo ends with her time"
    assert take_in(hands, "card 7") == 1, "nobody is called so any more"


def test_the_consents_followed_are_those_read_anew(hands, cleo):
    followed = consents.Standing(hands.site)
    followed.columns()
    allow(hands)
    allow(hands, driver=cleo)
    assert followed.columns().moved is not None
    driver = persons.driver_id(hands.site, hands.car().id, cleo)
    anew = consents.Standing(hands.site).columns()
    for columns in (followed.columns(), anew):
        places = columns.places(pa.array([hands.car().id, driver, 5]).to_numpy()).tolist()
        assert [place != columns.unknown for place in places] == [True, True, False]


def test_papers_put_back_to_an_earlier_day_are_heard_anew(hands, cleo):
    standing = drives.Standing(hands.site)
    standing.hear(batch(hands, "card 7"))
    with drives.writing(hands.site.engine) as conn:
        conn.execute(drives.drives.delete())
        conn.execute(persons.delete(persons.meta).where(persons.meta.c.name == "drives"))
    assert len(standing.compiled().vehicle) == 0
