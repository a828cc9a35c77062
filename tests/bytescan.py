"""Search every byte of a folder for vehicles (VINs) and places (coordinates) in the clear.

A hit must mean something: over ciphertext, four given bytes turn up by chance once in 2^32 places, and a day
of driving gives some hundred thousand such patterns, so lone four-byte numbers would be found in any large
file. Therefore

- a pattern of 6 bytes or more (a VIN in any form, a decimal text, a float64) is a hit wherever it stands;
- a four-byte number (integer of 1e-6 degree, float32), or the digits of such an integer, is a hit only in
  company: with the other half of the same fix in the same form within 64 bytes (a row, a frame), or as one
  of at least four such numbers within 64 bytes, whole words apart (a column). An int64 is its int32 and four
  more bytes, so it is found with it.

By chance company is found in 50 MB of ciphertext, with a whole day of one fix a second, less than once in
1,000 runs, and with a thousand fixes less than once in 100,000. What this cannot see: a lone four-byte
number, and numbers too plain to stand for a place (0.0, 31.25: mostly zero bytes), of which a test must not
be made.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from unpack import views

Words = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
Fix = tuple[float, float]
"""Longitude and latitude in degrees."""

COMPANY = 64
CHUNK = 1 << 22
ENOUGH = 20
"""Hits of one kind in one reading of a file, after which the rest is not listed."""

_SPREAD = np.uint32(0x9E3779B1)  # Knuth's multiplicative hash: 32 bits to 24
_FEW = 24


@dataclass(frozen=True)
class Hit:
    """What was found, and where: `within` says how the file was unpacked, `offset` is counted there."""

    file: str
    kind: str
    offset: int
    within: str = ""


def find(folder: Path, vins: Iterable[str], coordinates: Iterable[Fix]) -> list[Hit]:
    """Every VIN and coordinate in the files under a folder, and in the names of these files."""
    needles = Needles(vins, coordinates)
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        name = path.relative_to(folder).as_posix()
        found += [Hit(name, kind, at, "name") for kind, at in needles.search(name.encode())]
        for within, data in views(path):
            found += [Hit(name, kind, at, within) for kind, at in needles.search(data)]
    return found


class Needles:
    """What to look for, compiled once: a filter over the first four bytes of each, then exact tables."""

    def __init__(self, vins: Iterable[str], coordinates: Iterable[Fix]) -> None:
        fixes = np.array(sorted(set(coordinates)), dtype=np.float64).reshape(-1, 2)
        self._strong = {form: kind for vin in vins for kind, form in _vin_forms(vin)}
        self._strong |= {form: kind for kind, form in _degree_forms(np.unique(fixes))}
        self._lengths = sorted({len(form) for form in self._strong})
        self._weak = [Company(kind, words) for kind, words in _word_forms(fixes)]
        self._digits = _digit_forms(fixes)
        heads = [int.from_bytes(form[:4], "little") for form in (*self._strong, *self._digits)]
        self._heads = np.unique(np.array(heads, dtype=np.uint32))
        self._filter = np.zeros(1 << _FEW, dtype=np.bool_)
        for words in (self._heads, *(company.words for company in self._weak)):
            self._filter[_slot(words)] = True

    def search(self, data: bytes) -> Iterator[tuple[str, int]]:
        """Kind and offset of what is found in some bytes."""
        places, words = self._candidates(data)
        yield from self._strong_hits(data, places[_among(words, self._heads)])
        for company in self._weak:
            yield from ((company.kind, int(at)) for at in company.hits(places, words)[:ENOUGH])

    def _candidates(self, data: bytes) -> tuple[Places, Words]:
        """Every place whose four bytes pass the filter, with these bytes as a little-endian word."""
        places, words = [np.empty(0, np.int64)], [np.empty(0, np.uint32)]
        for start in range(0, len(data) - 3, CHUNK):
            for shift in range(4):
                count = min(CHUNK // 4, (len(data) - start - shift) // 4)
                if count > 0:
                    here = np.frombuffer(data, "<u4", count, start + shift)
                    passed = np.flatnonzero(self._filter[_slot(here)])
                    places.append(passed * 4 + start + shift)
                    words.append(here[passed])
        place, word = np.concatenate(places), np.concatenate(words)
        order = np.argsort(place)
        return place[order], word[order]

    def _strong_hits(self, data: bytes, places: Places) -> Iterator[tuple[str, int]]:
        seen: dict[str, int] = {}
        digits: list[tuple[int, int, int]] = []
        for at in places.tolist():
            for length in self._lengths:
                kind = self._strong.get(data[at : at + length]) if at + length <= len(data) else None
                if kind and not (kind.endswith("text") and _inside_a_number(data, at)):
                    seen[kind] = seen.get(kind, 0) + 1
                    if seen[kind] <= ENOUGH:
                        yield kind, at
            if axis := self._digits.get(number := _number(data, at)):
                digits.append((at, int(number), axis))
        yield from (("coordinate 1e-6 digits", at) for at in self._paired(digits)[:ENOUGH])

    def _paired(self, digits: list[tuple[int, int, int]]) -> list[int]:
        """Digits in company: a longitude and a latitude, or four of them, close together."""
        near = []
        for i, (at, _, axis) in enumerate(digits):
            company = [axis]
            for other, _, its in digits[i + 1 :]:
                if other - at > 2 * COMPANY:
                    break
                company.append(its)
            if len(company) >= 4 or {1, 2} <= {bit for axes in company for bit in (axes & 1, axes & 2)}:
                near.append(at)
        return near


class Company:
    """Four-byte forms of every fix, and the rule that says when finding some of them means something."""

    def __init__(self, kind: str, fixes: Words) -> None:
        telling = _telling_words(fixes)
        both = fixes[telling.all(axis=1)]
        self.kind = kind
        self.words = np.unique(fixes[telling])
        self._pairs = {(int(a), int(b)) for a, b in both}

    def hits(self, places: Places, words: Words) -> Places:
        """Where, among candidates sorted by place, one of these words stands in company."""
        mine = _among(words, self.words)
        places, words = places[mine], words[mine]
        good = np.zeros(len(places), dtype=np.bool_)
        for shift in range(4):
            column = np.flatnonzero(places % 4 == shift)
            run = np.flatnonzero(places[column[3:]] - places[column[:-3]] <= COMPANY)
            good[column[run]] = True
        step = 1
        while step < len(places):
            close = np.flatnonzero(places[step:] - places[:-step] <= COMPANY)
            if not close.size or step > COMPANY:
                break
            for i in close[~good[close]].tolist():
                one, other = int(words[i]), int(words[i + step])
                good[i] = (one, other) in self._pairs or (other, one) in self._pairs
            step += 1
        return places[good]


def _slot(words: Words) -> Words:
    return (words * _SPREAD) >> np.uint32(32 - _FEW)


def _among(words: Words, table: Words) -> npt.NDArray[np.bool_]:
    if not len(table):
        return np.zeros(len(words), dtype=np.bool_)
    at = np.minimum(np.searchsorted(table, words), len(table) - 1)
    return np.equal(table[at], words)


def _telling_words(words: Words) -> npt.NDArray[np.bool_]:
    """Which words have at most one zero byte and three different ones."""
    parts = np.sort(np.ascontiguousarray(words).view(np.uint8).reshape(*words.shape, 4), axis=-1)
    different = 1 + np.count_nonzero(np.diff(parts, axis=-1), axis=-1)
    return (different >= 3) & (np.count_nonzero(parts == 0, axis=-1) <= 1)


def _vin_forms(vin: str) -> Iterator[tuple[str, bytes]]:
    for text in {vin, vin.upper(), vin.lower()}:
        plain = text.encode("ascii")
        yield "vin utf-8", plain
        yield "vin utf-16-le", text.encode("utf-16-le")
        yield "vin utf-16-be", text.encode("utf-16-be")
        yield "vin hex", plain.hex().encode()
        yield "vin hex", plain.hex().upper().encode()
        for before in range(3):  # how many bytes of the same group of three stand before it
            sextets = base64.b64encode(b"\0" * before + plain)
            yield "vin base64", sextets[-(-8 * before // 6) : 8 * (before + len(plain)) // 6]


def _degree_forms(degrees: npt.NDArray[np.float64]) -> Iterator[tuple[str, bytes]]:
    """Decimal text to four places, cut and rounded (longer texts start with one of these), and float64."""
    for value in degrees.tolist():
        cut = f"{abs(value):.12f}"[:-8]
        for text in {cut, f"{abs(value):.4f}"}:
            if not text.endswith("000"):
                yield "coordinate text", text.encode()
        for near in (value, np.nextafter(value, 999.0), np.nextafter(value, -999.0)):
            form = np.float64(near).tobytes()
            if len(set(form)) >= 5:
                yield "coordinate float64-le", form
                yield "coordinate float64-be", form[::-1]


def _word_forms(fixes: npt.NDArray[np.float64]) -> Iterator[tuple[str, Words]]:
    """(fixes, 2) words as a little-endian reader sees them; also without the sign, which GB/T 32960 drops."""
    millionths = np.rint(fixes * 1e6).astype("<i4")
    signed = np.concatenate([millionths, np.abs(millionths)])
    for name, words in (("int32", signed), ("float32", fixes.astype("<f4"))):
        yield f"coordinate {name}-le", np.ascontiguousarray(words).view(np.uint32)
        yield f"coordinate {name}-be", np.ascontiguousarray(words).byteswap().view(np.uint32)


def _digit_forms(fixes: npt.NDArray[np.float64]) -> dict[bytes, int]:
    """Digits of 1e-6 degrees, as a frame printed in JSON shows them → 1 longitude, 2 latitude, 3 either."""
    forms: dict[bytes, int] = {}
    for axis in (0, 1):
        for value in np.abs(np.rint(fixes[:, axis] * 1e6)).astype(np.int64).tolist():
            if value >= 1_000_000:
                forms[b"%d" % value] = forms.get(b"%d" % value, 0) | (1 << axis)
    return forms


def _inside_a_number(data: bytes, at: int) -> bool:
    return at > 0 and data[at - 1 : at].isdigit()


def _number(data: bytes, at: int) -> bytes:
    """The run of up to ten digits that starts exactly here, else nothing."""
    if _inside_a_number(data, at):
        return b""
    end = at
    while end < min(at + 10, len(data)) and 48 <= data[end] <= 57:
        end += 1
    return data[at:end]
