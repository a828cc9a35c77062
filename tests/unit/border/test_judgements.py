"""Every judgement can be made again from its entry: by the same facts and packs the same verdict, or it is found."""

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from onshore.border.cases import judgements
from onshore.cli.ledger import ledger
from onshore.vault.papers import entries, writing
from onshore.vault.papers import judgements as kept


@pytest.fixture
def asked(border):
    """A request judged twice: asked, and after its first paper."""
    request, _ = border.ask()
    border.file(request, "assessment")
    border.site.settle()
    return request


def again(border, since=0):
    border.site.settle()
    return list(judgements.rejudged(border.site, since))


def changed(border, **values):
    with writing(border.site.engine) as conn:
        first = conn.execute(select(kept.c.number).order_by(kept.c.number).limit(1)).scalar_one()
        conn.execute(update(kept).where(kept.c.number == first).values(**values))


def test_each_is_judged_again_and_the_same(border, asked):
    found = again(border)
    assert [(one.kind, one.same) for one in found] == [("request", True), ("request", True)]
    said = json.loads(border.site.ledger.entry_at(found[0].number))
    assert said["packs"][0] == f"sha256:{border.site.law.on(border.site.today()).digest}"
    assert again(border, since=border.site.clock() + 1) == []


def test_facts_that_were_changed_are_found(border, asked):
    with writing(border.site.engine) as conn:
        text = conn.execute(select(kept.c.judged).limit(1)).scalar_one()
    changed(border, judged=f"{text} ")
    assert [one.same for one in again(border)] == [False, True]
    assert "other facts" in again(border)[0].why


def test_a_verdict_that_the_facts_do_not_bear_is_found(border, asked):
    """Somebody who writes entries of their own: the verdict is another, all digests are right."""
    site = border.site
    border.ask()
    with writing(site.engine) as conn:
        waiting = entries.c.leaf.is_(None)
        for row in conn.execute(select(entries).where(waiting)).all():
            said = json.loads(row.body)
            if said["t"] == "request":
                said |= {"verdict": "allow", "reasons": []}
                body = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
                conn.execute(update(entries).where(entries.c.id == row.id).values(body=body))
    assert [one.same for one in again(border)] == [True, True, False]
    run = CliRunner().invoke(ledger, ["rejudge", "--site", str(site.folder)])
    assert run.exit_code == 3
    assert "differs: it is refuse" in run.stdout


def test_what_cannot_be_judged_again_is_told(border, asked):
    site = border.site
    body = json.loads(site.ledger.entry_at(again(border)[0].number))
    older = {k: v for k, v in body.items() if k not in {"facts", "packs"}}
    stranger = body | {"packs": [f"sha256:{'0' * 64}"]}
    with writing(site.engine) as conn:
        for said in (older, stranger):
            raw = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
            number = conn.execute(entries.insert().values(body=raw)).inserted_primary_key[0]
        row = conn.execute(select(kept).limit(1)).one()
        values = {name: getattr(row, name) for name in ("transfer", "at", "judged", "lenient", "salt")}
        conn.execute(kept.insert().values(**values, entry=number))
    found = again(border)
    assert [one.same for one in found] == [True, True, None, None]
    assert "kept no facts" in found[2].why
    assert "is not here" in found[3].why
    with writing(site.engine) as conn:
        conn.execute(delete(kept))
    assert [one.same for one in again(border)] == [None] * 4


def test_the_command_counts(border, asked):
    run = CliRunner().invoke(ledger, ["rejudge", "--site", str(border.site.folder)])
    assert (run.exit_code, run.stdout) == (0, "2 the same, 0 different, 0 not judged again\n")
    told = CliRunner().invoke(ledger, ["rejudge", "--json", "--since", "2020-01-01", "--site", str(border.site.folder)])
    assert [json.loads(line)["same"] for line in told.stdout.splitlines()] == [True, True]
