"""MLPerf Tiny's models on emulated boards, beside TensorFlow Lite Micro with CMSIS-NN.

    EDGEKIT_MODELS=folder python examples/mlperf_tiny/bench.py [--json results.json]
    edgekit compare before.json results.json --fail-on 'profiles.*.time.instructions=1%'

Instructions are exact counts of the emulated firmware. Milliseconds are an estimated range.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from edgekit import pipeline
from edgekit.errors import EdgekitError
from edgekit.text import table

MODELS = {"kws": "kws_ref_model", "vww": "vww_96_int8", "ic": "pretrainedResnet_quant",
          "ad": "ad01_int8"}
BOARDS = ("nucleo_l4r5zi", "raspberry_pi_pico", "qemu_riscv32")
# TFLite Micro 90b983c2 with CMSIS-NN 4ab83cc3, gcc 12.2.1, release build, on an emulated
# Cortex-M4: instructions of one inference, and bytes of arena that AllocateTensors needs.
TFLM_CMSIS_NN = {"kws": (7_697_579, 22_832), "vww": (24_101_949, 100_720),
                 "ic": (29_863_663, 55_008), "ad": (582_960, 3_024)}
HEADER = ("model", "board", "instructions", "per MAC", "per live MAC", "cycles", "TFLM + CMSIS-NN", "fewer by",
          "latency ms", "flash", "arena", "TFLM arena")


def row(name: str, profile: dict) -> tuple:
    """One line: TFLM's numbers only beside the core that they were counted on."""
    count, model = profile["time"]["instructions"], profile["model"]
    latency, cycles = profile["time"]["latency_s"], profile["time"]["cycles"]
    other, arena = TFLM_CMSIS_NN[name] if profile["board"] == "nucleo_l4r5zi" else (None, None)
    return (name, profile["board"], count, f"{count / model['macs']:.2f}",
            f"{count / model['macs_live']:.2f}", f"{cycles[0]} - {cycles[1]}" if cycles else "",
            other,
            f"{other / count:.2f}x" if other else "",
            f"{latency[0] * 1e3:.1f} - {latency[1] * 1e3:.1f}" if latency else "",
            profile["flash"]["total"], profile["ram"]["arena"], arena)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="the profiles, for edgekit compare")
    parser.add_argument("--optimize", default="speed", choices=("speed", "balanced", "size"))
    arguments = parser.parse_args()
    folder = Path(os.environ.get("EDGEKIT_MODELS", ""))
    if not (folder / f"{MODELS['kws']}.tflite").is_file():
        sys.exit("error: set EDGEKIT_MODELS to the folder with MLPerf Tiny's .tflite files")
    profiles, rows = [], []
    for board in BOARDS:
        for name, file in MODELS.items():
            profiles.append(pipeline.profile(folder / f"{file}.tflite", board, runtime="aot",
                                             optimize=arguments.optimize))
            rows.append(row(name, profiles[-1]))
    print(table(rows, HEADER))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(
            {"schema": "edgekit.profiles", "schema_version": 1, "issues": [],
             "profiles": profiles}, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except EdgekitError as error:
        sys.exit(f"error: {error.message}\nhint: {error.hint}")
