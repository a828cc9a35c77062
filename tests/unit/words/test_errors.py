"""The tree of errors: exit codes, and what each says."""

from onshore.words.errors import Broken, Malformed, OnshoreError, Refusal


def test_exit_codes() -> None:
    assert (Refusal.exit_code, Malformed.exit_code, Broken.exit_code) == (1, 2, 3)
    assert all(issubclass(kind, OnshoreError) for kind in (Refusal, Malformed, Broken))


def test_a_refusal_carries_reason_article_and_remedy() -> None:
    no = Refusal("no-consent", "nobody allowed it", article="PIPL Art. 13", remedy="ask")
    assert (str(no), no.reason, no.article, no.remedy) == (
        "nobody allowed it",
        "no-consent",
        "PIPL Art. 13",
        "ask",
    )


def test_malformed_says_where_if_it_knows() -> None:
    assert str(Malformed("too short", where="line 3")) == "line 3: too short"
    assert str(Malformed("too short")) == "too short"
