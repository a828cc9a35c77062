"""Digests: the same for the same bytes in whatever company, another for others, and for another key."""

import random

import pytest

from onshore.gate.digests import Digests, of_any_size, packed, unpacked

KEY = bytes(range(32))
LONGEST = 65_556


@pytest.fixture(scope="module")
def messages():
    chance = random.Random(5)
    return [chance.randbytes(size) for size in (0, 1, 3, 4, 5, 6, 30, 346, 346, 347, LONGEST)]


def test_company_changes_nothing(messages):
    digests = Digests(KEY)
    alone = [digests.of([message], 4, 1)[0] for message in messages]
    assert digests.of(messages, 4, 1) == alone
    assert digests.of(messages[7:9] * 5, 4, 1) == alone[7:9] * 5
    assert digests.of([]) == []
    assert Digests(KEY).of(messages, 4, 1) == alone
    assert unpacked(packed(alone)) == alone


def test_every_byte_that_is_looked_at_counts_and_no_other(messages):
    digests, message = Digests(KEY), messages[7]
    for at in range(len(message)):
        other = bytearray(message)
        other[at] ^= 1
        same = digests.of([bytes(other)], 4, 1) == digests.of([message], 4, 1)
        assert same == (at < 4 or at == len(message) - 1)


def test_sizes_and_keys_tell_apart():
    zeros = [bytes(size) for size in range(100)]
    assert len(set(Digests(KEY).of(zeros))) == len(zeros)
    assert Digests(KEY).of([b"message"]) != Digests(KEY[::-1]).of([b"message"])


def test_of_any_size_every_byte_and_the_key_count(messages):
    longer = [*messages, bytes(1_000_000), bytes(1_000_001)]
    found = of_any_size(KEY, longer)
    assert found == [of_any_size(KEY, [message])[0] for message in longer]
    assert len({*found, *of_any_size(KEY[::-1], longer)}) == 2 * len(set(longer))
    near = [messages[7][:at] + bytes((messages[7][at] ^ 1,)) + messages[7][at + 1 :] for at in range(346)]
    assert len({*found, *of_any_size(KEY, near)}) == len(longer) + len(near)
    assert unpacked(packed(found)) == found
    assert of_any_size(KEY, []) == []


def test_many_that_are_nearly_alike_differ():
    near = [b"%08d" % n + bytes(300) for n in range(20_000)]
    found = Digests(KEY).of(near)
    assert len(set(found)) == len(near)
    assert len({digest >> 32 for digest in found}) > len(near) - 5
    assert len({digest & 0xFFFFFFFF for digest in found}) > len(near) - 5
