"""The firmware's end of the link: small, strict, and sound under everything that may arrive."""

from __future__ import annotations

import random
import zlib
from pathlib import Path

import pytest

from conftest import require_tool
from edgekit import greeting, tools
from edgekit.frames import Decoder, Frame, Refusal, Type, encode

HERE = Path(__file__).resolve().parent
APP = HERE.parent.parent / "templates" / "app"
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-pedantic", "-Werror"]
BOARD_H = """#include <stdint.h>
#define BOARD_TICKS_HZ 120000000u
#define BOARD_COUNTS_CYCLES 1
int board_getc(void);
void board_putc(char c);
uint32_t board_cycles(void);
void *board_stack_limit(void);
"""
MAX_PAYLOAD = 512


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("link")
    (path / "board.h").write_text(BOARD_H)
    return path


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_it_is_at_most_two_and_a_half_kilobytes_and_calls_only_the_board(folder, core):
    gcc = require_tool("arm-none-eabi-gcc")
    done = tools.run([gcc, f"-mcpu={core}", "-mthumb", "-Os", "-ffreestanding", *FLAGS, f"-I{folder}",
                      f"-I{APP}", "-c", str(APP / "link.c"), "-o", str(folder / f"{core}.o")])
    assert done.returncode == 0, done.stderr.decode()
    sizes = tools.run(["arm-none-eabi-size", str(folder / f"{core}.o")]).stdout.split(b"\n")[1]
    text, data, bss = map(int, sizes.split()[:3])
    assert text + data <= 2560 and bss <= MAX_PAYLOAD + 400
    names = tools.run(["arm-none-eabi-nm", "-u", str(folder / f"{core}.o")]).stdout.decode().split()
    assert set(names[1::2]) <= {"board_cycles", "board_getc", "board_putc", "board_stack_limit", "memcpy", "memset",
                                "__aeabi_uidivmod"}


@pytest.fixture(scope="module")
def device(folder):
    """Bytes in -> frames out; the address and undefined-behaviour sanitizers are on."""
    compiler = require_tool("cc")
    program = folder / "harness"
    done = tools.run([compiler, *FLAGS, "-g", "-fsanitize=address,undefined",
                      "-fno-sanitize-recover=all", f"-I{folder}", f"-I{APP}", str(APP / "link.c"),
                      str(HERE / "link_harness.c"), "-o", str(program)])
    assert done.returncode == 0, done.stderr.decode()

    def talk(data: bytes) -> list[Frame]:
        answer = tools.run([str(program)], input=data, timeout_s=60)
        assert answer.returncode == 0, answer.stderr.decode()[:2000]
        found = Decoder().feed(answer.stdout)
        assert all(isinstance(item, Frame) for item in found)
        assert (found[0].type, found[0].sequence) == (Type.HELLO + Type.REPLY, 0)
        return found[1:]
    return talk


def request(type, sequence=1, payload=b""):
    return encode(Frame(type, sequence, payload))


def load(index, offset, data):
    return request(Type.LOAD, 1, bytes((index,)) + offset.to_bytes(4, "little") + data)


def crc(data):
    return zlib.crc32(data).to_bytes(4, "little")


FIRST, SECOND = bytes(range(20)), bytes(i % 251 for i in range(700))
LOADED = load(0, 0, FIRST) + load(1, 0, SECOND[:500]) + load(1, 500, SECOND[500:])
SUMS = bytes((SECOND[i] + FIRST[i % 20] + 1) & 255 for i in range(300))


def test_hello_says_protocol_sizes_board_and_model(device):
    said = greeting.parse(device(request(Type.HELLO, 42))[0].payload)
    assert (said.protocol, said.has_layers, said.max_payload, said.op_count, said.ticks_hz) == (
        1, True, MAX_PAYLOAD, 2, 120_000_000) and said.counts_cycles
    assert said.input_bytes == (20, 700) and said.output_bytes == (300,)
    assert said.model_sha256 == "0123456789abcdef" * 4 and said.board == "harness"


def test_what_was_loaded_is_run_and_read_back(device):
    read = bytes((0, 0, 0)) + (100).to_bytes(4, "little") + (200).to_bytes(2, "little")
    *acks, ran, data = device(LOADED + request(Type.INFER, 5, crc(FIRST + SECOND))
                              + request(Type.READ, 6, read))
    assert [ack.payload for ack in acks] == [bytes(5), b"\1" + bytes(4), b"\1\xf4\1\0\0"]
    assert ran.payload == (3_000_000).to_bytes(4, "little") + crc(SUMS) + bytes(4)
    assert data == Frame(Type.READ + Type.REPLY, 6, SUMS[100:300])


def test_an_operators_output_is_read_back_too(device):
    read = bytes((1, 1, 0)) + bytes(4) + (5).to_bytes(2, "little")
    *_, ran, data = device(LOADED + request(Type.LAYER, 5, b"\1\0" + crc(FIRST + SECOND))
                           + request(Type.READ, 6, read))
    assert ran.payload[4:] == (5).to_bytes(4, "little") + crc(bytes(range(1, 6)))
    assert data.payload == bytes(range(1, 6))


def test_each_operator_is_timed_alone_in_one_run(device):
    *_, times = device(LOADED + request(Type.TIMES, 5, crc(FIRST + SECOND)))
    # The harness's clock advances at each look, and by 1000 and 2000 in its operators.
    assert times.payload == (3_001_000).to_bytes(4, "little") + (3_002_000).to_bytes(4, "little")


@pytest.mark.parametrize("what, code", [
    (request(9), Refusal.UNKNOWN), (request(Type.INFER), Refusal.UNKNOWN),
    (request(Type.LOAD, 1, b"\0\0\0\0"), Refusal.UNKNOWN),
    (load(2, 0, b""), Refusal.RANGE), (load(0, 21, b""), Refusal.RANGE),
    (load(0, 0xFFFFFFFF, b"xx"), Refusal.RANGE), (load(0, 10, bytes(11)), Refusal.RANGE),
    (request(Type.INFER, 1, crc(FIRST)), Refusal.INPUTS),
    (request(Type.LAYER, 1, b"\0\0" + crc(FIRST)), Refusal.INPUTS),
    (request(Type.TIMES, 1, crc(FIRST)), Refusal.INPUTS), (request(Type.TIMES), Refusal.UNKNOWN),
    (request(Type.LAYER, 1, b"\2\0" + crc(FIRST + SECOND)), Refusal.RANGE),
    (request(Type.READ, 1, bytes((0, 1, 0, 0, 0, 0, 0, 1, 0))), Refusal.RANGE),
    (request(Type.READ, 1, bytes((2, 0, 0, 0, 0, 0, 0, 1, 0))), Refusal.RANGE),
    (request(Type.READ, 1, bytes((0, 0, 0, 44, 1, 0, 0, 1, 0))), Refusal.RANGE),
    (request(Type.READ, 1, bytes((1, 0, 0, 255, 255, 255, 255, 5, 0))), Refusal.RANGE),
    (load(0, 0, b"\x4d") + request(Type.INFER, 1, crc(b"\x4d" + FIRST[1:] + SECOND)),
     Refusal.FAILED)])
def test_a_request_that_cannot_be_served_is_refused(device, what, code):
    last = device(LOADED + what)[-1]
    assert last.type == Type.ERROR and last.payload[0] == code


@pytest.mark.parametrize("size", [MAX_PAYLOAD, MAX_PAYLOAD + 1, 5000])
def test_a_frame_that_is_too_long_is_dropped_and_the_next_is_served(device, size):
    found = device(load(1, 0, bytes(size - 5)) + request(Type.HELLO, 3))
    assert [frame.sequence for frame in found] == ([1, 3] if size == MAX_PAYLOAD else [3])


@pytest.mark.parametrize("seed", range(4))
def test_each_good_frame_is_answered_once_and_no_damaged_one_is(device, seed):
    rng = random.Random(seed)
    data, wanted = b"", []
    for number in range(600):
        payload = rng.randbytes(rng.choice((0, 4, 5, 6, 9, rng.randrange(MAX_PAYLOAD))))
        if rng.random() < 0.5:  # small numbers reach further than random ones
            payload = bytes(byte if rng.random() < 0.3 else byte % 2 for byte in payload)
        frame = Frame(rng.randrange(1, 9), number % 256, payload)
        wire = encode(frame)
        if rng.random() < 0.4:
            at = rng.randrange(1, len(wire) - 1)
            wire = wire[:at] + bytes((wire[at] ^ 1 << rng.randrange(8),)) + wire[at + 1:]
        elif rng.random() < 0.1:
            wire = rng.randbytes(rng.randrange(1500))
        wanted += [item for item in Decoder().feed(wire + b"\0") if isinstance(item, Frame)]
        data += wire + b"\0"
    got = device(data)
    assert [frame.sequence for frame in got] == [frame.sequence for frame in wanted]
    assert all(answer.type in (asked.type + Type.REPLY, Type.ERROR)
               for answer, asked in zip(got, wanted, strict=True))
