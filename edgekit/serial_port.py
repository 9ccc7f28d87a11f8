"""Serial ports: opening one, and what its failures mean to a user."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from edgekit.errors import EdgekitError, NotThere

# Seconds that one read may wait: the grain of every timeout above it.
READ_S = 0.02
# Seconds that a write may be stuck, by flow control or a device that does not read.
WRITE_S = 5.0


class Port:
    """An open port of pyserial's; every failure of it is an EdgekitError that names it."""

    def __init__(self, device, name: str):
        self._device, self.name = device, name

    @property
    def baud(self) -> int:
        return self._device.baudrate

    def read(self, limit: int = 4096) -> bytes:
        """What has arrived, at most `limit` bytes, or nothing after READ_S."""
        with _failures(self.name):
            first = self._device.read(1)
            more = min(self._device.in_waiting, limit - 1) if first else 0
            return first + (self._device.read(more) if more else b"")

    def write(self, data: bytes) -> None:
        with _failures(self.name):
            self._device.write(data)
            self._device.flush()

    def forget_input(self) -> None:
        with _failures(self.name):
            self._device.reset_input_buffer()

    def close(self) -> None:
        self._device.close()


@contextmanager
def _failures(name: str) -> Iterator[None]:
    import serial
    try:
        yield
    except serial.SerialTimeoutException as error:
        raise EdgekitError(f"{name} takes no bytes: {WRITE_S:g} s passed",
                           "is flow control on, or is the device halted? reset it") from error
    except _port_errors() as error:
        raise EdgekitError(f"{name} went away: {_reason(error)}",
                           "plug it in again and repeat the command") from error


def open_port(url: str, baud: int, *, parity: str = "N") -> Port:
    """Open a device file, COM port, rfc2217:// or socket:// URL at `baud`.

    `parity` is N or E. NotThere (exit 6) where there is no such port, EdgekitError where it is
    taken or may not be opened.
    """
    import serial
    # pyserial's RFC 2217 client has no time limit for writing; its socket has one.
    limit = None if url.lower().startswith("rfc2217:") else WRITE_S
    try:
        device = serial.serial_for_url(url, baud, parity=parity, timeout=READ_S,
                                       write_timeout=limit)
    except ValueError as error:
        raise NotThere(f"{url} is no serial port: {error}",
                       "edgekit ports lists them; URLs are rfc2217://HOST:PORT") from error
    except _port_errors() as error:
        raise _not_opened(url, error) from error
    return Port(device, url)


def _port_errors() -> tuple[type[Exception], ...]:
    """What pyserial lets through: TypeError where the descriptor was closed under it, and on
    POSIX termios.error, which is no OSError."""
    import serial
    try:
        from termios import error as termios_error
    except ImportError:  # Windows
        termios_error = OSError
    return (serial.SerialException, OSError, TypeError, termios_error)


def _not_opened(url: str, error: Exception) -> EdgekitError:
    code = getattr(error, "errno", None)
    if code == errno.EACCES:
        return NotThere(f"{url} may not be opened: permission denied",
                        "add yourself to its group (dialout or uucp), and log in again")
    if code in (errno.EBUSY, errno.EAGAIN):
        return EdgekitError(f"{url} is in use by another program",
                            "close the monitor or terminal that has it open")
    return NotThere(f"{url} is not there: {_reason(error)}",
                    "is it plugged in? edgekit ports lists what is")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).split("\n")[0] or type(error).__name__
