"""The catalogue: read strictly, and complete for what a car can send."""

import pyarrow as pa
import pytest

from law import CATALOGUE, catalogue
from onshore.words.catalogue import carried_by, parse
from onshore.words.errors import Malformed
from onshore.words.place import HERE, coordinates
from onshore.words.vocabulary import CATEGORIES

ENTRY = '{ name = "Vehicle.Speed", unit = "km/h", type = "float", category = "driving-behaviour", data_act = "raw" }'


def book(*entries: str, head: str = "format = 1") -> str:
    return f"{head}\nsignals = [{', '.join(entries)}]"


def test_an_entry_is_read() -> None:
    signal = parse(book(ENTRY))["Vehicle.Speed"]
    assert (signal.unit, signal.type, signal.storage, signal.own) == ("km/h", "float", "float32", False)
    assert signal.arrow == pa.float32()
    assert signal.gb32960 is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("signals = [", "not TOML"),
        (book(ENTRY, head="format = 2"), "format 2 is not known; allowed: 1"),
        (book(ENTRY, head="format = 1\nfoo = 1"), "unknown field `foo`; allowed: format, signals"),
        (book(ENTRY, ENTRY), "Vehicle.Speed: the name is given twice"),
        (
            book(ENTRY.replace("unit", "units")),
            "Vehicle.Speed: Object contains unknown field `units`; allowed: categ",
        ),
        (book(ENTRY.replace("driving-behaviour", "driving")), "Vehicle.Speed.*'driving' is not one of track"),
        (book(ENTRY.replace('"float"', '"real"')), "Vehicle.Speed.*'real' is not one of boolean"),
        (book(ENTRY.replace('"raw"', '"cooked"')), "Vehicle.Speed.*'cooked' is not one of raw"),
        (book(ENTRY.replace('"float"', '"float[]"')), "Vehicle.Speed.*None is not one of bool"),
        (book("{ unit = 1 }"), "entry 1: "),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(Malformed, match=says):
        parse(text)


def test_the_catalogue_is_large_enough_and_covers_what_a_car_makes() -> None:
    assert len(catalogue()) >= 120
    made_by_cars = set(CATEGORIES) - {"diagnostic-aggregate"}  # figures over many cars
    assert {signal.category for signal in catalogue().values()} == made_by_cars
    assert CATALOGUE.read_text("utf-8").count("name =") == len(catalogue())


@pytest.mark.parametrize(
    ("unit", "fields"),
    [
        ("login", 2),
        ("01", 15),
        ("02", 9),
        ("03", 21),
        ("04", 3),
        ("05", 4),
        ("06", 24),
        ("07", 7),
        ("08", 8),
        ("09", 2),
    ],
)
def test_every_unit_of_gb32960_is_carried(unit: str, fields: int) -> None:
    assert len(carried_by(catalogue(), frozenset({unit}))) == fields


def test_positions_are_tracks_and_driving_is_behaviour() -> None:
    assert {catalogue()[name].category for name in carried_by(catalogue(), frozenset({"05"}))} == {"track"}
    driving = {n for n in carried_by(catalogue(), frozenset({"01"})) if catalogue()[n].category != "vehicle-operation"}
    assert driving == {
        "Vehicle.Speed",
        "Vehicle.Powertrain.Transmission.CurrentGear",
        "Vehicle.Onshore.GearFlags",
        "Vehicle.Chassis.Accelerator.PedalPosition",
        "Vehicle.Chassis.Brake.PedalPosition",
    }


def test_long_arrays_are_stored_as_bytes() -> None:
    arrays = [signal for signal in catalogue().values() if signal.type.endswith("[]")]
    assert arrays
    assert {signal.storage for signal in arrays} == {"binary"}


def test_every_signal_that_says_a_place_says_which() -> None:
    """Whatever has a longitude has its latitude, and both are of one place: the car's own, or one with a name."""
    signals = catalogue()
    pairs = {name.removesuffix("Longitude") for name in signals if name.endswith("Longitude")}
    assert pairs == {name.removesuffix("Latitude") for name in signals if name.endswith("Latitude")}
    found = coordinates({name: signal.place for name, signal in signals.items() if signal.place != HERE})
    assert {(f"{pair}Longitude", f"{pair}Latitude") for pair in pairs} == {pair for pair in found.values() if pair}
    assert [place for place, pair in found.items() if pair is None] == ["route"]
    assert {name for name, signal in signals.items() if signal.place == "destination"} == {
        "Vehicle.Cabin.Infotainment.Navigation.DestinationSet.Latitude",
        "Vehicle.Cabin.Infotainment.Navigation.DestinationSet.Longitude",
        "Vehicle.Onshore.Navigation.DestinationName",
    }
    assert signals["Vehicle.Onshore.Cell.Id"].place == HERE
    assert {signal.category for signal in signals.values() if signal.place != HERE} == {"track"}
    assert all(signal.type == "double" for name, signal in signals.items() if name.endswith(("Longitude", "Latitude")))
