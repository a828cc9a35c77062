"""Frames decoded per second and core: reference, fast decoder, and the limit, a copy of the same bytes.

346-byte frames of GB/T 32960.3-2016 in batches of 1,000 and 10,000, four layouts mixed, every field decoded, checksums
verified; the same cars in the 2025 edition (394 or 396 bytes with a signature that nobody looks at), and both mixed.
Beside them the worst that a sender can do: frames of as many units as may be, no two of one layout. And how many
signatures are verified a second, by algorithm.
"""

import random
import time
from collections.abc import Callable

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from onshore.gate.gb32960 import encode, reference, sm2
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import MAX_UNITS, START_2025, Command, Flag, frame
from onshore.gate.gb32960.signatures import Algorithm, Key, State, verify

BATCH, SIZE = 1000, 346
SHAPES = ((1, 0, 96, 36), (2, 0, 90, 36), (1, 1, 94, 36), (1, 2, 92, 36))  # motors, faults, cells, probes


def frames(count: int, seed: int = 32960, edition: int = 2016) -> list[bytes]:
    """Real-time frames of cars on the road: all but fuel cell and engine."""
    dice = random.Random(seed)
    made = [_frame(dice, i, edition, *SHAPES[dice.randrange(len(SHAPES))]) for i in range(count)]
    if edition == 2016:
        assert {len(f) for f in made} == {SIZE}
    return made


def run() -> dict[str, float]:
    """Frames per second by name, the best of several rounds each."""
    unlike = {edition: _unlike(BATCH, edition) for edition in (2016, 2025)}
    found = {}
    for edition in (2016, 2025):
        whole = frames(10 * BATCH, edition=edition)
        found |= _fast(f"gb32960 {edition}", whole)
        found[f"gb32960 {edition} reference decoder"] = BATCH / _best(
            lambda whole=whole: [reference.decode(f) for f in whole[:BATCH]], 3
        )
        found[f"gb32960 {edition} fast decoder, no two alike"] = BATCH / _best(
            lambda edition=edition: _decode(unlike[edition]), 3
        )
    both = [f for pair in zip(frames(5 * BATCH), frames(5 * BATCH, edition=2025), strict=True) for f in pair]
    found |= _fast("gb32960 both editions", both)
    joined = [np.frombuffer(b"".join(frames(BATCH, seed)), np.uint8) for seed in range(10)]
    found["gb32960 limit: copy of the bytes"] = 10 * BATCH / _best(lambda: [j.copy() for j in joined], 30)
    return found | _signatures()


def _fast(name: str, whole: list[bytes]) -> dict[str, float]:
    thousands = [whole[i : i + BATCH] for i in range(0, len(whole), BATCH)]
    return {
        f"{name} fast decoder": len(whole) / _best(lambda: [_decode(batch) for batch in thousands], 10),
        f"{name} fast decoder, batches of 10,000": len(whole) / _best(lambda: _decode(whole), 10),
    }


def _decode(batch: list[bytes]) -> None:
    assert not decode(batch, np.arange(1, len(batch) + 1, dtype=np.int64), 0).rejected


def _signatures() -> dict[str, float]:
    """Signatures verified per second, of which none is wrong."""
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    ecc_key = ec.derive_private_key(32960, ec.SECP256R1())
    cases = {
        "RSA-2048": (Key(Algorithm.RSA, rsa_key.public_key()), lambda m: _by_rsa(rsa_key, m)),
        "ECC P-256": (Key(Algorithm.ECC, ecc_key.public_key()), lambda m: _by_ecc(ecc_key, m)),
        "SM2": (Key(Algorithm.SM2, sm2.G), _by_sm2),
    }
    units = {"engine": {"crank_rpm": 2100}}
    found = {}
    for name, (key, sign) in cases.items():
        signed = [
            encode.realtime(b"LTEST", i * 1000, units, edition=2025, sign=sign) for i in range(946_656_000, 946_656_100)
        ]
        assert {verify(f, key) for f in signed} == {State.VALID}
        found[f"gb32960 signatures, {name}"] = len(signed) / _best(lambda s=signed, k=key: [verify(f, k) for f in s], 3)
    return found


def _by_rsa(key: rsa.RSAPrivateKey, message: bytes) -> tuple[int, bytes, bytes]:
    return 2, key.sign(message, padding.PKCS1v15(), SHA256()), b""


def _by_ecc(key: ec.EllipticCurvePrivateKey, message: bytes) -> tuple[int, bytes, bytes]:
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
    return 3, r.to_bytes(32, "big"), s.to_bytes(32, "big")


def _by_sm2(message: bytes) -> tuple[int, bytes, bytes]:
    """By the private key one, whose public key is the base point, with a nonce of one: enough to be verified."""
    r = (int.from_bytes(sm2.digest(sm2.G, message), "big") + sm2.G.x) % sm2.N
    return 1, r.to_bytes(32, "big"), (pow(2, -1, sm2.N) * (1 - r) % sm2.N).to_bytes(32, "big")


def _best(act: Callable[[], object], rounds: int) -> float:
    def once() -> float:
        start = time.process_time()
        act()
        return time.process_time() - start

    return min(once() for _ in range(rounds))


def _unlike(count: int, edition: int, seed: int = 32960) -> list[bytes]:
    """Frames of one size, each of MAX_UNITS units of the carmaker's of sizes of its own."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        ends = sorted(dice.choices(range(100), k=MAX_UNITS - 1))
        sizes = [b - a for a, b in zip([0, *ends], [*ends, 100], strict=True)]
        units = b"".join(bytes((0x80 + i, 0, size, *bytes(size))) for i, size in enumerate(sizes))
        body, start = bytes((26, 1, 15, 8, 30, 59)) + units, START_2025 if edition == 2025 else b"##"
        made.append(frame(Command.REALTIME, Flag.COMMAND, b"LTEST000000000001", body, start=start))
    return made


def _frame(dice: random.Random, i: int, edition: int, motors: int, faults: int, cells: int, probes: int) -> bytes:
    volts = [round(dice.uniform(3.2, 4.1), 3) for _ in range(cells)]
    units = {
        "vehicle": {
            "status": "started", "charging": "not_charging", "mode": "electric",
            "speed_kmh": dice.randrange(1300) / 10, "odometer_km": 15591.0 + i, "voltage_v": 358.0,
            "current_a": dice.randrange(-500, 2000) / 10, "soc_pct": dice.randrange(101), "dcdc": "working",
            "gear": {"position": "D", "braking": False, "driving": True}, "insulation_kohm": 6553,
            "accelerator_pct": dice.randrange(101), "brake_pct": 0,
        },
        "motors": [
            {
                "no": n + 1, "status": "consuming", "controller_temp_c": 31,
                "speed_rpm": dice.randrange(9000),
                "torque_nm": dice.randrange(2000) / 10, "motor_temp_c": 35, "controller_voltage_v": 357.9,
                "controller_current_a": 20.0,
            }
            for n in range(motors)
        ],
        "position": {
            "valid": True, "datum": "gcj02", "longitude": dice.uniform(121, 122), "latitude": dice.uniform(31, 32),
        },
        "extremes": {
            "max_v_subsystem": 1, "max_v_cell": 12, "max_v": max(volts), "min_v_subsystem": 1,
            "min_v_cell": 55, "min_v": min(volts), "max_t_subsystem": 1, "max_t_probe": 3,
            "max_t_c": 28, "min_t_subsystem": 1, "min_t_probe": 7, "min_t_c": 24,
        },
        "alarms": {
            "max_level": 0, "flags_raw": 0, "battery_faults": ["00000101"] * faults, "motor_faults": [],
            "engine_faults": [], "other_faults": [], "levels": [],
        },
        "voltages": [
            {
                "subsystem": 1, "voltage_v": 358.0, "current_a": 12.5, "cell_total": cells, "first_cell": 1,
                "cell_v": volts,
            }
        ],
        "temperatures": [{"subsystem": 1, "probe_c": [dice.randrange(20, 35) for _ in range(probes)]}],
    }  # fmt: skip
    at, vin = 1_768_437_059_000 + 1000 * i, f"LTEST{i:012}".encode()
    if edition == 2016:
        return encode.realtime(vin, at, units)
    del units["extremes"]
    return encode.realtime(vin, at, units, edition=2025, sign=lambda _: (1, bytes(32), bytes(32)))


if __name__ == "__main__":
    for name, rate in run().items():
        print(f"{name:52} {rate:12,.0f} frames/s")
