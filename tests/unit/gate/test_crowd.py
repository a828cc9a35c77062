"""Who waits at the door: in the order of arrival, of all addresses and of each."""

import pytest

from onshore.gate.crowd import Crowd
from onshore.gate.limits import FILES, room


def crowd(*who):
    made = Crowd()
    for name in who:
        made.add(name, name[0])
    return made


def test_nobody():
    assert crowd().oldest("a") is None
    assert crowd().many("a") == 0


def test_the_oldest_of_an_address_and_of_all_where_none_is_from_there():
    made = crowd("b1", "a1", "a2")
    assert [made.oldest(address) for address in "abc"] == ["a1", "b1", "b1"]
    assert [made.many(address) for address in "abc"] == [2, 1, 0]


def test_who_leaves_is_forgotten_and_who_was_not_here_does_no_harm():
    made = crowd("b1", "a1", "a2")
    for name in ("a1", "a1", "b1", "c1"):
        made.discard(name)
    assert [made.oldest(address) for address in "ab"] == ["a2", "a2"]
    assert [made.many(address) for address in "ab"] == [1, 0]
    made.discard("a2")
    assert made.oldest("a") is None


def test_who_comes_back_is_behind_all_others():
    made = crowd("a1", "a2")
    made.discard("a1")
    made.add("a1", "a")
    assert made.oldest("a") == "a2"


@pytest.mark.parametrize("descriptors", [256, 1024, 20_000, 1 << 20])
def test_room_leaves_descriptors_for_files_and_for_what_is_not_counted_yet(descriptors):
    most, backlog = room(descriptors)
    assert most + 4 * backlog + FILES == descriptors
    assert most >= descriptors // 2
    assert 16 <= backlog <= 100


def test_room_is_never_nothing():
    assert room(20) == (1, 4)
