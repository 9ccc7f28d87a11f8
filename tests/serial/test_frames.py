"""Frames of the link on the host's side: nothing damaged is ever taken for a frame."""

from __future__ import annotations

import random

import pytest

from edgekit import frames
from edgekit.frames import Decoder, Frame, Noise, Text, encode


@pytest.mark.parametrize("plain, wire", [
    (b"", "01"), (b"\0", "01 01"), (b"\0\0", "01 01 01"), (b"\x11\x22\0\x33", "03 11 22 02 33"),
    (b"\x11\0\0\0", "02 11 01 01 01"), (bytes(range(1, 255)), "ff" + bytes(range(1, 255)).hex() + "01"),
    (bytes(range(0, 255)), "01 ff" + bytes(range(1, 255)).hex() + "01")])
def test_cobs_is_as_published(plain, wire):
    assert frames.cobs_encode(plain) == bytes.fromhex(wire)
    assert frames.cobs_decode(bytes.fromhex(wire)) == plain


def test_a_full_last_block_may_also_end_without_an_empty_one():
    assert frames.cobs_decode(b"\xff" + bytes(range(1, 255))) == bytes(range(1, 255))


@pytest.mark.parametrize("wire", [b"\x03\x11", b"\xff\x01", b"\x02"])
def test_a_block_that_ends_early_is_refused(wire):
    assert frames.cobs_decode(wire) is None


def test_every_length_reads_back_as_it_was():
    rng = random.Random(1)
    for size in range(0, 1100, 7):
        payload = bytes(rng.choice((0, 0, 1, 255, rng.randrange(256))) for _ in range(size))
        frame = Frame(rng.choice((1, 2, 0x15, 0x7F)), rng.randrange(256), payload)
        wire = encode(frame)
        assert wire[0] == wire[-1] == 0 and 0 not in wire[1:-1]
        assert Decoder().feed(wire) == [frame]


def test_a_changed_bit_or_a_lost_byte_never_gives_another_frame():
    frame = Frame(2, 9, bytes(range(0, 60, 3)))
    wire = encode(frame)
    for at in range(len(wire)):
        damaged = [wire[:at] + wire[at + 1:]] + [
            wire[:at] + bytes((wire[at] ^ 1 << bit,)) + wire[at + 1:] for bit in range(8)]
        for data in damaged:
            got = [item for item in Decoder().feed(data + b"\0") if isinstance(item, Frame)]
            assert got in ([], [frame]), at


def test_text_noise_and_frames_come_in_their_order_however_they_are_cut():
    # Payloads of 4 bytes make a length byte of 10, which is a line's end in text.
    wanted = [Text("self-test PASS\n"), Frame(0x11, 0, b"abcd"), Text("a line\n"), Text("no end"),
              Frame(0x12, 7, b""), Noise(b"\x07\x08"), Frame(0x7F, 8, b"\x01\x02"), Text("gr\u00fcn\n")]
    wire = (b"self-test PASS\n" + encode(wanted[1]) + b"a line\nno end" + encode(wanted[4])
            + b"\x07\x08" + encode(wanted[6]) + "gr\u00fcn\n".encode())
    rng = random.Random(2)
    for _ in range(50):
        decoder, found, rest = Decoder(), [], wire
        while rest:
            cut = rng.randrange(1, 9)
            found += decoder.feed(rest[:cut])
            rest = rest[cut:]
        assert found == wanted


@pytest.mark.parametrize("size", range(0, 40))
def test_a_length_byte_that_looks_like_a_line_end_splits_no_frame(size):
    frame = Frame(0x15, 200, b"\x41" * size)
    assert Decoder().feed(encode(frame)) == [frame]


def test_an_endless_stream_without_zeros_is_given_up_in_pieces():
    found = Decoder().feed(b"\x80" * 40_000)
    assert all(isinstance(item, Noise) for item in found) and len(found) == 2
