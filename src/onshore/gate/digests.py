"""Digests of messages, many at once: by them what comes again is known, also by the gate that is started next."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b, shake_256

import numpy as np
import numpy.typing as npt

_WORDS = (1 << 14) + 64  # of four bytes each, in the longest message: 64 KiB and what is around it
_MASK = (1 << 64) - 1


class Digests:
    """Of messages of little more than 64 KiB at most: 64 bits each, by a key of 16 bytes or more that none else knows.

    Two sums of 32 bits, each of all words times numbers drawn from the key, of which the upper half stays: whichever
    two messages somebody chooses who does not know the key, it is the same for both once in 2 ** 64 (Dietzfelbinger,
    Universal hashing and k-wise independent random variables via integer arithmetic without primes, 1996).
    """

    def __init__(self, key: bytes) -> None:
        numbers = np.frombuffer(shake_256(key).digest(16 * (_WORDS + 1)), np.uint64).reshape(2, -1)
        self._high, self._low = numbers

    def of(self, messages: Sequence[bytes], begin: int = 0, end: int = 0) -> list[int]:
        """A number below 2 ** 64 for each message without its first `begin` and last `end` bytes."""
        sizes = {len(message) for message in messages}
        if len(sizes) == 1:
            return self._alike(messages, begin, end)
        of_size: dict[int, list[int]] = defaultdict(list)
        for place, message in enumerate(messages):
            of_size[len(message)].append(place)
        found = [0] * len(messages)
        for places in of_size.values():
            for place, digest in zip(places, self._alike([messages[i] for i in places], begin, end), strict=True):
                found[place] = digest
        return found

    def _alike(self, messages: Sequence[bytes], begin: int, end: int) -> list[int]:
        count, size = len(messages), len(messages[0])
        taken = max(0, size - begin - end)
        words = np.zeros((count, (taken + 3) // 4), np.uint32)
        if taken:
            rows = np.frombuffer(b"".join(messages), np.uint8).reshape(count, size)
            words.view(np.uint8)[:, :taken] = rows[:, begin : begin + taken]
        both = self._sum(words, self._high, size) | self._sum(words, self._low, size) >> np.uint64(32)
        found: list[int] = both.tolist()
        return found

    def _sum(self, words: npt.NDArray[np.uint32], numbers: npt.NDArray[np.uint64], size: int) -> npt.NDArray[np.uint64]:
        """The upper halves; the size of a message counts as one more word."""
        sums: npt.NDArray[np.uint64] = np.einsum("ij,j->i", words, numbers[: words.shape[1]])
        sums += np.uint64(int(numbers[-1]) * size & _MASK)
        return sums & np.uint64(_MASK ^ 0xFFFFFFFF)


def of_any_size(key: bytes, messages: Iterable[bytes]) -> list[int]:
    """The same for messages of any length: for doors whose messages are seldom as long as each other.

    BLAKE2b with the key, of 64 bytes at most (RFC 7693); it costs the same whatever lengths come together.
    """
    return [int.from_bytes(blake2b(message, digest_size=8, key=key).digest(), "big") for message in messages]


def packed(digests: Sequence[int]) -> bytes:
    """Digests as they lie on the disk, eight bytes each."""
    return np.array(digests, np.uint64).tobytes()


def unpacked(data: bytes) -> list[int]:
    """Digests that were `packed`."""
    found: list[int] = np.frombuffer(data, np.uint64).tolist()
    return found
