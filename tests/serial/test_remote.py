"""Ports that are URLs: a board behind a TCP socket, and one behind an RFC 2217 server."""

from __future__ import annotations

import subprocess

import pytest

from edgekit import pipeline, tflite_writer
from edgekit.model import model_of
from firmware_process import build, command, running
from remote import rfc2217_server, served
from tiny_graphs import network

NETWORK = model_of(tflite_writer.write(network()), "tiny_network")


def test_a_linux_board_behind_a_socket_is_validated():
    elf = build(NETWORK, "linux_host")

    def serve(client):
        subprocess.run(command("linux_host", elf), stdin=client, stdout=client, timeout=60,
                       check=True)
    with served(serve) as place:
        assert pipeline.validate(NETWORK, target=f"serial:socket://{place}", count=3)["ok"]


@pytest.mark.filterwarnings("ignore:set(Daemon|Name).. is deprecated")  # pyserial's own
def test_a_board_behind_an_rfc_2217_server_is_validated():
    with running("linux_host", build(NETWORK, "linux_host")) as wire:
        with rfc2217_server(wire.path) as place:
            assert pipeline.validate(NETWORK, target=f"serial:rfc2217://{place}", count=3)["ok"]
