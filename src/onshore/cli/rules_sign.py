"""`onshore rules key|sign|page|schema`: what whoever writes packs needs."""

import json
import os
import secrets
from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, say
from onshore.cli.rules_shelf import Packs, packs_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", required=True, help="Whose key it is, such as counsel.example/anna; no spaces, no plus.")
@answers_for_errors
def key(file: Path, name: str) -> None:
    """Make a key that signs packs: the secret to FILE, the line for site.toml to stdout."""
    from onshore.ledger.signer import Signer
    from onshore.words.errors import Malformed, Refusal

    if not name or "+" in name or any(c.isspace() for c in name):
        raise Malformed("a key's name has neither spaces nor a plus", where="--name")
    signer = Signer(name, secrets.token_bytes(32))
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refusal("key-exists", f"{file} exists already; a key is never written over") from None
    with os.fdopen(descriptor, "w") as out:
        out.write(f"{signer.skey}\n")
    say(f"the signing key is {file}: keep it from others; sites name this line in [rules] signers:")
    click.echo(signer.vkey)


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="PACK...")
@click.option(
    "--key", "key_file", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Whose."
)
@answers_for_errors
def sign(paths: tuple[Path, ...], key_file: Path) -> None:
    """Sign packs: a note beside each PACK (folder or file), over its id and digest."""
    from onshore.ledger import packs
    from onshore.ledger.signer import read_signer

    signer = read_signer(key_file.read_text(), str(key_file))
    for path in paths:
        file = packs.in_folder(path)
        folder = path.parent if path.is_file() else path
        note = packs.signed(file, signer)
        (folder / packs.NOTE).write_text(note, encoding="utf-8")
        say(f"signed {file.pack().id} as {signer.key.name}: sha256:{file.digest}")


@click.command()
@click.argument("jurisdiction")
@packs_option
@answers_for_errors
def page(jurisdiction: str, packs: Packs) -> None:
    """Print the page on JURISDICTION's packs as Markdown: rules, sources, confidence, what is not covered."""
    from onshore.rules.lawpage import page as made
    from onshore.words.errors import Refusal

    found = [pack for file in packs.files() if (pack := file.pack()).jurisdiction == jurisdiction]
    if not found:
        raise Refusal(
            "no-rule-pack", f"no pack is known for '{jurisdiction}'", remedy="'onshore rules list' names them"
        )
    click.echo(made(found), nl=False)


@click.command()
@answers_for_errors
def schema() -> None:
    """Print the JSON Schema of a pack, for editors."""
    from onshore.rules.schema import pack_schema

    click.echo(json.dumps(pack_schema(), indent=2, ensure_ascii=False))
