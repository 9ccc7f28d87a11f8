"""The machine code of trace_hook.c, and its structures: block and read hooks without a compiler."""

from __future__ import annotations

import ctypes
import platform
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """Both functions in one piece, and where each begins."""

    data: bytes
    block: int
    data_read: int


_SYSTEM_V = Code(bytes.fromhex(
    "4c8b194189d14c8b41104889ca488b49184889f04c8b52084c29de498d3c314839c174144c29d94939ca720c"
    "48d1e9486bc90c41ff440808498d0c014839fe4889422048894a184889f9480f43ce4939ca730548ff4228c3"
    "48d1ee48d1ef482b4230486bf60c486bff0c41ff0430498d7401ff41ff4438044889f14839f0480f43c8483b"
    "4a38731d488b7a484c8b4f084d85c97410488b4a4048d3e848d3ee4839c67302c3c3534c8b174189c34189c0"
    "31d2498d0c924489c3448b0189194539d8740c48ffc24939d175e748ff471048ffc04839c673d05bc3492b51"
    "3089c9488d440aff4839c24889c1480f43ca493b4938731d498b71504c8b56084d85d27410498b494048d3ea"
    "48d3e84839d07302c3c3534c8b0e4189d34189d031c9498d3c894489c3448b07891f4539d8740c48ffc14939"
    "ca75e748ff461048ffc24839d073d05bc3"), block=0, data_read=217)
_WINDOWS_X64 = Code(bytes.fromhex(
    "574889d14889d04589c05653498b31498b51184d8b59104829f1498b59084d8d14084839c274144829f24839"
    "d3720c48d1ea486bd20c41ff441308498d14004c39d149894120498951184c89d2480f43d14839d3730649ff"
    "4128eb7948d1e949d1ea492b4130486bc90c498d5400ff4d6bd20c41ff040b4889d143ff4413044839d0480f"
    "43c8493b493873494d8b41484d8b58084d85db743c498b494048d3e848d3ea4839c2722d498b1889c64189c2"
    "31c94c8d0c8b4489d7458b114189394139f2740c48ffc14939cb75e649ff401048ffc0ebce5b5e5fc3574589"
    "c95653488b4c24484c2b41304b8d4408ff4939c04889c2490f43d0483b5138734a488b51504c8b5a084d85db"
    "743d488b494049d3e848d3e84c39c0722e488b1a4489c64589c231c94c8d0c8b4489d7458b114189394139f2"
    "740c48ffc14939cb75e648ff421049ffc0ebcd5b5e5fc3"), block=0, data_read=217)
_AAPCS64 = Code(bytes.fromhex(
    "671840a9e203022a650041a9240007cb1f0001eb40010054000007cb1f0006ebe800005400fc41d3870180d2"
    "0014079b070840b9e7040011070800b94000018b608401a99f0006eb880000544000048b1f0006eba9000054"
    "601440f900040091601400f9c0035fd684fc41d3870180d200fc41d3847c079b0014079ba66864b8c6040011"
    "a66824b8040440b984040011040400b9601840f9210000cb601c40f93f0000eb02feff54420400d14200018b"
    "5f0000eb82fdff54602440f9060440f926fdffb4632040f92124c39a4224c39a3f0002eb88fcff54070040f9"
    "e803012ae503012a030080d264f47ed3e903052a856867b8896827b81f01056be000005463040091df0003eb"
    "01ffff54030840f963040091030800f921040091edffff17a00443a9420000cb5f0001ebc2010054e003032a"
    "000400d10000028b1f0001eb22010054a12840f9260440f9c60000b4a32040f94224c39a0024c39a5f0000eb"
    "49000054c0035fd6270040f9e803022ae503022a030080d264f47ed3e903052a856867b8896827b81f01056b"
    "e000005463040091df0003eb01ffff54230840f963040091230800f942040091ecffff17"), block=0, data_read=288)


class Cache(ctypes.Structure):
    """`struct cache`: `size` lines at address `lines`, the last used one first."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("lines", "size", "misses")]


class State(ctypes.Structure):
    """`struct state`."""

    _fields_ = [(name, ctypes.c_uint64) for name in (
        "base", "span", "counts", "previous", "begun", "outside", "flash", "flash_size",
        "shift", "code", "data")]


def machine_code() -> Code | None:
    """The hooks for this host, or None where there are none."""
    machine = platform.machine().lower()
    if sys.maxsize < 1 << 32:
        return None
    if machine in ("x86_64", "amd64"):
        return _WINDOWS_X64 if sys.platform == "win32" else _SYSTEM_V
    # macOS on ARM lets no unsigned process write and run the same page.
    return _AAPCS64 if machine == "aarch64" and sys.platform == "linux" else None
