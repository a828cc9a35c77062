"""A verdict, facts or packs that somebody changed, swapped, took away or made up: each is found."""

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, select, update

import judged_makers
from judged_makers import OTHER, Altered, again, put, rows, said, said_in
from onshore.cli.ledger import ledger
from onshore.ledger import packs
from onshore.register import judgements
from onshore.register.rejudging import rejudged
from onshore.rules.acts import Collect, Facts
from onshore.vault.papers import entries, writing
from onshore.vault.papers import judgements as kept


@pytest.fixture
def peopled(border):
    return judged_makers.peopled(border)


@pytest.fixture
def decided(peopled):
    return judged_makers.decided(peopled)


FORGED = {
    "another verdict": lambda one: one | {"verdict": "allow" if one["verdict"] != "allow" else "refuse"},
    "no reasons": lambda one: one | {"reasons": [*one["reasons"], "made-up"]},
    "another pack": lambda one: one | {"packs": [OTHER]},
    "the pack of another place": lambda one: one | {"packs": one["packs"][::-1] if one["packs"][1:] else [OTHER]},
    "no pack": lambda one: {k: v for k, v in one.items() if k != "packs"},
    "no verdict": lambda one: {k: v for k, v in one.items() if k != "verdict"} | {"reasons": ["made-up"]},
    "other facts": lambda one: one | {"facts": OTHER},
    "another day": lambda one: one | {"at": "2027-06-01T00:00:00.000Z"},
}


def test_an_entry_that_was_written_otherwise_is_found_whatever_it_is(decided):
    decided.site.settle()
    log = decided.site.reopened()
    for forged, change in FORGED.items():
        decided.site.__dict__["ledger"] = Altered(log, change)
        found = list(rejudged(decided.site, 0))
        assert len(found) >= len(said_in(log)), forged
        assert {one.same for one in found} == {False}, (forged, [one for one in found if one.same])
    decided.site.__dict__["ledger"] = log


def test_facts_that_were_changed_swapped_or_taken_away_are_found_whatever_they_are_of(decided):
    every = again(decided)
    for one, other in pairwise(rows(decided)):
        put(decided, one, judged=one.judged.replace('"at":1', '"at":2'))
        assert [f.same for f in again(decided) if f.same is not True] == [False]
        put(decided, one, judged=one.judged, entry=None)
        assert again(decided) == every, "as after a restore: what it is of is told by the digest"
        put(decided, one, judged=other.judged, salt=other.salt)
        assert [f.same for f in again(decided) if f.same is not True] == [False]
        put(decided, one, judged=one.judged, salt=one.salt, entry=one.entry)
    with writing(decided.site.engine) as conn:
        conn.execute(delete(kept).where(kept.c.facts == rows(decided)[0].facts))
    (lost,) = (f for f in again(decided) if f.same is not True)
    assert (lost.same, lost.why) == (False, "the papers do not keep what it was judged on")


def test_a_judgement_serves_one_entry_and_no_other(decided):
    decided.site.settle()
    log = decided.site.reopened()
    requested = [one for one in map(json.loads, said_in(log)) if one["t"] == "request"]
    facts = {"facts": requested[-1]["facts"], "verdict": "allow", "reasons": requested[-1]["reasons"]}
    bodies = Altered(log, lambda one: one | facts | {"packs": requested[-1]["packs"]} if one["t"] == "request" else one)
    decided.site.__dict__["ledger"] = bodies
    found = [one.same for one in rejudged(decided.site, 0) if one.kind == "request"]
    assert found == [False] * len(requested)
    decided.site.__dict__["ledger"] = log


def test_what_was_kept_without_an_entry_is_found_unless_it_waits_to_be_written(peopled):
    site = peopled.site
    wanted = Facts(at=site.clock())
    one = judgements.ask(site, Collect(category="track", purpose="repair", ground="consent"), wanted)
    peopled.site.settle()
    before = list(rejudged(site, 0))
    with writing(site.engine) as conn:
        fields = {"state": "refused", "what": "vehicle-show", "role": "officer", "dest": "DE"}
        judgements.hand_in(site, conn, "view", [one], **fields)
    assert list(rejudged(site, 0)) == before
    peopled.site.settle()
    with writing(site.engine) as conn:
        conn.execute(
            update(kept).where(kept.c.entry == select(func.max(entries.c.id)).scalar_subquery()).values(entry=None)
        )
    log = site.reopened()
    shorter = Altered(log, lambda said: said)
    shorter.bodies.pop()
    shorter.size -= 1
    site.__dict__["ledger"] = shorter
    found = list(rejudged(site, 0))
    assert [(f.same, f.why) for f in found if f.same is not True] == [
        (False, "the papers keep a judgement that the ledger has no entry of")
    ]
    site.__dict__["ledger"] = log


def test_entries_of_an_older_release_are_told_and_are_no_forgery(peopled):
    site = peopled.site
    body = json.loads(site.entry("move", obj=OTHER, to="asked"))
    old = body | {"t": "request", "verdict": "refuse", "reasons": ["assessment-required"]}
    del old["to"]
    with writing(site.engine) as conn:
        raw = json.dumps(old, sort_keys=True, separators=(",", ":")).encode()
        conn.execute(entries.insert().values(body=raw))
    (told,) = (one for one in again(peopled) if one.same is not True)
    assert (told.same, told.kind, told.said) == (None, "request", "refuse")
    assert "older release" in told.why


def test_a_pack_that_nobody_signed_and_one_that_is_gone_bear_nothing(peopled, monkeypatch):
    peopled.ask()
    assert {one.same for one in again(peopled)} == {True}
    known = packs.known
    monkeypatch.setattr(packs, "known", lambda folder: [replace(file, note=None) for file in known(folder)])
    assert {(one.same, "nobody" in one.why) for one in again(peopled)} == {(False, True)}
    monkeypatch.setattr(packs, "known", lambda _folder: [])
    assert {(one.same, "lay it below packs/" in one.why) for one in again(peopled)} == {(False, True)}


def swapped(text):
    """The packs in another order, so that the law of where it goes would be that of here."""
    kept_ones = json.loads(text)
    for one in kept_ones:
        one["packs"] = one["packs"][::-1]
    return json.dumps(kept_ones)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda text: text.replace('"transfer"', '"gift"'), "no such act"),
        (lambda text: text[:-1], "cannot be judged"),
        (lambda text: text.replace('"facts":', '"facts":{},"more":'), "cannot be judged"),
        (swapped, "not the law of this place"),
    ],
)
def test_whoever_writes_both_papers_and_log_anew_is_still_held_to_the_judge(peopled, change, why):
    site = peopled.site
    peopled.ask()
    site.settle()
    row, log = rows(peopled)[-1], site.reopened()
    judged = change(row.judged)
    named = judgements.named_by(judged, row.salt)
    put(peopled, row, judged=judged, facts=named)
    forged = {"facts": named} | ({"packs": json.loads(judged)[0]["packs"]} if change is swapped else {})
    site.__dict__["ledger"] = Altered(log, lambda one: one | forged if one["t"] == "request" else one)
    (found,) = (one for one in rejudged(site, 0) if one.same is not True)
    assert (found.same, found.kind) == (False, "request")
    assert why in found.why
    site.__dict__["ledger"] = log


def test_a_judgement_that_was_kept_for_another_entry_is_found(peopled):
    peopled.ask()
    peopled.site.settle()
    one, other = rows(peopled)[-2:]
    put(peopled, other, entry=None)
    put(peopled, one, entry=other.entry)
    assert [(f.same, f.why) for f in again(peopled) if f.same is not True] == [
        (False, "what it was judged on is that of another entry")
    ]


def run(border, *args):
    return CliRunner().invoke(ledger, ["rejudge", *args, "--site", str(border.site.folder)])


def test_the_command_counts_and_fails_on_what_does_not_hold(decided):
    number = len(said(decided))
    done = run(decided)
    assert (done.exit_code, done.stdout) == (0, f"{number} the same, 0 different, 0 not judged again\n")
    told = run(decided, "--json", "--since", "2020-01-01")
    assert [json.loads(line)["same"] for line in told.stdout.splitlines()] == [True] * number
    row = rows(decided)[-1]
    put(decided, row, judged=f"{row.judged} ")
    done = run(decided)
    assert done.exit_code == 3
    assert "differs: the papers keep other facts" in done.stdout


def test_a_verdict_that_the_facts_do_not_bear_is_found(peopled):
    """Somebody who writes entries of their own: the verdict is another, all digests are right."""
    peopled.ask()
    with writing(peopled.site.engine) as conn:
        waiting = entries.c.leaf.is_(None)
        for row in conn.execute(select(entries).where(waiting)).all():
            one = json.loads(row.body)
            if one["t"] == "request":
                one |= {"verdict": "allow", "reasons": []}
                body = json.dumps(one, sort_keys=True, separators=(",", ":")).encode()
                conn.execute(update(entries).where(entries.c.id == row.id).values(body=body))
    assert [one.same for one in again(peopled) if one.same is not True] == [False]
    done = run(peopled)
    assert done.exit_code == 3
    assert "differs: it is refuse" in done.stdout
