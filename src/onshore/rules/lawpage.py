"""The page on one jurisdiction's law: its packs as tables, with sources, confidence and what is not covered."""

from collections.abc import Iterator, Sequence

from onshore.rules import names
from onshore.rules import wording as w
from onshore.rules.articles import Rule
from onshore.rules.pack import Pack, rules
from onshore.rules.standing import reviewed, validity

PARTS = {
    "classes": "What the data is in law",
    "grounds": "Grounds for keeping",
    "collect": "Collecting",
    "consent": "Consent",
    "store": "Keeping",
    "transfer": "Leaving",
    "clock": "Clocks",
    "report": "Reports",
    "switch": "What counsel decides",
}
"""Part of a pack to its heading; a part that is not named here is headed by its own name."""


def page(packs: Sequence[Pack]) -> str:
    """The page, as Markdown, of the packs of one jurisdiction; the newest comes first."""
    found = sorted(packs, key=lambda pack: pack.valid_from, reverse=True)
    code = found[0].jurisdiction
    lines = [
        f"# The law as data: {w.jurisdiction(code)}",
        "",
        f"Made by `onshore rules page {code}` from the packs that ship; a test keeps the two in step. A pack says what",
        "Onshore obeys, with the article behind it and how well that article is known. It is no legal advice.",
        "",
        "| pack | in force | reviewed | rules | seen in a source | from memory | still to be held against the text |",
        "|---|---|---|---|---|---|---|",
        *(_row(pack) for pack in found),
    ]
    for pack in found:
        lines += ["", *_pack(pack)]
    return "\n".join(lines) + "\n"


def _row(pack: Pack) -> str:
    own = [rule for _, rule in rules(pack)]
    seen = sum(rule.mark.startswith("seen") for rule in own)
    cells = [
        f"[{pack.id}](#{pack.id.replace('/', '')})",
        validity(pack),
        reviewed(pack),
        str(len(own)),
        str(seen),
        str(len(own) - seen),
        str(sum(rule.verify for rule in own)),
    ]
    return f"| {' | '.join(cells)} |"


def _pack(pack: Pack) -> Iterator[str]:
    yield from (f"## {pack.id}", "", f"{pack.title}. {_capital(validity(pack))}; {reviewed(pack)}.")
    yield f"Inside are: {w.listed(pack.home)}. Days are counted in {pack.zone}."
    parts: dict[str, list[Rule]] = {}
    for path, rule in rules(pack):
        parts.setdefault(path.partition(".")[0].partition("[")[0], []).append(rule)
    for part, own in parts.items():
        yield from ("", f"### {PARTS.get(part, _capital(w.plain(part)))}", "")
        yield from ("| rule | what it says | article | standing | how well known |", "|---|---|---|---|---|")
        yield from (_rule(rule) for rule in own)
    yield from ("", "### What is not covered", "")
    yield from (f"- {_cell(each)}" for each in pack.not_covered)
    yield from (f"- {each}" for each in _absent(pack))
    yield from ("", "### Sources", "", "| code | law | where |", "|---|---|---|")
    yield from (f"| {s.code} | {_cell(s.law)} | {_cell(s.address)} |" for s in pack.source)


def _rule(rule: Rule) -> str:
    known = w.mark_words(rule.mark) + ("; **to be verified**" if rule.verify else "")
    more = w.particulars(rule)
    says = _cell(rule.says) + (f" <br>*{_cell(more)}*" if more else "")
    return f"| {rule.id} | {says} | {_cell(rule.article)} | {names.KIND_WORDS[rule.kind]} | {known} |"


def _absent(pack: Pack) -> Iterator[str]:
    """Parts that another pack may have and this one leaves out."""
    have = {path.partition(".")[0].partition("[")[0] for path, _ in rules(pack)}
    for part, heading in PARTS.items():
        if part not in have:
            yield f"{heading}: this pack has no rule."
    if len({rule.kind for _, rule in rules(pack)} & {"INT", "POLICY"}):
        soft = [rule.id for _, rule in rules(pack) if rule.kind in {"INT", "POLICY"}]
        yield f"Interpretation or Onshore's own policy, not the text of a law: {', '.join(soft)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
