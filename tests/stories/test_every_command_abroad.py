"""Every command of the tree is tried as an engineer abroad: what it answers is declared here, or this fails."""

import json

import click
import pytest
from click.testing import CliRunner

from onshore.cli.main import cli

THEIRS = {"catalogue", "transfer ask"}
"""Acts of an engineer: no row and no person is in their answer."""

PAPERS = {"transfer papers", "transfer show"}
"""What is on file of a request, without rows; a scan, and the sample of a spot check, are refused elsewhere."""

NAMELESS = {
    *("check", "clock show", "egress show", "keys show", "ledger fsck", "ledger rejudge", "ledger show", "meter show"),
    *("permit show", "task list", "transfer dossier", "transfer list", "vehicle authority", "vehicle revoked"),
    *("zone list", "witness show", "rules list", "incident list", "report list", "report text"),
}
"""They take no name, and what they show holds neither a row nor a person."""

WORK = {
    *(
        "decode",
        "demo",
        "init",
        "ledger fetch",
        "ledger prove",
        "papers copy",
        "replay",
        "restore",
        "rules check",
        "rules diff",
    ),
    *("rules explain", "rules key", "rules page", "rules replay", "rules schema", "rules show", "rules sign", "serve"),
    *("account add", "account code", "account disable", "account list", "account password"),
    *("simulate", "verify", "witness init", "witness serve", "witness trust", "receipt write", "permit sign"),
}
"""They run something, or read files of whoever calls; they are no way to look at what a site holds of cars.

`ledger prove` shows an entry, `rules replay` verdicts with their counts, `account list` who may sign in.
"""

UNNAMED_AT_SITE = {"vehicle policy"}
"""What a car is told to send, for whoever has a shell at the site: its answer names the car that was asked for."""


def commands(group=cli, path=()):
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


TREE = dict(commands())
NAMED = {name for name, found in TREE.items() if any("--as" in getattr(p, "opts", ()) for p in found.params)}


def test_every_command_has_an_answer_that_somebody_thought_of():
    """A new command takes `--as`, and is then refused to an engineer abroad below; or it is declared above."""
    declared = [NAMED - THEIRS, THEIRS, NAMELESS, WORK, UNNAMED_AT_SITE]
    assert sorted(name for some in declared for name in some) == sorted(TREE)


class Abroad:
    def __init__(self, hands, tmp_path):
        self.hands, self.site, self.tmp = hands, hands.site.folder, tmp_path
        hands.allow(1)
        hands.drive(1)
        car = hands.car(1)
        self.secrets = (f"{car.id:016x}", f"{car.owner:016x}", "owner 1", hands.vin(1).decode(), "owner1@", "121.4")
        (tmp_path / "file").write_text("x")
        what = ("--purpose", "warranty-analysis", "--category", "track", "--recipient", "stuttgart")
        when = ("--from", "2020-01-01", "--until", "2100-01-01")
        self.asked = ("transfer", "ask", *what, *when, "--as", "engineer", "--json")
        self.transfer = json.loads(self.run(*self.asked).stdout)["id"]

    def run(self, *args):
        return CliRunner().invoke(cli, [*args, "--site", str(self.site)])

    def value(self, param):
        known = {"sql": "SELECT * FROM track", "vin": self.hands.vin(1).decode(), "transfer_id": self.transfer}
        if isinstance(param.type, click.Choice):
            return str(param.type.choices[0])
        if isinstance(param.type, click.Path):
            return str(self.tmp / ("file" if param.type.exists else "new"))
        if isinstance(param.type, (click.types.IntParamType, click.IntRange)):
            return "1"
        if param.name == "purpose":
            return "warranty-analysis"
        return known.get(param.name, "x")

    def words(self, name):
        """A command with whatever it needs to be run at all."""
        found = [*name.split()]
        for param in TREE[name].params:
            needed = param.required or param.name in {"vin", "sql"}
            if isinstance(param, click.Argument):
                found += [self.value(param)] if needed or param.name == "transfer_id" else []
            elif needed and "--as" not in param.opts and not param.is_flag:
                found += [param.opts[0], self.value(param)]
        return found


@pytest.fixture
def abroad(hands, tmp_path):
    return Abroad(hands, tmp_path)


@pytest.mark.parametrize("name", sorted(NAMED - THEIRS))
def test_an_engineer_abroad_is_refused_whatever_shows_or_does_something(abroad, name):
    done = abroad.run(*abroad.words(name), "--as", "engineer")
    if name in PAPERS:
        assert done.exit_code == 0, done.output
    else:
        assert done.exit_code == 1, (name, done.output, done.exception)
        assert "view-is-export" in done.output or "not-your-act" in done.output, (name, done.output)
    assert not [one for one in abroad.secrets if one in done.stdout], name


@pytest.mark.parametrize("name", sorted(NAMELESS - {"witness show"}))
def test_what_is_shown_to_whoever_says_no_name_names_nobody(abroad, name):
    site = () if name == "rules list" else ("--site", str(abroad.site))
    done = CliRunner().invoke(cli, [*abroad.words(name), *site])
    assert done.exit_code in {0, 1, 3}, (name, done.output)
    assert not [one for one in abroad.secrets if one in done.output], (name, done.output)


def test_an_engineers_own_acts_name_nobody(abroad):
    for words in (abroad.asked, ("catalogue", "--as", "engineer", "--json"), (*abroad.asked, "--dry-run")):
        done = abroad.run(*words)
        assert json.loads(done.stdout)
        assert not [one for one in abroad.secrets if one in done.output], done.output
