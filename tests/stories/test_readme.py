"""The README's transcript is what the demo prints."""

import re
from pathlib import Path

from click.testing import CliRunner

from onshore.cli.main import cli

README = Path(__file__).parents[2] / "README.md"


def plain(text: str) -> list[str]:
    """A transcript without what differs from one telling to the next: random ids, folders, sizes of files and log.

    A car's policy is made anew at its next look, so how many entries tell of policies hangs on the moment.
    """
    text = re.sub(r"\b[0-9a-f]{16}-\d+", "ID", text)
    text = re.sub(r"\d+ KiB", "N KiB", text)
    text = re.sub(r"number \d+ of the log's \d+|\d+ ledger entries", "entries", text)
    text = re.sub(r"(?m)^(the parcel|its key): +\S+/", r"\1: ", text)
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_transcript_is_what_the_demo_prints(tmp_path):
    shown = re.search(r"```text\n(.*?)```", README.read_text(), re.DOTALL)[1]
    done = CliRunner().invoke(cli, ["demo", "--once", "--site", str(tmp_path / "site")])
    assert plain(done.stdout) == plain(shown)


def test_commands_that_the_readme_names_exist():
    for name in re.findall(r"^ {4}onshore ([a-z]+)", README.read_text(), re.MULTILINE):
        assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0, name
