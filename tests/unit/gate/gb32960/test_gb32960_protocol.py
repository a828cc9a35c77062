"""Header, checksum, replies and the splitter, case by case."""

from functools import reduce
from operator import xor

import pytest

from onshore.gate.gb32960 import protocol as p

VIN = b"LTEST000000000017"
NOW = bytes((26, 1, 15, 8, 30, 59))
EARLIER = bytes((26, 1, 15, 8, 0, 0))
HEARTBEAT = p.frame(7, 0xFE, VIN)
REALTIME = p.frame(2, 0xFE, VIN, EARLIER + bytes(40))


def feed(splitter: p.Splitter, *reads: bytes) -> list[p.Event]:
    return [event for read in reads for event in splitter.feed(read)]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 1000])
def test_checksum_is_the_xor_of_all_bytes(size):
    data = bytes((i * 37 + 11) % 256 for i in range(size))
    assert p.checksum(data) == reduce(xor, data, 0)


def test_header_reads_back_what_frame_wrote():
    head = p.header(p.frame(p.Command.LOGOUT, p.Flag.OK, b"SHORT", b"abc", encryption=3))
    assert head == p.Header(b"##", 4, 1, b"SHORT" + bytes(12), 3, 3)


def test_time_is_beijing_time():
    assert p.time6(1768437059000) == NOW


def test_reply_keeps_the_time_and_drops_the_rest():
    assert p.reply(REALTIME, p.Flag.OK, NOW) == p.frame(2, 1, VIN, EARLIER)


def test_reply_to_a_heartbeat_is_empty_even_when_the_heartbeat_was_not():
    assert p.reply(p.frame(7, 0xFE, VIN, EARLIER), 1, NOW) == p.frame(7, 1, VIN)


def test_reply_to_time_sync_has_the_platforms_time():
    assert p.reply(p.frame(8, 0xFE, VIN), 1, NOW) == p.frame(8, 1, VIN, NOW)


@pytest.mark.parametrize(
    "request_",
    [p.frame(2, 0xFE, VIN), p.frame(2, 0xFE, VIN, EARLIER, encryption=3), REALTIME[:28]],
    ids=["no time", "time encrypted", "time not arrived"],
)
def test_reply_without_a_legible_time_has_the_platforms(request_):
    assert p.reply(request_, 2, NOW) == p.frame(2, 2, VIN, NOW)


def test_reply_keeps_the_edition():
    assert p.reply(p.frame(4, 0xFE, VIN, EARLIER + b"\0\1", start=b"$$"), 2, NOW)[:2] == b"$$"


def test_one_read_one_frame():
    splitter = p.Splitter()
    assert feed(splitter, REALTIME, HEARTBEAT) == [REALTIME, HEARTBEAT]
    assert (splitter.rest, splitter.skipped, splitter.unfinished) == (b"", 0, False)


def test_empty_read():
    assert feed(p.Splitter(), b"") == []


def test_byte_by_byte_with_garbage_between():
    splitter = p.Splitter()
    stream = b"\0#x" + REALTIME + b"##\0$" + HEARTBEAT + b"#"
    assert feed(splitter, *(stream[i : i + 1] for i in range(len(stream)))) == [REALTIME, HEARTBEAT]
    assert (splitter.rest, splitter.skipped) == (b"#", 7)


def test_both_editions_mixed():
    other = p.frame(7, 0xFE, VIN, start=b"$$")
    assert feed(p.Splitter(), REALTIME + other + HEARTBEAT) == [REALTIME, other, HEARTBEAT]


def test_an_extra_mark_before_a_frame():
    assert feed(p.Splitter(), b"#" + REALTIME) == [REALTIME]


def test_a_damaged_frame_costs_only_itself():
    bad = REALTIME[:-1] + bytes((REALTIME[-1] ^ 1,))
    splitter = p.Splitter()
    assert feed(splitter, HEARTBEAT + bad + HEARTBEAT) == [HEARTBEAT, p.BadChecksum(bad[:30]), HEARTBEAT]
    assert splitter.skipped == len(bad)


def test_a_length_too_short_or_a_lost_tail_costs_only_that_frame():
    short = REALTIME[:22] + b"\0\x05" + REALTIME[24:]
    cut = p.frame(2, 0xFE, VIN, NOW + b"\xff" * 40)[:40]
    events = feed(p.Splitter(), short + HEARTBEAT + cut + REALTIME + HEARTBEAT)
    assert [e for e in events if isinstance(e, bytes)] == [HEARTBEAT, REALTIME, HEARTBEAT]


@pytest.mark.parametrize("reads", [1, 2, 5])
def test_a_length_too_long_does_not_swallow_what_follows(reads):
    bad = REALTIME[:22] + b"\x40\0" + REALTIME[24:]
    stream = bad + REALTIME + HEARTBEAT
    cut = -(-len(stream) // reads)
    events = feed(p.Splitter(), *(stream[i : i + cut] for i in range(0, len(stream), cut)))
    assert events == [p.BadChecksum(bad[:30]), REALTIME, HEARTBEAT]


def test_a_start_mark_in_an_unfinished_body_is_not_a_frame():
    inner = b"##" + bytes(60) + HEARTBEAT[:23] + b"$$" + b"x" * 30
    long = p.frame(2, 0xFE, VIN, EARLIER + inner + bytes(100))
    splitter = p.Splitter()
    assert feed(splitter, *(long[i : i + 7] for i in range(0, len(long), 7))) == [long]


def test_a_whole_frame_inside_an_unfinished_one_that_nothing_follows_is_its_content():
    long = p.frame(2, 0xFE, VIN, EARLIER + HEARTBEAT + bytes(100))
    assert feed(p.Splitter(), long[:90], long[90:]) == [long]


def test_two_lies_one_in_the_other():
    lie = HEARTBEAT[:22] + b"\x20\0" + HEARTBEAT[24:]
    splitter = p.Splitter()
    assert feed(splitter, lie + lie + HEARTBEAT) == []
    assert splitter.give_up() == [p.BadChecksum(lie), HEARTBEAT]


def test_inner_header_that_claims_too_much_is_passed_over():
    lie = HEARTBEAT[:22] + b"\x00\x80" + HEARTBEAT[24:]
    wild = HEARTBEAT[:22] + b"\xff\xff" + HEARTBEAT[24:]
    assert feed(p.Splitter(200), lie + wild + HEARTBEAT) == [p.BadChecksum((lie + wild)[:30]), HEARTBEAT]


def test_give_up_finds_what_the_lie_hid():
    bad = REALTIME[:22] + b"\x40\0" + REALTIME[24:]
    splitter = p.Splitter()
    assert feed(splitter, bad + HEARTBEAT + b"junk") == []
    assert splitter.give_up() == [HEARTBEAT]
    assert splitter.rest == b""
    assert splitter.give_up() == ()


def test_too_long_is_said_and_passed_over():
    long = p.frame(2, 0xFE, VIN, bytes(300))
    splitter = p.Splitter(max_frame=200)
    assert feed(splitter, long + HEARTBEAT) == [p.TooLong(long[:24]), HEARTBEAT]


def test_limit_is_inclusive():
    frame = p.frame(2, 0xFE, VIN, bytes(175))
    assert len(frame) == 200
    assert feed(p.Splitter(200), frame) == [frame]
    assert feed(p.Splitter(199), frame) == [p.TooLong(frame[:24])]


@pytest.mark.parametrize(
    "unit",
    [
        b"#",
        b"$#",
        HEARTBEAT[:22] + b"\xff\x00",  # a thousand headers, each claiming all that follows
        HEARTBEAT[:22] + b"\x00\x40",
        HEARTBEAT[:-1] + b"\xff",
    ],
    ids=["marks", "half marks", "claims", "short claims", "bad sums"],
)
@pytest.mark.parametrize("read", [1, 700, 1 << 16])
def test_hostile_bytes_are_looked_at_a_few_times_each_however_many(unit, read, monkeypatch):
    class Counting:
        """The pattern of a header, counting how far it had to look."""

        def __init__(self, pattern):
            self.pattern, self.looked = pattern, 0

        def match(self, data):
            self.looked += p.HEADER
            return self.pattern.match(data)

        def search(self, data, at):
            found = self.pattern.search(data, at)
            self.looked += (found.end() if found else len(data)) - at
            return found

    def looked(size):
        counting = Counting(legible)
        monkeypatch.setattr(p, "_LEGIBLE", counting)
        stream, splitter = unit * (size // len(unit)), p.Splitter()
        for i in range(0, len(stream), read):
            splitter.feed(stream[i : i + read])
        return counting.looked

    legible = p._LEGIBLE
    for size in (1 << 12, 1 << 14) if read == 1 else (1 << 15, 1 << 17):
        assert looked(size) <= 60 * size  # a header is 24 bytes: each byte is looked at for two or three of them


@pytest.mark.parametrize(
    ("start", "why", "flag"),
    [
        (b"$$", p.SIGNATURE_INVALID, p.Flag.SIGNATURE_INVALID),
        (b"$$", p.NOT_DECRYPTABLE, p.Flag.DECRYPTION_FAILED),
        (b"$$", "unit 0x01 cut short", p.Flag.STRUCTURE_INVALID),
        (b"##", p.NOT_DECRYPTABLE, p.Flag.ERROR),
        (b"##", "bad time", p.Flag.ERROR),
    ],
)
def test_what_a_rejected_frame_is_answered_with(start, why, flag):
    assert p.flag_of(p.frame(2, 0xFE, VIN, start=start), why) is flag


def test_a_car_that_nobody_knows_is_answered_in_its_edition():
    assert p.vin_unknown(p.frame(1, 0xFE, VIN)) is p.Flag.ERROR
    assert p.vin_unknown(p.frame(1, 0xFE, VIN, start=b"$$")) is p.Flag.VIN_UNKNOWN


def test_the_answer_to_a_key_exchange_has_the_platforms_time():
    """Its body begins with a key, not with a time."""
    request = p.frame(0x0B, 0xFE, VIN, b"\3\0\x10" + bytes(28), start=b"$$")
    assert p.reply(request, 1, NOW) == p.frame(0x0B, 1, VIN, NOW, start=b"$$")
