"""Servers for ports that are URLs: a TCP socket, and RFC 2217 in front of a pty."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import serial
from serial.rfc2217 import PortManager


@contextmanager
def served(serve):
    """A server for one client on a free port; gives host:port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def run():
            client, _ = server.accept()
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                serve(client)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield "127.0.0.1:%d" % server.getsockname()[1]
        thread.join(10)


class _Pty(serial.Serial):
    """A pty has no modem lines."""

    cts = dsr = ri = cd = property(lambda self: False)

    def _update_dtr_state(self):
        pass

    _update_rts_state = _update_break_state = _update_dtr_state


class _Peer:
    """What PortManager writes its answers to."""

    def __init__(self, client: socket.socket):
        self.write = client.sendall


@contextmanager
def rfc2217_server(path: str) -> Iterator[str]:
    """The pty at `path` behind an RFC 2217 server; gives host:port."""
    def serve(client):
        with _Pty(path, timeout=0.02) as port:
            manager = PortManager(port, _Peer(client))

            def back():
                while not over.is_set():
                    data = b"".join(manager.escape(port.read(port.in_waiting or 1)))
                    if data:
                        client.sendall(data)
            over = threading.Event()
            thread = threading.Thread(target=back, daemon=True)
            thread.start()
            try:
                while data := client.recv(1024):
                    port.write(b"".join(manager.filter(data)))
            finally:
                over.set()
                thread.join(5)
    with served(serve) as place:
        yield place
