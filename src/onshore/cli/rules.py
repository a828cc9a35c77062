"""`onshore rules`: the law as data, for people: list, show, check, diff, explain, replay, sign."""

from pathlib import Path

import click

from onshore.cli.common import answers_for_errors, json_option, put, say
from onshore.cli.rules_explain import explain
from onshore.cli.rules_replay import replay
from onshore.cli.rules_shelf import Packs, packs_option
from onshore.cli.rules_sign import key, page, schema, sign


@click.group()
def rules() -> None:
    """The law as data: packs of rules, the scenario book, what a change of law would do."""


for command in (explain, replay, key, sign, page, schema):
    rules.add_command(command)


@rules.command("list")
@packs_option
@json_option
@answers_for_errors
def list_(packs: Packs, as_json: bool) -> None:
    """List the packs: jurisdiction, validity, review, signature."""
    from onshore.rules.standing import reviewed, validity

    for file in packs.files():
        pack = file.pack()
        row = {
            "id": pack.id,
            "jurisdiction": pack.jurisdiction,
            "valid_from": pack.valid_from.isoformat(),
            "valid_until": pack.valid_until.isoformat() if pack.valid_until else None,
            "reviewed_by": pack.reviewed_by,
            "signed_by": packs.signed_by(file),
        }
        if as_json:
            put(row)
        else:
            signed = f"signed by {', '.join(row['signed_by'])}" if row["signed_by"] else "not signed"
            click.echo(f"{pack.id:18}{pack.jurisdiction:4}{validity(pack)}; {reviewed(pack)}; {signed}")


@rules.command()
@click.argument("pack")
@packs_option
@json_option
@answers_for_errors
def show(pack: str, packs: Packs, as_json: bool) -> None:
    """Show PACK rule by rule: the article behind each, how well it is known, whether it is law."""
    from onshore.rules import names, wording
    from onshore.rules.pack import rules as rules_of
    from onshore.rules.standing import reviewed, validity

    file = packs.named(pack)
    read = file.pack()
    rows = [(path, rule) for path, rule in rules_of(read)]
    if as_json:
        import msgspec

        found = [{"path": path, **msgspec.to_builtins(rule)} for path, rule in rows]
        put({"pack": read.id, "digest": f"sha256:{file.digest}", "signed_by": packs.signed_by(file), "rules": found})
        return
    signed = ", ".join(packs.signed_by(file))
    say(f"{read.title}\n{validity(read)}; {reviewed(read)}; {f'signed by {signed}' if signed else 'not signed'}")
    for path, rule in rows:
        click.echo(f"{path}  {rule.says}")
        verify = "; to be verified" if rule.verify else ""
        click.echo(f"    {rule.article} ({names.KIND_WORDS[rule.kind]}; {wording.mark_words(rule.mark)}{verify})")
        if more := wording.particulars(rule):
            click.echo(f"    {more}")


@rules.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False), metavar="[FILE]...")
@packs_option
@json_option
@answers_for_errors
def check(files: tuple[Path, ...], packs: Packs, as_json: bool) -> None:
    """Run scenario books (without FILE: those that the packs bring along); a line for each case that fails."""
    from onshore.rules import book

    books = [(str(file), packs.text_of(file), packs.packs()) for file in files] if files else packs.own_books()
    outcomes = [(where, outcome) for where, text, known in books for outcome in book.check(text, known, where)]
    failed = [(where, outcome) for where, outcome in outcomes if not outcome.passed]
    for where, outcome in failed:
        if as_json:
            codes = [[reason.code, reason.article] for reason in outcome.came.reasons]
            put({"book": where, "case": outcome.case.id, "came": outcome.came.verdict, "fired": codes})
        else:
            click.echo(outcome.line())
    passed = len(outcomes) - len(failed)
    put({"passed": passed, "failed": len(failed)}) if as_json else click.echo(f"{passed} passed, {len(failed)} failed")
    raise SystemExit(1 if failed else 0)


@rules.command()
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@packs_option
@json_option
@answers_for_errors
def diff(old: str, new: str, packs: Packs, as_json: bool) -> None:
    """What changed from pack A to pack B, rule by rule. A and B are names, files or folders."""
    from onshore.rules import diff as differing

    a, b = packs.named(old).pack(), packs.named(new).pack()
    if not as_json:
        click.echo("\n".join(differing.told(a, b)))
        return
    from dataclasses import asdict

    put([asdict(change) for change in differing.changes(a, b)])
