"""The command `onshore`: each subcommand is loaded when it is asked for."""

import importlib
import os
import sys

import click

from onshore import __version__

_COMMANDS = {
    "account": ("onshore.cli.account", "account", "Who may sign in at the desk: add, list, disable, password, code."),
    "backup": ("onshore.cli.backup", "backup", "Copy the site while it runs; never the root key."),
    "catalogue": ("onshore.cli.cataloguing", "catalogue", "What exists here, and what it takes to have it; no rows."),
    "check": ("onshore.cli.check", "check", "Settings, keys, clock, disk, rule pack, ledger: one line each."),
    "clock": ("onshore.cli.clock", "clock", "Whether the clock is believed: show, doubt, lift."),
    "complaint": ("onshore.cli.complaint", "complaint", "What people complain of: open, list, answer."),
    "consent": ("onshore.cli.consent", "consent", "A person's consents: give, withdraw, show."),
    "court": ("onshore.cli.court", "court", "What foreign courts and police ask for: a queue of its own."),
    "decode": ("onshore.cli.decoding", "decode", "Hex frames in, JSON out."),
    "demo": ("onshore.cli.demo", "demo", "A whole site with simulated cars; plays the story."),
    "egress": ("onshore.cli.leaving", "egress", "Bytes that left, and what tried to leave by another way."),
    "forward": ("onshore.cli.forward", "forward", "What no platform takes of what the law has sent on: again, drop."),
    "incident": ("onshore.cli.incident", "incident", "Incidents, and by when which authority must hear of them."),
    "init": ("onshore.cli.init", "init", "Make a site."),
    "keys": ("onshore.cli.keys", "keys", "Root and wrapping keys: show what hangs on each, rotate."),
    "ledger": ("onshore.cli.ledger", "ledger", "The log at the site: show, prove, fsck, rejudge."),
    "meter": ("onshore.cli.metering", "meter", "Persons and vehicles that left, with thresholds; sister companies."),
    "papers": ("onshore.cli.papers", "papers", "The papers' database: copy them into PostgreSQL."),
    "permit": ("onshore.cli.permits", "permit", "The regulator's papers: draft, sign, grant, record, revoke, show."),
    "report": ("onshore.cli.reporting", "report", "Papers for authorities, from live evidence: list, text, make."),
    "receipt": ("onshore.cli.leaving", "receipt", "For recipients: sign that a parcel reached you."),
    "query": ("onshore.cli.query", "query", "SQL at the site, for a purpose, recorded; from abroad under a permit."),
    "replay": ("onshore.cli.replay", "replay", "Feed a recorded drive through the gate."),
    "retention": ("onshore.cli.retention", "retention", "How long what is kept may lie; what goes when, by which law."),
    "restore": ("onshore.cli.backup", "restore", "A site out of its backup, with all that was erased since."),
    "rights": ("onshore.cli.rights", "rights", "What a person may ask: access, restrict, erase, show."),
    "rules": ("onshore.cli.rules", "rules", "The law as data: list, show, check, explain, diff, replay."),
    "serve": ("onshore.cli.serve", "serve", "Run the site."),
    "simulate": ("onshore.cli.simulate", "simulate", "Load: real sockets, real frames."),
    "task": ("onshore.cli.tasks", "task", "What refusals and emergencies have people do, by when."),
    "transfer": (
        "onshore.cli.transfer",
        "transfer",
        "What is to go abroad: ask, paper, approve, ship, show, list.",
    ),
    "vehicle": ("onshore.cli.vehicle", "vehicle", "Register and look at vehicles."),
    "witness": ("onshore.cli.witness", "witness", "Cosign checkpoints of others' ledgers: init, trust, serve, show."),
    "zone": ("onshore.cli.zone", "zone", "Restricted zones: import, list, remove."),
    "verify": ("onshore.cli.verifying", "verify", "Offline: a parcel, a receipt, a proof or a whole log."),
}


class _Lazy(click.Group):
    """A group that imports a command's room only when that command runs, so that --help is quick."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, _, help_text) in sorted(_COMMANDS.items())])


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="onshore")
def cli() -> None:
    """Keep each car's data where it was made; let nothing leave without a permit; prove it.

    New here: 'onshore demo' plays the whole story; 'onshore init --jurisdiction CN --name NAME' makes a site;
    'onshore check' says how it is. --site names its folder (or ONSHORE_SITE), --as who acts, --json is for programs.

    Exit codes: 0 done, 1 refused, 2 wrong usage or unreadable input, 3 broken or tampered.
    """


def main() -> None:
    """Run the command line."""
    from onshore.cli.egress import shut_the_border

    os.umask(0o077)  # what a site writes is for the account that runs it
    shut_the_border(sys.addaudithook)
    cli()
