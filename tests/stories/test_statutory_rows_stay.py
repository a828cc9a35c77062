"""Rows kept because the law has them kept serve statutory monitoring here, and nothing else."""

import pytest

from onshore.border import requests
from onshore.border.dryrun import dry_run
from onshore.consent.columns import compile_consents
from onshore.consent.sieve import sieve
from onshore.register.consents import Standing
from onshore.vault.read import read
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Transfer
from onshore.words.use import Use
from onshore.words.vocabulary import STATUTORY

ALL = ("track", "vehicle-operation", "driving-behaviour", "identity")


def rows(hands, use):
    site = hands.site
    tables = read(
        site.engine, site.root, site.vault, site.id, use=use, categories=ALL, start=0, until=hands.now + 86_400_000
    )
    return sum(t.num_rows for t in tables)


def test_they_are_read_for_their_own_purpose(hands):
    hands.drive(1)
    assert rows(hands, STATUTORY) == 60  # 20 instants in each of three categories


@pytest.mark.parametrize("use", ["warranty-analysis", "trip-history", "anything"])
def test_they_are_not_read_for_another_purpose(hands, use):
    hands.drive(1)
    with pytest.raises(Refusal) as refused:
        rows(hands, use)
    assert refused.value.reason == "purpose-not-consented"


def test_they_are_not_read_for_what_somebody_else_consented_to(hands):
    hands.allow(2)
    hands.drive(1)
    assert rows(hands, "warranty-analysis") == 0


def test_consented_rows_do_not_carry_statutory_ones_with_them(hands):
    hands.drive(1)
    hands.allow(1, categories=("track",))
    hands.drive(1)
    assert rows(hands, "warranty-analysis") == 20


def test_they_are_not_exported(hands):
    hands.drive(1)
    request = Transfer("t1", STATUTORY, ("track",), "stuttgart", 0, hands.now)
    with pytest.raises(Refusal) as refused:
        requests.ask(hands.site, request)
    assert refused.value.reason == "statutory-ground"
    assert refused.value.article


def test_an_export_for_another_purpose_does_not_touch_them(hands):
    hands.drive(1)
    request = Transfer("t1", "warranty-analysis", ("track",), "stuttgart", 0, hands.now)
    found = dry_run(hands.site, request)
    assert found.rows == 0


def test_sieving_them_for_another_use_keeps_nothing(hands):
    hands.drive(1)
    site = hands.site
    consents = Standing(site).columns()
    tables = read(site.engine, site.root, site.vault, site.id, use=STATUTORY, categories=ALL, start=0, until=hands.now)
    for table in tables:
        for batch in table.to_batches():
            assert sieve(batch, consents, site.rulebook, hands.now, only=Use("trip-history", None)).kept is None


def test_nobody_can_consent_them_into_another_purpose():
    with pytest.raises(Malformed):
        compile_consents([], ["trip-history", STATUTORY])
