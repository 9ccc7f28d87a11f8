"""The command line's grammar: commands and their options."""

from __future__ import annotations

import argparse
import re

from edgekit.errors import UsageError
from edgekit.spelling import bits, numbers, seconds, share, size, weights
from edgekit.version import __version__


class Parser(argparse.ArgumentParser):
    """Wrong usage is a UsageError like any other, so that --json can tell it.

    `grammar` of the whole command line: each command's `options()`.
    """

    grammar: dict[str, dict[str, str]]

    def error(self, message: str):
        raise UsageError(message, f"{self.prog} --help")

    def options(self) -> dict[str, str]:
        """Names of the long options, "rate" for --rate -> "flag", "one" value or "many"."""
        return {word[2:]: "flag" if action.nargs == 0 else
                "many" if isinstance(action, argparse._AppendAction) else "one"
                for action in self._actions for word in action.option_strings
                if word.startswith("--") and word != "--help"}


def _common() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="one JSON document on stdout")
    common.add_argument("-q", "--quiet", action="store_true", help="no progress")
    common.add_argument("-v", "--verbose", action="store_true", help="tell every step; "
                        "tracebacks of bugs")
    return common


def _building() -> argparse.ArgumentParser:
    building = argparse.ArgumentParser(add_help=False)
    building.add_argument("--optimize", choices=("speed", "balanced", "size"), default=None,
                          help="default: balanced")
    building.add_argument("--toolchain", choices=("auto", "gcc", "zig"), default="auto")
    return building


def _engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", default="auto", choices=("auto", "reference", "native",
                                                             "unicorn", "qemu"))


def _board(parser: argparse.ArgumentParser, required: bool = False) -> None:
    parser.add_argument("--board", required=required, metavar="B", help="a name of edgekit boards")


def _runtime(parser: argparse.ArgumentParser, default: str | None, *more: str) -> None:
    parser.add_argument("--runtime", choices=("tflm", "aot", *more), default=default,
                        help=f"default: {default or 'aot; of a project, what it is'}")


def parser() -> Parser:
    """Every command that works; one function below for each."""
    common, building = _common(), _building()
    top = Parser(prog="edgekit", description="From a trained model to firmware whose numbers are "
                 "proven on this PC.", epilog="edgekit COMMAND --help tells more.")
    top.add_argument("--version", action="version", version=f"edgekit {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True,
                                  parser_class=Parser)

    def add(name: str, text: str, *parents):
        return commands.add_parser(name, help=text, description=text, parents=[common, *parents])

    _demo(add("demo", "the main job from a training to a table, on real data"))
    _inspect(add("inspect", "operators, shapes, MACs; which runtimes and boards take a model"))
    _check(add("check", "every problem of a model on a board at once, with its fix"))
    _prune(add("prune", "remove the weakest filters and neurons of a Keras model"))
    _quantize(add("quantize", "a Keras model or .tflite as a full int8 .tflite"))
    _slim(add("slim", "drop from a .tflite what no device reads, and prove it computes the same"))
    _fit(add("fit", "prune and quantize a Keras model until it meets a board's budgets", building))
    _generate(add("generate", "write a firmware project", building))
    _build(add("build", "compile a generated project", building))
    _emulate(add("emulate", "run inputs through a model on an emulated board", building))
    _profile(add("profile", "flash, RAM and instructions on an emulated board", building))
    _validate(add("validate", "compare a target with TensorFlow Lite Micro byte by byte",
                  building))
    _compare(add("compare", "two JSON results, and whether a number grew too much"))
    _report(add("report", "one HTML file of JSON results"))
    add("boards", "the boards edgekit knows")
    _flash(add("flash", "write firmware to a board, and verify it"))
    add("ports", "the serial ports of this machine, and which boards may be behind them")
    _monitor(add("monitor", "what firmware prints, and the frames of its link"))
    add("doctor", "which optional programs and packages are here")
    _run(add("run", "the whole pipeline of a project file, edgekit.toml"))
    top.grammar = {name: command.options() for name, command in commands.choices.items()}
    return top


def _run(parser) -> None:
    parser.add_argument("project", nargs="?", default="edgekit.toml", metavar="edgekit.toml",
                        help="default: the one in this folder")


def _demo(parser) -> None:
    parser.add_argument("--fast", action="store_true", help="without TensorFlow, from a small "
                        "int8 model that comes with edgekit")
    parser.add_argument("-o", "--out", default="build/demo", metavar="DIR",
                        help="default: build/demo")


def _inspect(parser) -> None:
    parser.add_argument("model", metavar="MODEL")


def _check(parser) -> None:
    parser.add_argument("model", metavar="MODEL")
    _board(parser, required=True)
    _runtime(parser, "tflm")
    parser.add_argument("--fix", action="store_true", help="mend what can be: the batch fixed at "
                        "1, integers at the edges, no unread bytes; then check the mended model")
    parser.add_argument("-o", "--out", metavar="OUT.tflite", help="of --fix")


def _prune(parser) -> None:
    parser.add_argument("model", metavar="SRC", help=".keras or .h5")
    parser.add_argument("-o", "--out", required=True, metavar="OUT.keras")
    parser.add_argument("--method", default="l1", choices=(
        "l1", "l1-filter", "l1-neuron", "l1-regularized", "magnitude", "n:m"),
        help="l1...: whole filters and neurons go, l1-regularized trains them towards zero first; "
        "magnitude, n:m: single weights become zero and the model does not get smaller")
    parser.add_argument("--scope", default=None, help="layer names with *, type:Conv2D, index:3; "
                        "!name excludes; comma-separated")
    parser.add_argument("--rate", type=float, help="fraction of each layer to remove")
    parser.add_argument("--threshold", type=float, help="remove what has a smaller L1 norm; with "
                        "--rate, at most that")
    parser.add_argument("--granularity", type=int, default=1, help="keep multiples of this")
    parser.add_argument("--pattern", metavar="N:M", help="of n:m; default: 2:4")
    parser.add_argument("--strength", type=float, help="of l1-regularized; default: 0.001")
    parser.add_argument("--data", metavar="D", help="fine-tune with this data")
    parser.add_argument("--validation", metavar="D", help="judge by this data, not by --data")
    parser.add_argument("--augment", metavar="MODULE:NAME", help="a Keras layer, or a function of "
                        "(x, random) that returns x changed")
    parser.add_argument("--epochs", type=int, default=6, help="default: 6; 0 only recalibrates")
    parser.add_argument("--patience", type=int, metavar="N", help="stop after N epochs without a "
                        "better loss on --validation")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N")
    parser.add_argument("--learning-rate", type=float, default=1e-3, metavar="X")
    parser.add_argument("--seed", type=int, default=0)


def _quantize(parser) -> None:
    parser.add_argument("model", metavar="SRC", help=".keras, .h5 or .tflite")
    parser.add_argument("-o", "--out", required=True, metavar="OUT.tflite")
    parser.add_argument("--data", required=True, metavar="D", help="calibration data; with labels "
                        "also for fine-tuning and accuracy")
    # What begins with a minus and a digit is a value here: --range -1,1.
    parser._negative_number_matcher = re.compile(r"-\.?\d")
    parser.add_argument("--method", default="linear", choices=("linear", "piecewise-linear",
                                                               "kmeans", "qat"))
    parser.add_argument("--scope", default=None, help="as in prune; see --outside")
    parser.add_argument("--bits", type=bits, action="append", default=[], metavar="N|SCOPE=N",
                        help="2 to 8 for the weights in the scope; can be given several times")
    parser.add_argument("--levels", type=int, metavar="N", help="so many values, instead of bits")
    parser.add_argument("--range", type=numbers, metavar="A,B", help="of linear: clip weights to it")
    parser.add_argument("--breakpoints", type=numbers, metavar="A,B,..",
                        help="of piecewise-linear; default: fitted")
    parser.add_argument("--weights", type=weights, action="append", default=[],
                        metavar="int8|int4|SCOPE=int4", help="int4: two weights in a byte, for "
                        "convolutions and dense layers; can be given several times")
    parser.add_argument("--dtype", default="int8", choices=("int8", "int16x8"),
                        help="int16x8: int16 activations, for tflm only")
    parser.add_argument("--outside", default="int8", choices=("int8", "int16x8", "float"),
                        help="what layers outside the scope are; all but int8 for tflm only")
    scales = parser.add_mutually_exclusive_group()
    scales.add_argument("--per-channel", dest="per_channel", action="store_true", default=None)
    scales.add_argument("--per-tensor", dest="per_channel", action="store_false", default=None,
                        help="one scale for each weight tensor")
    parser.add_argument("--epochs", type=int, help="of fine-tuning; default: 12 for codebooks "
                        "and int4, 6 for qat, else 0")
    parser.add_argument("--augment", metavar="MODULE:NAME", help="a Keras layer or a function of "
                        "(x, random) that changes the samples while training for labels")
    parser.add_argument("--targets", choices=("labels", "model"), help="train for the labels "
                        "(default of qat) or the float model's outputs (default of codebooks)")
    parser.add_argument("--validation", metavar="D", help="judge by this data, not by --data")
    parser.add_argument("--patience", type=int, metavar="N", help="stop after N epochs without a "
                        "better loss on --validation")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--seed", type=int, default=0)


def _slim(parser) -> None:
    parser.add_argument("model", metavar="MODEL.tflite")
    parser.add_argument("-o", "--out", required=True, metavar="OUT.tflite")
    parser.add_argument("--tflm-compress", action="store_true", help="for TFLite Micro alone: "
                        "weights of few distinct values as look-up tables, which it decodes into "
                        "its arena")
    parser.add_argument("--tflm-plan", action="store_true", help="plan TFLite Micro's arena here, "
                        "and write the plan into the file where its arena gets smaller")


def _fit(parser) -> None:
    parser.add_argument("model", metavar="SRC", help=".keras or .h5")
    _board(parser, required=True)
    parser.add_argument("--data", required=True, metavar="D", help="with labels; trains")
    parser.add_argument("--validation", metavar="D", help="judges the accuracy, best with samples "
                        "that no training has seen; default: a fifth of --data, not trained on")
    parser.add_argument("-o", "--out", required=True, metavar="OUT.tflite")
    parser.add_argument("--max-ram", type=share(size), metavar="N|P%", help="bytes, or a percentage "
                        "of what the unpruned model takes")
    parser.add_argument("--max-flash", type=share(size), metavar="N|P%")
    parser.add_argument("--max-latency", type=share(seconds), metavar="S|P%",
                        help="seconds; judges the high estimate")
    parser.add_argument("--max-accuracy-loss", type=float, default=0.01, metavar="X",
                        help="a fraction; default: 0.01, one point")
    parser.add_argument("--augment", metavar="MODULE:NAME", help="as in prune")
    parser.add_argument("--epochs", type=int, default=10, help="default: 10")
    parser.add_argument("--patience", type=int, metavar="N", help="stop after N epochs without a "
                        "better loss on what judges")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N")
    parser.add_argument("--learning-rate", type=float, default=3e-3, metavar="X")
    parser.add_argument("--seed", type=int, default=0)


def _generate(parser) -> None:
    parser.add_argument("model", metavar="MODEL.tflite")
    _board(parser, required=True)
    _runtime(parser, "tflm")
    parser.add_argument("--form", metavar="F", help="default: the board's own")
    parser.add_argument("-o", "--out", required=True, metavar="DIR")
    parser.add_argument("--name", help="the model's name in C; default: the file's")
    parser.add_argument("--force", action="store_true", help="overwrite edited files")


def _build(parser) -> None:
    parser.add_argument("project", metavar="DIR")


def _emulate(parser) -> None:
    parser.add_argument("source", metavar="MODEL.tflite|DIR")
    _board(parser)
    _runtime(parser, None)
    _engine(parser)
    parser.add_argument("--input", required=True, metavar="X", help=".npy or .npz")
    parser.add_argument("-o", "--out", required=True, metavar="Y.npy")


def _profile(parser) -> None:
    parser.add_argument("source", metavar="MODEL.tflite|DIR")
    _board(parser)
    _runtime(parser, "both", "both")
    _engine(parser)
    parser.add_argument("--target", default="emulator", help="emulator or serial:PORT, whose board "
                        "measures itself; default: emulator")
    parser.add_argument("--baud", type=int, metavar="N", help="of the port; default: the board's")
    parser.add_argument("--html", metavar="FILE", help="write the report there too")
    parser.add_argument("--max-ram", type=size, metavar="N")
    parser.add_argument("--max-flash", type=size, metavar="N")
    parser.add_argument("--max-latency", type=float, metavar="S", help="judges the high estimate")
    lock = parser.add_mutually_exclusive_group()
    lock.add_argument("--locked", action="store_true", help="exit 5 where sizes, toolchain, model "
                      "or kernels are not those of edgekit.lock beside the model")
    lock.add_argument("--update-lock", action="store_true", help="write edgekit.lock")


def _validate(parser) -> None:
    parser.add_argument("source", metavar="MODEL.tflite|DIR")
    _board(parser)
    _runtime(parser, None)
    _engine(parser)
    parser.add_argument("--target", default="emulator", help="native, emulator or "
                        "serial:PORT (rfc2217://HOST:PORT too); default: emulator")
    parser.add_argument("--baud", type=int, metavar="N", help="of the port; default: the board's")
    parser.add_argument("--boards", metavar="FLEET.toml", help="flash and validate all of its boards, "
                        "several at once")
    parser.add_argument("--link", default="auto", choices=("auto", "memory", "frames"),
                        help="of an emulator: read its memory, or talk through the UART as to a "
                        "board; default: frames with --engine qemu, else memory")
    parser.add_argument("--data", metavar="D")
    parser.add_argument("--samples", type=int, metavar="N", help="default: 20")


def _flash(parser) -> None:
    parser.add_argument("source", metavar="DIR|IMAGE", help="a project, or an .elf, .uf2 or .bin")
    _board(parser)
    parser.add_argument("--port", metavar="P", help="a serial port, a UF2 drive's folder, a probe's "
                        "id, or USER@HOST; default: the only one that fits")
    parser.add_argument("--baud", type=int, metavar="N")
    parser.add_argument("--hello", metavar="PORT", help="wait on this serial port until the new "
                        "firmware answers")
    parser.add_argument("--by", choices=("esp", "stm32", "uf2", "probe", "ssh"),
                        help="default: the board's own way")
    parser.add_argument("--toolchain", choices=("auto", "gcc", "zig"), default="auto")


def _monitor(parser) -> None:
    parser.add_argument("port", metavar="PORT", help="a device, COM port or rfc2217:// URL")
    parser.add_argument("--baud", type=int, metavar="N", default=115_200, help="default: 115200")
    parser.add_argument("--seconds", type=float, metavar="S", help="default: until Ctrl-C")


def _compare(parser) -> None:
    parser.add_argument("before", metavar="A.json")
    parser.add_argument("after", metavar="B.json")
    parser.add_argument("--fail-on", action="append", default=[], metavar="PATH=N%",
                        help="exit 5 when the number at PATH grew by more than N %%")


def _report(parser) -> None:
    parser.add_argument("results", nargs="+", metavar="RESULT.json")
    parser.add_argument("-o", "--out", required=True, metavar="FILE.html")
