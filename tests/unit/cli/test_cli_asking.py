"""onshore transfer ask: vehicles by filter, a dry run with what a permit might demand."""

import json

import pytest
from click.testing import CliRunner

from onshore.border import requests
from onshore.cli.main import cli
from onshore.register import consents


@pytest.fixture
def ask(hands):
    hands.allow(1)
    hands.drive(1, 2)

    def asked(*more, code=1):
        what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "stuttgart")
        when = ("--from", "2020-01-01", "--until", "2100-01-01", "--as", "officer")
        done = CliRunner().invoke(
            cli, ["transfer", "ask", *what, *when, *map(str, more), "--site", str(hands.site.folder)]
        )
        assert done.exit_code == code, (done.output, done.exception)
        return done

    return asked


def test_a_dry_run_tells_each_category_in_words(hands, ask):
    hands.allow(2)
    hands.drive(2)
    consents.withdraw(hands.site, hands.car(2))
    told = ask("--dry-run", "--signal", "Vehicle.CurrentLocation.Longitude", "--signal", "Vehicle.Onshore.Datum").stderr
    assert "would touch 20 rows of 1 person and 1 vehicle, about" in told
    assert "track: 20 rows" in told
    assert "signals: Vehicle.CurrentLocation.Longitude" in told
    assert "left out:" in told
    assert "to within 0.1 m" in told
    assert "cells (consent-withdrawn)" in told


def test_a_dry_run_shows_what_a_transform_changes(ask):
    said = json.loads(ask("--dry-run", "--transform", "space:1000", "--json").stdout)
    assert said["dry_run"]
    assert said["categories"][0]["precision_m"] == pytest.approx(707, abs=1)
    assert said["verdict"] == "refuse"
    assert said["withheld_cells"] == said["withheld"]


def test_a_transform_is_no_part_of_a_request(hands, ask):
    assert "a permit says" in ask("--transform", "space:1000", code=2).stderr
    assert requests.listed(hands.site) == []


def test_vehicles_are_named_by_file_and_by_how_a_vin_begins(hands, ask, tmp_path):
    listed = tmp_path / "fleet"
    listed.write_text(f"{hands.vin(1).decode()}\n# and that is all\n")
    request = ask("--vehicles-from", listed).stdout.strip()
    asked = requests.find(hands.site, request).transfer
    assert asked.vehicles == (hands.car(1).id,)
    assert asked.chosen.startswith("hmac-sha256:")
    begun = ask("--vin-begins", hands.vin(1).decode()[:16], "--registered-since", "2020-01-01").stdout.strip()
    both = requests.find(hands.site, begun).transfer
    assert both.vehicles == tuple(sorted(hands.car(n).id for n in (1, 2)))
    assert both.chosen != asked.chosen
    everybody = requests.find(hands.site, ask().stdout.strip()).transfer
    assert (everybody.vehicles, everybody.chosen) == ((), "")


@pytest.mark.parametrize(
    ("text", "says"), [("", "no VIN in it"), ("LTEST1\n", "line 1"), ("LTÉST\n", "no list of VINs")]
)
def test_a_file_that_is_no_list_of_vins_is_told_so(hands, ask, tmp_path, text, says):
    listed = tmp_path / "fleet"
    listed.write_text(text)
    assert says in ask("--vehicles-from", listed, code=2).stderr
    assert requests.listed(hands.site) == []


def test_a_filter_that_matches_nothing_is_refused(hands, ask):
    assert "no-vehicle" in ask("--vin-begins", "WVW").stderr
    assert requests.listed(hands.site) == []
