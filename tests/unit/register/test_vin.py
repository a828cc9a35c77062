import pytest

from onshore.register import vehicles
from onshore.register.vin import DEMANDED, check_digit, has_check_digit, refuse_wrong
from onshore.words.errors import Refusal


@pytest.mark.parametrize(
    ("vin", "digit"),
    [
        (b"1M8GDM9AXKP042788", b"X"),  # the example that is handed down with 49 CFR 565
        (b"11111111111111111", b"1"),
        (b"5GZCZ43D13S812715", b"1"),
    ],
)
def test_the_check_digit_is_that_of_known_examples(vin, digit):
    assert check_digit(vin) == digit
    assert has_check_digit(vin)


@pytest.mark.parametrize("jurisdiction", sorted(DEMANDED))
def test_a_wrong_check_digit_is_refused_where_the_market_has_one(jurisdiction):
    refuse_wrong(b"1M8GDM9AXKP042788", jurisdiction)
    with pytest.raises(Refusal) as refused:
        refuse_wrong(b"1M8GDM9AXKP042789", jurisdiction)
    assert (refused.value.reason, refused.value.article) == ("check-digit", DEMANDED[jurisdiction])
    assert "1M8GDM" not in str(refused.value)


def test_elsewhere_and_for_test_cars_nobody_asks_for_it():
    refuse_wrong(b"1M8GDM9AXKP042789", "DE")
    assert not has_check_digit(b"LTEST000000000017")
    refuse_wrong(b"LTEST000000000017", "CN")


def test_a_car_whose_plate_says_so_is_registered_all_the_same(hands):
    wrong = "LB9TB3E16KA000001"
    with pytest.raises(Refusal, match="check digit"):
        vehicles.add(hands.site, wrong)
    vehicles.add(hands.site, wrong, check_digit=False)
    assert vehicles.look_up(hands.site, wrong.encode())
