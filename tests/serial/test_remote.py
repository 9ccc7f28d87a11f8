"""Ports that are URLs: a board behind a TCP socket, and one behind an RFC 2217 server."""

from __future__ import annotations

import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest
import serial
from serial.rfc2217 import PortManager

from edgekit import pipeline, tflite_writer
from edgekit.model import model_of
from firmware_process import build, command, running
from tiny_graphs import network

NETWORK = model_of(tflite_writer.write(network()), "tiny_network")


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


def test_a_linux_board_behind_a_socket_is_validated():
    elf = build(NETWORK, "linux_host")

    def serve(client):
        subprocess.run(command("linux_host", elf), stdin=client, stdout=client, timeout=60,
                       check=True)
    with served(serve) as place:
        assert pipeline.validate(NETWORK, target=f"serial:socket://{place}", count=3)["ok"]


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


@pytest.mark.filterwarnings("ignore:set(Daemon|Name).. is deprecated")  # pyserial's own
def test_a_board_behind_an_rfc_2217_server_is_validated():
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        def serve(client):
            with _Pty(wire.path, timeout=0.02) as port:
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
            verdict = pipeline.validate(NETWORK, target=f"serial:rfc2217://{place}", count=3)
    assert verdict["ok"]
