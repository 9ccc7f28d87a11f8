"""unicorn in a process of its own: the same answers, and an end that is told."""

from __future__ import annotations

import os
import signal

import pytest

from conftest import require_module, require_tool
from edgekit.board import load_board
from edgekit.emulators import worker
from edgekit.emulators.unicorn import open_machine
from edgekit.emulators.worker import open_in_worker
from edgekit.errors import EmulationFault
from edgekit.model import model_of
from edgekit import samples, targets, tflite_writer, workspace
from edgekit.builders import cmake
from tiny_graphs import all_graphs


@pytest.fixture(scope="module")
def built():
    require_module("unicorn")
    require_tool("arm-none-eabi-gcc")
    model = model_of(tflite_writer.write(all_graphs()["tiny_network"]), "tiny")
    board = load_board("nucleo_l4r5zi")
    code = targets.aot_code(model, board)
    project = cmake.project(code, targets.selftest(model), board)
    inputs = tuple(value.tobytes() for value in samples.random_samples(model.graph, 1)[0])
    return workspace.built(project, board, "auto", "balanced"), board, code.map, inputs


def answers(machine, inputs):
    machine.load(inputs)
    return (machine.hello(), machine.infer(), machine.infer(count=True), machine.layers(),
            machine.cycles(), machine.transcript, machine.peak_at)


def test_the_worker_answers_as_the_machine_itself(built):
    *opening, inputs = built
    with open_machine(*opening) as here, open_in_worker(*opening) as there:
        assert answers(there, inputs) == answers(here, inputs)


def test_machines_of_one_worker_do_not_meet(built):
    *opening, inputs = built
    with open_in_worker(*opening) as one, open_in_worker(*opening) as two:
        one.load(inputs)
        two.load(tuple(bytes(len(data)) for data in inputs))
        assert one.infer().outputs != two.infer().outputs
        assert worker._worker is one._worker is two._worker


def test_an_error_is_raised_as_it_was(built):
    *opening, _ = built
    with open_in_worker(*opening) as machine:
        with pytest.raises(Exception) as here:
            machine.infer()
        assert "no sample is loaded" in str(here.value)
        with pytest.raises(AttributeError):
            machine.registers


def test_a_killed_worker_is_told_and_the_next_machine_gets_another(built):
    *opening, inputs = built
    with open_in_worker(*opening) as machine:
        os.kill(machine._worker._pipe._process.pid, signal.SIGKILL)
        with pytest.raises(EmulationFault, match="the emulator's process is lost"):
            answers(machine, inputs)
    with open_in_worker(*opening) as machine:
        assert answers(machine, inputs)[2].instructions > 0
