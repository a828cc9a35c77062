"""Lists of a message as the vault keeps them: packed to bytes, each signal the way its other door packs it.

GB/T 32960 brings most of these signals too, and one column has one meaning: cell voltages are uint16 little-endian in
millivolts, temperatures one byte with 40 added, faults uint32 big-endian; its code for "invalid" stands where JSON has
null. Other lists of numbers are little-endian by their VSS datatype, lists of strings a JSON array; bytes may come as
Base64 (RFC 4648, 4) instead of an array.
"""

import base64
import binascii
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from onshore.words.catalogue import Signal
from onshore.words.packed import packed

ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes that are no JSON of the type that was asked for."""


class Packer(Protocol):
    """How one signal's lists are packed."""

    def pack(self, raws: Sequence[bytes]) -> list[bytes | None]:
        """Each JSON value as the bytes of its column, None where it is not what it must be."""


class Numbers:
    """Numbers from `low` to `high`, each kept as `dtype`: value * per + zero; `invalid` for null, None: not taken."""

    def __init__(
        self, dtype: str, low: float, high: float, *, per: int = 1, zero: int = 0, invalid: float | None = None
    ) -> None:
        number = Annotated[float, msgspec.Meta(ge=low, le=high)]
        self._dtype, self._per, self._zero, self._invalid = np.dtype(dtype), per, zero, invalid
        self._all = msgspec.json.Decoder(list[list[number]])
        one: Any = list[number | None] if invalid is not None else list[number]
        self._one = msgspec.json.Decoder(one)

    def pack(self, raws: Sequence[bytes]) -> list[bytes | None]:
        """As a Packer does; lists of one width, such as [3.651,3.649], are read as columns of digits."""
        quick = _thousandths(raws) if self._per == 1000 else None
        if quick is not None:
            return _split(quick.astype(self._dtype), [len(raw) // _WIDE for raw in raws])
        try:
            found = self._all.decode(b"[" + b",".join(raws) + b"]")
        except ERRORS:
            return [self._alone(raw) for raw in raws]
        counts = [len(values) for values in found]
        return _split(self._kept(np.fromiter(chain.from_iterable(found), np.float64, sum(counts))), counts)

    def _alone(self, raw: bytes) -> bytes | None:
        try:
            values = self._one.decode(raw)
        except ERRORS:
            return None
        kept = self._kept(np.array([0.0 if v is None else v for v in values]))
        for at, value in enumerate(values):
            if value is None:
                kept[at] = self._invalid
        return kept.tobytes()

    def _kept(self, values: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        if self._dtype.kind == "f":
            return values.astype(self._dtype)
        return (np.rint(values * self._per) + self._zero).astype(self._dtype)


class Octets:
    """Bytes: an array of 0 to 255, or one string of Base64."""

    _array = msgspec.json.Decoder(list[Annotated[int, msgspec.Meta(ge=0, le=255)]])
    _text = msgspec.json.Decoder(str)

    def pack(self, raws: Sequence[bytes]) -> list[bytes | None]:
        """As a Packer does."""
        return [self._alone(raw) for raw in raws]

    def _alone(self, raw: bytes) -> bytes | None:
        try:
            if raw[:1] != b'"':
                return bytes(self._array.decode(raw))
            return base64.b64decode(self._text.decode(raw), validate=True)
        except (*ERRORS, binascii.Error, ValueError):
            return None


class Strings:
    """Strings of at most 256 characters, kept as a JSON array of them."""

    _array = msgspec.json.Decoder(list[Annotated[str, msgspec.Meta(max_length=256)]])

    def pack(self, raws: Sequence[bytes]) -> list[bytes | None]:
        """As a Packer does."""
        return [self._alone(raw) for raw in raws]

    def _alone(self, raw: bytes) -> bytes | None:
        try:
            return msgspec.json.encode(self._array.decode(raw))
        except ERRORS:
            return None


_BY_TYPE: dict[str, Packer] = {"uint8[]": Octets(), "string[]": Strings()}


def packer(signal: Signal) -> Packer:
    """How the lists of a signal are packed, whose datatype is an array."""
    how = packed(signal)
    if how is None:
        return _BY_TYPE[signal.type]
    return Numbers(how.dtype, how.low, how.high, per=how.per, zero=how.zero, invalid=how.invalid)


_DIGITS = np.frombuffer(b"0.000", np.uint8)[:, None]
_WIDE = len(_DIGITS) + 1
_WORTH = np.array((1000, 0, 100, 10, 1), np.uint16)[:, None]
_HIGHEST = np.array((9, 0, 9, 9, 9), np.uint8)[:, None]


def _thousandths(raws: Sequence[bytes]) -> npt.NDArray[np.uint16] | None:
    """All numbers of all lists in thousandths, if each is written like 3.651 and nothing stands between them."""
    if any(len(raw) % _WIDE != 1 or len(raw) == 1 for raw in raws):
        return None
    signs = np.frombuffer(b"".join([raw[1:] for raw in raws]), np.uint8).reshape(-1, _WIDE).T
    digits = signs[:-1] - _DIGITS  # what is less than it wraps around, beyond any digit
    if (digits > _HIGHEST).any() or not np.isin(signs[-1], np.frombuffer(b",]", np.uint8)).all():
        return None
    thousandths: npt.NDArray[np.uint16] = (digits * _WORTH).sum(axis=0, dtype=np.uint16)
    return thousandths


def _split(values: npt.NDArray[Any], counts: Sequence[int]) -> list[bytes | None]:
    data, size, at = values.tobytes(), values.itemsize, 0
    parts: list[bytes | None] = []
    for count in counts:
        parts.append(data[at : at + count * size])
        at += count * size
    return parts
