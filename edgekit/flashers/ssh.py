"""Bring a program onto a Linux board over ssh: to a temporary name, checked there, then renamed."""

from __future__ import annotations

import hashlib
import re
import shlex

from edgekit import log, tools
from edgekit.elf import machine
from edgekit.errors import DoesNotFit, EdgekitError, NotThere, UsageError
from edgekit.flashers.job import Job

SECONDS = 120.0
# ELF machine numbers (gABI) -> what `uname -m` may say.
_MACHINES = {183: ("aarch64", "arm64"), 40: ("armv6l", "armv7l", "armv8l", "aarch64"),
             62: ("x86_64",), 243: ("riscv64", "riscv32")}


def flash(job: Job) -> str:
    """`--port` is USER@HOST or USER@HOST:FOLDER; the program's sha256 is checked over there."""
    if not job.port:
        raise UsageError(f"{job.board.title} is reached over ssh: which one?",
                         "--port USER@HOST or USER@HOST:FOLDER")
    host, _, folder = job.port.partition(":")
    if not re.fullmatch(r"[\w.+-]+(@[\w.-]+)?", host) or host.startswith("-"):
        raise UsageError(f"'{host}' is no USER@HOST", "as pi@raspberrypi.local")
    ssh = tools.require("ssh", "install OpenSSH")
    name = job.file.name
    target, partial = f"{folder or '.'}/{name}", f"{folder or '.'}/.{name}.partial"
    _check_machine(ssh, host, job)
    _check_room(ssh, host, folder or ".", job)
    log.step(f"sending {len(job.data):,} bytes to {host}")
    _remote(ssh, host, f"cat > {shlex.quote(partial)}", job.data)
    said = _remote(ssh, host, f"sha256sum {shlex.quote(partial)}").split()
    wanted = hashlib.sha256(job.data).hexdigest()
    if said[:1] != [wanted]:
        _remote(ssh, host, f"rm -f {shlex.quote(partial)}")
        raise EdgekitError(f"what arrived on {host} has another sha256; the old program is still there",
                           "run it again")
    _remote(ssh, host, f"chmod 755 {shlex.quote(partial)} && mv -f {shlex.quote(partial)} "
            f"{shlex.quote(target)}")
    return "sha256"


def _check_machine(ssh: str, host: str, job: Job) -> None:
    there = _remote(ssh, host, "uname -m").strip()
    fitting = _MACHINES.get(machine(job.file), ())
    if there not in fitting:
        raise EdgekitError(f"{host} is {there}, the program is for {fitting[0] if fitting else '?'}. "
                           "Nothing was written", "is this the right host and the right --board?")


def _check_room(ssh: str, host: str, folder: str, job: Job) -> None:
    lines = _remote(ssh, host, f"df -Pk {shlex.quote(folder)}").splitlines()
    try:
        free = 1024 * int(lines[-1].split()[3])
    except (IndexError, ValueError) as error:
        raise EdgekitError(f"df on {host} said something else: {' '.join(lines)[:100]}",
                           f"is {folder} a folder there?") from error
    if free < len(job.data):
        raise DoesNotFit(f"the program has {len(job.data):,} bytes, {host} has {free:,} in {folder}",
                         "make room there")


def _remote(ssh: str, host: str, command: str, data: bytes = b"") -> str:
    """Run a command there; never asks, never takes an unknown host key."""
    done = tools.run([ssh, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o",
                      "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o",
                      "ServerAliveCountMax=3", host, command], input=data, timeout_s=SECONDS)
    if done.returncode == 0:
        return done.stdout.decode(errors="replace")
    said = done.stderr.decode(errors="replace").strip().splitlines()
    reason = said[-1][:200] if said else f"exit code {done.returncode}"
    if done.returncode != 255:
        raise EdgekitError(f"{host}: {command.split()[0]} failed: {reason}",
                           "is the folder there, and may you write in it?")
    if "Host key verification failed" in reason:
        raise EdgekitError(f"{host}: its host key is not known", f"ssh {host} once, and compare it")
    if "Permission denied" in reason:
        raise EdgekitError(f"{host}: {reason}", f"ssh-copy-id {host}: a key is needed, nothing is asked")
    raise NotThere(f"{host} is not reached: {reason}", "is it on, and is the name right?")
