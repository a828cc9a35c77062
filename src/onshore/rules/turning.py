"""What would turn a refusal into a permission: moves tried on the facts, held against the judge, none too many."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from onshore.rules import names, wording
from onshore.rules.acts import Act, Collect, ConsentAsked, Facts, PermitInForce, StandingConsent, Store, TransferAsked
from onshore.rules.articles import NOTICE_ITEMS, PAPERS
from onshore.words.verdict import Verdict

Judged = Callable[[Act, Facts], Verdict]
Case = tuple[Act, Facts]

YES = frozenset({"keep", "accept", "allow"})
"""Verdicts that permit what was asked."""

_ON_FILE = tuple(paper for paper in PAPERS if paper not in {"export-notice-incomplete", "adequacy"})
"""Papers that somebody can obtain."""


@dataclass(frozen=True)
class Move:
    """Something that could be otherwise, in words, and what it makes of a case. `paper`: its code, where it is one."""

    words: str
    made: Callable[[Act, Facts], Case]
    paper: str = ""


def turns(act: Act, facts: Facts, judged: Judged, home: str = "") -> tuple[Move, ...]:
    """The fewest moves found that together make the judge say yes; none where no such moves help.

    `home`: where the site stands; something kept elsewhere might be kept there.

    Every move is made and the answer asked; then each is taken back, the weightiest first, where the answer stays yes.
    """
    verdict = judged(act, facts)
    moves = sorted(
        _moves(act, facts, verdict.route or "none", home),
        key=lambda move: (bool(move.paper), _rank(move.paper, verdict.missing)),
    )
    if judged(*_made(act, facts, moves)).verdict not in YES:
        return ()
    kept = list(moves)
    for move in reversed(moves):
        fewer = [other for other in kept if other is not move]
        if judged(*_made(act, facts, fewer)).verdict in YES:
            kept = fewer
    return tuple(kept)


def _rank(paper: str, wanted: tuple[str, ...]) -> int:
    """Papers that the verdict itself names come first and so stay; the rest as the book lists them."""
    if paper in wanted:
        return wanted.index(paper)
    return len(wanted) + (PAPERS.index(paper) if paper else 0)


def _made(act: Act, facts: Facts, moves: list[Move]) -> Case:
    case = (act, facts)
    for move in moves:
        case = move.made(*case)
    return case


def _moves(act: Act, facts: Facts, route: str, home: str) -> Iterator[Move]:
    if isinstance(act, Collect):
        yield from _collecting(act)
    elif isinstance(act, ConsentAsked):
        yield from _consenting()
    elif isinstance(act, TransferAsked):
        yield from _leaving(act, facts, route)
    elif isinstance(act, Store) and home and act.ask == "keep":
        yield _on_act(f"keeping it in {wording.jurisdiction(home)}", place=home)
        yield from _filing(facts)


def _on_act(words: str, **change: object) -> Move:
    return Move(words, lambda act, facts: (replace(act, **change), facts))


def _on_facts(words: str, paper: str = "", **change: object) -> Move:
    return Move(words, lambda act, facts: (act, replace(facts, **change)), paper)


def _collecting(act: Collect) -> Iterator[Move]:
    """Switches, masks, memos and the person's own consent; the place and the person's age stay what they are."""
    yield _on_facts("the driver switching optional collection on", driver_setting="on")
    yield _on_act("collecting it only while the function that needs it runs", function_running=True)
    yield _on_act("listing the signal in the catalogue", in_catalogue=True)
    yield _on_act("masking every face and plate before it leaves the car", masked=True)
    yield _on_act("a written memo of why the biometrics are necessary", biometric_necessity_memo=True)
    consent = StandingConsent(purposes=(act.purpose,), categories=(act.category,), separate=True)
    yield _on_facts(
        "a consent of the person, asked for on its own with a complete notice, to this purpose and this data",
        consent=consent,
    )


def _consenting() -> Iterator[Move]:
    yield _on_act("a notice with every item that the law asks for", notice_items=NOTICE_ITEMS)
    yield _on_act("asking for it on its own, on its own screen", separate=True, own_screen=True)
    yield _on_act("not tying it to anything else", bundled_with=None)
    yield _on_act("the guardian's consent", guardian=True)
    yield _on_act("waiting until the interval since the last refusal is over", last_refused=None)
    yield _on_act("asking for driving safety alone", purposes=("driving-safety",))


def _leaving(act: TransferAsked, facts: Facts, route: str) -> Iterator[Move]:
    if act.by == "vehicle":
        yield _on_act("sending it through the site, not from the car itself", by="file")
    masked = tuple(dict.fromkeys(c.replace("exterior-video-anonymised", "exterior-video") for c in act.categories))
    masked = tuple(f"{c}-anonymised" if c == "exterior-video" else c for c in masked)
    if masked != act.categories:
        yield _on_act("masking every face and plate first", categories=masked)
    if act.coordinates:
        yield _on_act("taking the coordinates out", coordinates=False)
    if facts.consent is not None:
        yield _on_facts(
            "a separate consent of the persons concerned, after a complete notice, that names this recipient",
            consent=StandingConsent(
                purposes=(act.purpose,),
                categories=act.categories,
                recipients=(act.recipient,) if act.recipient else (),
                separate=True,
            ),
        )
    if facts.permit is not None:
        yield _on_facts("a permit in force that covers all of it", permit=_covering(act, facts.permit, route))
    if "export-notice-incomplete" in facts.papers:
        yield Move("", lambda act, facts: (act, replace(facts, papers=facts.papers - {"export-notice-incomplete"})))
    yield from _filing(facts)


def _filing(facts: Facts) -> Iterator[Move]:
    """Each paper that is not on file, obtained."""
    for paper in _ON_FILE:
        if paper not in facts.papers:
            yield Move(
                names.PAPER_WORDS[paper],
                lambda act, facts, paper=paper: (act, replace(facts, papers=facts.papers | {paper})),  # type: ignore[misc]
                paper,
            )


def _covering(act: TransferAsked, permit: PermitInForce, route: str) -> PermitInForce:
    """The permit as it would have to be: for this purpose, data and recipient, with room, and in force."""
    return replace(
        permit,
        route=route,
        purpose=act.purpose,
        categories=act.categories,
        recipient=act.recipient,
        persons=permit.used + act.new_persons,
        start=None,
        until=None,
        revoked=False,
    )
