"""Consents replaced vehicle by vehicle mean what those compiled anew mean, and leave the earlier ones as they were."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sieve_strategies import PURPOSES, Case, cases, consents, fast, plain, slowly, stepwise

from onshore.consent.changes import replaced
from onshore.consent.columns import compile_columns, compile_consents
from onshore.consent.records import records_of

VEHICLES = [1, 2, 3, 2**62 + 5]
some = st.lists(consents, max_size=6)


def sieved(case: Case, columns):
    return plain(fast(case, lambda *_: columns))


@given(cases, some, st.lists(st.tuples(st.sets(st.sampled_from(VEHICLES), max_size=3), some), max_size=5))
@settings(max_examples=120, deadline=None)
def test_replaced_says_what_compiled_anew_says(case, first, changes):
    spare = 2
    held = {v: [c for c in first if c.vehicle == v] for v in VEHICLES}
    columns = compile_columns(records_of(first), PURPOSES, spare=spare)
    told = [(columns, first)]
    for vehicles, wishes in changes:
        held |= {v: [c for c in wishes if c.vehicle == v] for v in vehicles | {c.vehicle for c in wishes}}
        columns = replaced(columns, np.array(sorted(vehicles), np.int64), records_of(wishes))
        told.append((columns, [c for own in held.values() for c in own]))
    for columns, standing in told:
        assert sieved(case, columns) == plain(slowly(case._replace(consents=standing)))


@given(cases, some, some)
@settings(max_examples=50, deadline=None)
def test_two_changes_of_the_same_columns_do_not_meet(case, one, other):
    columns = compile_consents(case.consents, PURPOSES)
    first, second = (replaced(columns, np.array([1]), records_of(wishes)) for wishes in (one, other))
    for now, wishes in ((first, one), (second, other), (columns, None)):
        gone = set() if wishes is None else {1} | {c.vehicle for c in wishes}
        standing = [c for c in case.consents if c.vehicle not in gone] + (wishes or [])
        assert sieved(case, now) == plain(slowly(case._replace(consents=standing)))


@given(cases)
@settings(max_examples=50, deadline=None)
def test_the_order_of_changes_to_vehicles_does_not_matter(case):
    assert plain(fast(case, stepwise)) == plain(slowly(case))


def test_what_changes_leave_behind_is_laid_out_anew_in_time():
    columns = compile_consents([], PURPOSES)
    one = cases_of(1)
    rows = set()
    for turn in range(300):
        columns = replaced(columns, np.array([turn % 7]), records_of(one[: turn % 3]))
        rows.add(len(columns.vehicles))
    assert max(rows) < 150
    assert columns.of["track"].room.taken < 400


def cases_of(vehicle):
    from sieve_strategies import consent

    return [consent(vehicle, category="track", start=s) for s in (1, 2)]
