"""`onshore rules explain`: one act told as a lawyer would."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onshore.cli.common import answers_for_errors, json_option, put
from onshore.cli.rules_shelf import Packs, packs_option
from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.rules.book import Case
    from onshore.rules.pack import Pack

_ACTS = ("collect", "consent", "store", "transfer", "deadline")


@click.command()
@click.option("--case", nargs=2, metavar="FILE ID", help="A case of a scenario book, instead of the options below.")
@click.option("--act", type=click.Choice(_ACTS), default="transfer", show_default=True, help="What would be done.")
@click.option("--jurisdiction", default="CN", show_default=True, help="Where the site stands.")
@click.option("--at", help="When: a date or time with offset; now, where left out.")
@click.option("--to", help="Where it would go.")
@click.option("--recipient", help="Who would receive it.")
@click.option("--purpose", "purposes", multiple=True, help="What for; for a consent it may be repeated.")
@click.option("--category", "categories", multiple=True, help="Which data; may be repeated.")
@click.option("--persons", type=click.IntRange(min=0), help="How many persons not yet counted this year.")
@click.option("--ground", help="On which ground: consent, contract, emergency, statutory, safety.")
@click.option("--paper", "papers", multiple=True, help="What is on file, as the scenario book calls it.")
@click.option("--detail", "details", multiple=True, metavar="KEY=VALUE", help="Any other key of the act, as in TOML.")
@click.option(
    "--given", "facts", multiple=True, metavar="KEY=VALUE", help="Any other fact, such as exported.sensitive=9."
)
@click.option("--switch", "turned", multiple=True, metavar="NAME", help="A switch of the pack as if counsel turned it.")
@packs_option
@json_option
@answers_for_errors
def explain(case: tuple[str, str] | None, turned: tuple[str, ...], packs: Packs, as_json: bool, **said: Any) -> None:
    """Tell one act as a lawyer would: the rules asked, which decided, the figures, what would change the answer."""
    from dataclasses import asdict

    from onshore.rules import asking, book, explaining
    from onshore.rules.judge import judge
    from onshore.words.verdict import Verdict

    found = _from_book(packs, *case) if case else _from_options(said)
    every = packs.packs()
    pack = book.in_force(found, every)
    if turned:
        found, pack = _as_counsel_reads(found, pack, turned)
    known = asking.in_play(found.act, found.facts, pack, every)

    def judged(act: Any, facts: Any) -> Verdict:
        return judge(act, facts, pack, every)

    if not as_json:
        click.echo("\n".join(explaining.letter(found.act, found.facts, found.jurisdiction, known, judged)))
        return
    verdict = judged(found.act, found.facts)
    asked = asking.facts_of(asking.asked(found.act, verdict, known, found.facts.at))
    turns = explaining.turns_told(found.act, found.facts, judged, found.jurisdiction, known)
    put({**asdict(verdict), "packs": [p.id for p in known], "asked": list(asked), "would_turn": turns})


def _as_counsel_reads(found: "Case", pack: "Pack | None", turned: tuple[str, ...]) -> "tuple[Case, Pack]":
    """The case and the pack with switches turned, as at a site that has the opinions behind them on record."""
    from dataclasses import replace

    from msgspec.structs import replace as with_fields

    from onshore.rules import switches

    known = switches.names(pack) if pack else ()
    for name in set(turned).difference(known):
        raise Malformed(f"no switch '{name}' there; it has: {', '.join(known) or 'none'}", where="--switch")
    assert pack is not None
    papers = found.facts.papers | switches.opinion_papers(pack, turned)
    strict = found.facts.strict_art3_5 and switches.ART3_5 not in turned
    facts = with_fields(found.facts, papers=papers, strict_art3_5=strict)
    return replace(found, facts=facts), switches.turned(pack, turned)


def _from_book(packs: Packs, file: str, wanted: str) -> "Case":
    from onshore.rules import book

    for table in book.tables(packs.text_of(Path(file)), file):
        if table.get("id") == wanted:
            return book.read_case(table, file)
    raise Malformed(f"no case '{wanted}' stands in it", where=file)


def _from_options(said: dict[str, Any]) -> "Case":
    """The case that the options make, read as strictly as one of a book."""
    from onshore.rules import book
    from onshore.rules.expected import VERDICTS

    kind = said["act"]
    act = _table(said["details"], "--detail") | {
        key: found
        for key, found in {
            "to": said["to"],
            "recipient": said["recipient"],
            "new_persons": said["persons"],
            "ground": said["ground"],
            **_many(kind, "purpose", "purposes", said["purposes"], alone=("collect", "transfer")),
            **_many(kind, "category", "categories", said["categories"], alone=("collect", "store")),
        }.items()
        if found is not None
    }
    given = _table(said["facts"], "--given")
    if said["papers"]:
        given["papers"] = list(said["papers"])
    table = {
        "id": "this act",
        "title": "this act",
        "basis": "the options",
        "jurisdiction": said["jurisdiction"],
        "at": _instant(said["at"]),
        "given": given,
        kind: act,
        "expect": {"verdict": VERDICTS[kind][0]},
    }
    return book.read_case(table, "options")


def _many(kind: str, one: str, several: str, found: tuple[str, ...], *, alone: tuple[str, ...]) -> dict[str, Any]:
    """A repeated option under the key that this act has for it; more than one where it takes one is refused."""
    if not found:
        return {}
    if kind not in alone:
        return {several: list(found)}
    if len(found) > 1:
        raise Malformed(f"this act takes one {one}", where=f"--{one}")
    return {one: found[0]}


def _table(lines: tuple[str, ...], where: str) -> dict[str, Any]:
    """KEY=VALUE options as TOML has them; a value that is no TOML is a text."""
    from onshore.words.strict import toml

    text = []
    for line in lines:
        key, _, value = line.partition("=")
        try:
            toml(f"x = {value}", where)
            text.append(f"{key} = {value}")
        except Malformed:
            text.append(f"{key} = '{value.strip()}'")
    return toml("\n".join(text), where)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(f"'{text}' is no date or time; write 2026-11-22T08:30:00+08:00", where="--at") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
