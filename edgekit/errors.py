"""Every failure a user can meet, as one exception tree.

    EdgekitError              1   it failed, or it does not fit
    ├── UsageError            2   a wrong command, option or project file
    ├── BadModel              2   a model file that is damaged or not supported
    ├── BadBoard              2   a board file that is damaged or unknown
    ├── BadData               2   calibration or input data that cannot be used
    ├── DoesNotFit            1   the model is larger than the board
    ├── BuildFailed           1   the compiler or linker refused the project
    ├── Mismatch              3   the firmware computes other numbers
    ├── BudgetExceeded        4   --max-ram, --max-flash or --max-latency
    ├── Regression            5   compare --fail-on, or the lock file
    └── NotThere              6   a program, optional package, port or probe is missing

A message says what, where, and the number against its limit; the hint says what
to try next. Only `cli.py` catches these.
"""

from __future__ import annotations


class EdgekitError(Exception):
    """A failure the user can act on; `exit` is the process's exit code."""

    exit = 1
    code = "failed"

    def __init__(self, message: str, hint: str = "", *, reasons: tuple[str, ...] = ()):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.reasons = tuple(reasons)

    def __reduce__(self):  # worker processes hand these back
        return (_rebuild, (type(self), self.message, self.hint, self.reasons))


def _rebuild(kind, message, hint, reasons):
    return kind(message, hint, reasons=reasons)


class UsageError(EdgekitError):
    exit, code = 2, "usage"


class BadModel(EdgekitError):
    """`reasons` holds every problem found, one sentence each."""

    exit, code = 2, "bad_model"


class BadBoard(EdgekitError):
    exit, code = 2, "bad_board"


class BadData(EdgekitError):
    exit, code = 2, "bad_data"


class DoesNotFit(EdgekitError):
    exit, code = 1, "does_not_fit"


class BuildFailed(EdgekitError):
    exit, code = 1, "build_failed"


class EmulationFault(EdgekitError):
    """The firmware did something the board would not survive."""

    exit, code = 1, "emulation_fault"


class Mismatch(EdgekitError):
    exit, code = 3, "mismatch"


class BudgetExceeded(EdgekitError):
    exit, code = 4, "budget_exceeded"


class Regression(EdgekitError):
    exit, code = 5, "regression"


class NotThere(EdgekitError):
    exit, code = 6, "not_there"
