"""Cars that speak GB/T 32960: frames of many cars and instants written at once, column by column."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from numpy.typing import NDArray

from onshore.cli.driving.measured import CELLS, PROBES, Measured
from onshore.cli.voices.spoken import Pace, Source
from onshore.gate.gb32960 import encode, encode_2025
from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960 import tables_2025 as t25
from onshore.gate.gb32960.protocol import (
    HEADER,
    START_2016,
    START_2025,
    TIME,
    Command,
    Flag,
    frame,
    header,
    reply,
    time6,
)
from onshore.gate.gb32960.signatures import Algorithm

ICCID = "89860000000000000000"
_ANSWER = HEADER + TIME + 1  # bytes of an answer to data
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256

Part = tuple[str, t.Field, int]
"""A prefix that tells fields of one name apart, the field, and how many there are of it."""


class Voice:
    """Cars of one edition by their VINs. Those of 2025 sign each frame (ECC), having told their key when they came."""

    finest = 1000

    def __init__(self, vins: Sequence[bytes], source: Source, edition: int = 2016) -> None:
        self._vins, self._source, self._edition = vins, source, edition
        self._keys = [_chip_key(vin) for vin in vins] if edition == 2025 else []

    def greetings(self, car: int, now: int) -> list[bytes]:
        """A login; before it, in the edition of 2025, the activation of the car's chip."""
        vin = self._vins[car]
        if self._edition == 2016:
            return [encode.login(vin, now, 1, ICCID)]
        public = self._keys[car].public_key()
        key = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        chip = "SIM" + sha256(vin).hexdigest()[:13]
        activation = encode.activation(vin, now, chip, key, lambda body: self._sign(car, body))
        return [activation, encode.login_2025(vin, now, 1, ICCID)]

    def frames(self, first: int, many: int, at: Pace) -> list[list[bytes]]:
        """Real-time data, each frame of its own instant."""
        instants = [at.at(first + i) for i in range(many)]
        bodies = _bodies(self._source.said(first, many, at), instants, self._edition)
        if self._edition == 2025:
            return [[self._signed(car, body.tobytes()) for body in row] for car, row in enumerate(bodies)]
        start = START_2016 + bytes((Command.REALTIME, Flag.COMMAND))
        size = bodies.shape[2]
        heads = np.frombuffer(b"".join(start + vin + b"\1" + size.to_bytes(2, "big") for vin in self._vins), np.uint8)
        whole = np.empty((len(self._vins), many, HEADER + size + 1), np.uint8)
        whole[..., :HEADER] = heads.reshape(-1, 1, HEADER)
        whole[..., HEADER:-1] = bodies
        whole[..., -1] = np.bitwise_xor.reduce(whole[..., 2:-1], axis=2)
        return [_cut(row.tobytes(), whole.shape[2]) for row in whole]

    def ears(self, car: int) -> "Ears":
        """For a connection of a car."""
        del car
        return Ears()

    def _signed(self, car: int, body: bytes) -> bytes:
        signed = bytes((t25.SIGNATURE,)) + encode_2025.signature(*self._sign(car, body))
        return frame(Command.REALTIME, Flag.COMMAND, self._vins[car], body + signed, start=START_2025)

    def _sign(self, car: int, body: bytes) -> tuple[int, bytes, bytes]:
        r, s = decode_dss_signature(self._keys[car].sign(body, ec.ECDSA(hashes.SHA256())))
        return Algorithm.ECC, r.to_bytes(32, "big"), s.to_bytes(32, "big")


class Ears:
    """Hears answers, also that to an activation, which is a command; to any other the car says that it obeys."""

    def __init__(self) -> None:
        self._rest = self._due = b""

    def hear(self, data: bytes) -> tuple[int, int]:
        """Answers, one after the other; a half one waits for its rest."""
        data = self._rest + data if self._rest else data
        count, over = divmod(len(data), _ANSWER)
        if not over and data[22::_ANSWER] == bytes(count) and data[23::_ANSWER] == bytes((TIME,)) * count:
            self._rest = b""
            good = data[3::_ANSWER].count(Flag.OK)
            return good, count - good
        return self._slowly(data)

    def due(self) -> bytes:
        """That the car obeys, such as a report period that the gate sets."""
        due, self._due = self._due, b""
        return due

    def _slowly(self, data: bytes) -> tuple[int, int]:
        at = good = bad = 0
        while len(data) - at >= HEADER:
            head = header(data[at : at + HEADER])
            end = at + HEADER + head.length + 1
            if end > len(data):
                break
            asked = head.flag == Flag.COMMAND and head.command != Command.ACTIVATION_REPLY
            if asked:
                self._due += reply(data[at:end], Flag.OK, data[at + HEADER : at + HEADER + TIME])
            else:
                said = data[at + HEADER] if head.flag == Flag.COMMAND else head.flag
                good, bad = (good + 1, bad) if said == Flag.OK else (good, bad + 1)
            at = end
        self._rest = data[at:]
        return good, bad


def _bodies(said: Measured, instants: list[int], edition: int) -> NDArray[np.uint8]:
    """Data units without signature: (cars, frames, bytes). Those of a recorded drive are vehicle and position."""
    parts = _PARTS[edition, "cell_mv" in said]
    row = np.dtype([(f"f{i}", f">u{field.size}", (many,)) for i, (_, field, many) in enumerate(parts)])
    rows = np.zeros(said["speed_kmh"].shape, row)
    for name, (group, field, many) in zip(row.names or (), parts, strict=True):
        raw = _raw(said, group + field.name, field)
        rows[name] = raw if many > 1 else np.expand_dims(raw, -1)
    body = rows.view(np.uint8).reshape(*rows.shape, row.itemsize)
    times = np.frombuffer(b"".join(map(time6, instants)), np.uint8).reshape(1, -1, TIME)
    return np.concatenate([np.broadcast_to(times, (*body.shape[:2], TIME)), body], axis=2)


def _raw(said: Measured, key: str, field: t.Field) -> NDArray[Any]:
    """What is written for a field; what nothing is known of is invalid."""
    if key in _LISTS:
        name, more = _LISTS[key]
        return np.asarray(said[name] + np.int16(more))
    if key == "state":
        return np.asarray(2.0 * (said["latitude"] < 0) + 4.0 * (said["longitude"] < 0))
    always = _ALWAYS | (_SAME if "cell_mv" in said else {})
    value = said.get(key, said.get(key.removeprefix("controller_"), always.get(key)))
    if value is None:
        return np.asarray(256**field.size - 1 if field.codes else 0)
    known = np.abs(value) if field in t.COORDINATES else np.asarray(value)
    raw = np.rint(known * field.per) + field.zero
    return np.asarray(np.clip(raw, 0, 256**field.size - (3 if field.codes else 1)))


def _chip_key(vin: bytes) -> ec.EllipticCurvePrivateKey:
    """A test car's key is made of its VIN, the same whenever the car is simulated. It protects nothing."""
    number = int.from_bytes(sha256(b"a simulated car's chip " + vin).digest(), "big")
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def _constant(name: str, size: int = 1) -> Part:
    return "", t.Field(name, size, codes=False), 1


def _parts(edition: int, *, full: bool) -> list[Part]:
    """A frame's data units, field by field: vehicle and position; and a motor, and cells and probes of one pack."""
    tables = t25 if edition == 2025 else t
    unit = {name: _constant(f"unit {kind}") for kind, name in tables.UNITS.items()}
    one = _constant("one")
    found: list[Part] = [unit["vehicle"], *(("", f, 1) for f in tables.VEHICLE_FIELDS)]
    if full:
        found += [unit["motors"], one, *(("motor_" if f.name == "status" else "", f, 1) for f in tables.MOTOR_FIELDS)]
    found += [unit["position"], _constant("state"), *([("", t25.DATUM, 1)] if edition == 2025 else [])]
    found += [("", f, 1) for f in t.COORDINATES]
    if full:
        found += [unit["voltages"], one, *(("", f, 1) for f in (t25.PACK_FIELDS if edition == 2025 else t.PACK_FIELDS))]
        found += [_constant("cells", 2 if edition == 2025 else 1), ("", t.CELL, CELLS)]
        found += [unit["temperatures"], one, *(("", f, 1) for f in t.PROBES), _constant("probes", 2)]
        found.append(("", t.DEGREES, PROBES))
    return found


_LISTS = {t.CELL.name: ("cell_mv", 0), t.DEGREES.name: ("probe_c", t.DEGREES.zero)}
_PARTS = {(edition, full): _parts(edition, full=full) for edition in (2016, 2025) for full in (True, False)}
_ALWAYS = {f"unit {kind}": kind for kind in range(1, 10)} | {"one": 1, "datum": 1}
_SAME = {
    "mode": 1, "dcdc": 1, "insulation_kohm": 6500, "no": 1, "subsystem": 1,
    "cells": CELLS, "cell_total": CELLS, "first_cell": 1, "probes": PROBES,
}  # fmt: skip
