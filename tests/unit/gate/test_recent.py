"""What comes twice is known, for as long as it was promised, in a memory that is bounded."""

from onshore.gate.recent import Recent


def test_what_was_remembered_is_known_and_nothing_else():
    recent = Recent(10)
    recent.remember([1, 2])
    assert recent.known({2, 3}) == {2}


def test_at_least_the_last_are_known_and_at_most_twice_as_many():
    recent = Recent(10)
    for key in range(1000):
        recent.remember([key])
        last = set(range(max(0, key - 9), key + 1))
        assert recent.known(last) == last
        assert len(recent.known(set(range(1000)))) <= 20
