"""Backup and restore as an operator types them."""

import json

from click.testing import CliRunner

from onshore.cli.main import cli

VIN = "LTEST000000000001"


def said(*words, code=0):
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert code is None or done.exit_code == code, done.output
    return done


def line(site):
    looks = json.loads(said("check", "--site", site, "--json", code=None).stdout)
    return next((one["good"], one["says"]) for one in looks if one["what"] == "backup")


def test_a_site_is_backed_up_lost_and_restored(tmp_path):
    site, new, copy = tmp_path / "site", tmp_path / "new", tmp_path / "copy"
    said("init", "--jurisdiction", "CN", "--name", "shanghai", "--site", site)
    assert line(site) == (True, "none are made: [keys] says no backup_days")
    with (site / "site.toml").open("a") as file:
        file.write("\n[keys]\nbackup_days = 9\n")
    assert "no-key-copies" in said("backup", copy, "--site", site, code=1).stderr
    said("keys", "rotate", "--site", site)
    assert line(site) == (True, "none was made yet ('onshore backup DIR')")
    said("vehicle", "add", VIN, "--no-check-digit", "--as", "operator", "--site", site)
    assert json.loads(said("backup", copy, "--site", site, "--json").stdout)["segments"] == 0
    assert "its key part" in said("backup", copy, "--site", site).stderr
    assert line(site)[1].startswith("the last is 0 days old; its key part ends at ")
    said("rights", "erase", VIN, "--as", "officer", "--site", site)
    root = ("--root-key", site / "keys" / "root.key")
    refused = said("restore", copy, "--site", new, *root, "--json", code=1)
    assert json.loads(refused.stdout)["refused"] == "no-later-ledger"
    told = said("restore", copy, "--site", new, *root, "--ledger", site / "ledger", "--newest", "--json")
    assert json.loads(told.stdout)["erased"] == 1
    assert json.loads(said("check", "--deep", "--site", new, "--json").stdout)[-1]["what"] == "deep"
    assert [row.split()[1:3] for row in said("rights", "show", VIN, "--site", new).stdout.splitlines()] == [
        ["erase", "done"]
    ]
