"""Property: whatever the judge is asked, its word can be made again from the entry; and one sign otherwise is found."""

from contextlib import suppress

import law_strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from law import AT
from onshore.register import judgements
from onshore.register.rejudging import rejudged
from onshore.vault.papers import judgements as kept
from onshore.vault.papers import reading, writing
from onshore.words.errors import Malformed

DIGEST = f"sha256:{'0' * 64}"


def test_any_judgement_is_made_again_and_none_of_it_otherwise(hands):
    hands.now, site = AT, hands.site
    site.settle()
    before, handed_in = len(list(rejudged(site, 0))), []

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(law_strategies.acts, law_strategies.facts()), min_size=1, max_size=3))
    def judged(asked):
        every = [judgements.ask(site, act, facts) for act, facts in asked]
        with suppress(Malformed), writing(site.engine) as conn:  # one of them is about a person
            handed_in.append(judgements.hand_in(site, conn, "request", every, obj=DIGEST))

    judged()
    site.settle()
    found = list(rejudged(site, 0))
    assert [one for one in found if one.same is not True] == []
    assert len(found) == before + len(handed_in) > before + 20
    with reading(site.engine) as conn:
        rows = conn.execute(select(kept)).all()
    with writing(site.engine) as conn:
        for at, row in enumerate(rows):
            place = at * 7 % len(row.judged)
            other = f"{row.judged[:place]}~{row.judged[place + 1 :]}"
            conn.execute(update(kept).where(kept.c.facts == row.facts).values(judged=other))
    assert {one.same for one in rejudged(site, 0)} == {False}
