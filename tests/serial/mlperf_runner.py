"""A runner for MLPerf Tiny's text protocol, from its published description: a command ends with
'%', its answer with a line m-ready; inputs come in pieces of 31 bytes, as hexadecimal digits."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from edgekit.serial_port import Port

PIECE = 31


class ProtocolError(Exception):
    """An answer that the protocol does not know, an error line, or silence."""


@dataclass(frozen=True)
class Run:
    """What `infer` said: microseconds of all measured inferences, and the result vector."""

    us: int
    results: tuple[float, ...]


class Runner:
    def __init__(self, port: Port):
        self._port, self._text = port, ""

    def wait_ready(self, seconds: float = 20.0) -> list[str]:
        """The lines until m-ready."""
        lines: list[str] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._text += self._port.read().decode("ascii", errors="replace")
            while "\n" in self._text:
                line, _, self._text = self._text.partition("\n")
                if line.strip() == "m-ready":
                    return lines
                lines.append(line.strip())
        raise ProtocolError(f"no m-ready within {seconds:g} s, but {lines[-3:]}")

    def begin(self) -> None:
        """What the device said at its start may have been heard or not: read until its name."""
        self._port.write(b"name%")
        while not any(line.startswith("m-name-") for line in self.wait_ready()):
            pass

    def ask(self, command: str) -> list[str]:
        self._port.write(command.encode() + b"%")
        return self.wait_ready()

    def ask_right(self, command: str) -> list[str]:
        lines = self.ask(command)
        if errors := [line for line in lines if line.startswith("e-")]:
            raise ProtocolError(f"{command[:20]}: {errors[0]}")
        return lines

    def who(self) -> tuple[str, str]:
        """(the device's name, its benchmark)."""
        said = "\n".join(self.ask_right("name") + self.ask_right("profile"))
        return (re.search(r"^m-name-dut-\[(.+)]$", said, re.M)[1],
                re.search(r"^m-model-\[(.+)]$", said, re.M)[1])

    def load(self, data: bytes) -> None:
        self.ask_right(f"db load {len(data)}")
        lines: list[str] = []
        for at in range(0, len(data), PIECE):
            lines = self.ask_right(f"db {data[at:at + PIECE].hex()}")
        if lines != ["m-load-done"]:
            raise ProtocolError(f"the load ended with {lines}")

    def infer(self, count: int = 1, warm_ups: int = 0) -> Run:
        lines = self.ask_right(f"infer {count} {warm_ups}")
        laps = [int(m[1]) for line in lines if (m := re.fullmatch(r"m-lap-us-(\d+)", line))]
        found = [m[1] for line in lines if (m := re.fullmatch(r"m-results-\[([^]]+)]", line))]
        if len(laps) != 2 or len(found) != 1:
            raise ProtocolError(f"infer gave {len(laps)} laps and {len(found)} results")
        return Run(laps[1] - laps[0], tuple(map(float, found[0].split(","))))


def accuracy(runner: Runner, samples: list[bytes]) -> list[tuple[float, ...]]:
    """Accuracy mode: each sample loaded and run once."""
    results = []
    for sample in samples:
        runner.load(sample)
        results.append(runner.infer().results)
    return results


def performance(runner: Runner, sample: bytes, count: int, warm_ups: int) -> float:
    """Performance mode: inferences a second, of one sample."""
    runner.load(sample)
    us = runner.infer(count, warm_ups).us
    return count / us * 1e6 if us else 0.0
