"""The catalogue's names, datatypes and units are those of VSS 6.0; its own additions are what VSS lacks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from law import catalogue

OUR_UNITS = {"kOhm", "kg/100km", "mg/kg", "MPa", "dB", "g/l", "ppm"}
"""Units of GB/T 32960.3 and of our own entries that no VSS 6.0 signal uses."""


def leaves(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, node in tree.items():
        here = f"{path}.{name}" if path else name
        if "children" in node:
            yield from leaves(node["children"], here)
        else:
            yield here, node


@pytest.fixture(scope="module")
def vss(shared: Path) -> dict[str, dict[str, Any]]:
    return dict(leaves(json.loads((shared / "data" / "vss" / "vss_6.0.json").read_text("utf-8"))))


def test_names_types_and_units_are_those_of_vss(vss: dict[str, dict[str, Any]]) -> None:
    taken = {name: signal for name, signal in catalogue().items() if not signal.own}
    assert len(taken) > 80
    wrong = [
        name
        for name, signal in taken.items()
        if name not in vss or (signal.type, signal.unit) != (vss[name]["datatype"], vss[name].get("unit"))
    ]
    assert wrong == []


def test_our_own_are_what_vss_lacks(vss: dict[str, dict[str, Any]]) -> None:
    own = {name: signal for name, signal in catalogue().items() if signal.own}
    assert [name for name in own if name in vss] == []
    assert [name for name in own if not name.startswith("Vehicle.Onshore.")] == []
    units = {node.get("unit") for node in vss.values()} | {None}
    assert {signal.unit for signal in own.values()} - units == OUR_UNITS
