"""A seccomp filter: system calls that no student's code needs are refused.

A second wall behind the namespaces: what makes namespaces, mounts, traces other processes, loads code into
Linux, or makes a socket other than a local one (`AF_UNIX`) fails with EPERM. Numbers are those of Linux's
tables for two architectures; on others there is no filter, and the namespaces stand alone.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """The numbers of one architecture."""

    arch: int
    clone: int
    sockets: tuple[int, int]  # socket, socketpair
    # ptrace, pivot_root, chroot, mount, umount2, swapon, swapoff, reboot, init_module, delete_module,
    # quotactl, kexec_load, add_key, request_key, keyctl, unshare, perf_event_open, open_by_handle_at, setns,
    # process_vm_readv, process_vm_writev, finit_module, kexec_file_load, bpf, userfaultfd, memfd_create;
    # last, System V's shared memory, semaphores and messages, which no limit of memory counts
    refused: tuple[int, ...]


X86_64 = Table(
    0xC000003E,
    clone=56,
    sockets=(41, 53),
    refused=(
        *(101, 155, 161, 165, 166, 167, 168, 169, 175, 176, 179, 246, 248, 249, 250),
        *(272, 298, 304, 308, 310, 311, 313, 320, 321, 323, 319),
        *(29, 30, 31, *range(64, 72), 220),
    ),
)
AARCH64 = Table(
    0xC00000B7,
    clone=220,
    sockets=(198, 199),
    refused=(
        *(117, 41, 51, 40, 39, 224, 225, 142, 105, 106, 60, 104, 217, 218, 219),
        *(97, 241, 265, 268, 270, 271, 273, 294, 280, 282, 279),
        *range(186, 198),
    ),
)
TABLES = {"x86_64": X86_64, "aarch64": AARCH64}
# The same on both: io_uring_*, open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr,
# memfd_secret.
NEWER = (425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 447)
CLONE3 = 435
X32_BIT = 0x40000000  # the third set of numbers of an x86-64 kernel
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
NUMBER, ARCH, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def _step(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, operand)


def _refuse(number: int) -> bytes:
    return _step(RETURN, 0x00050000 | number)


def program(machine: str) -> bytes:
    """Return the filter as BPF instructions, or nothing for a machine without a table."""
    table = TABLES.get(machine)
    if table is None:
        return b""
    steps = [_step(LOAD, ARCH), _step(JUMP_EQUAL, table.arch, 1, 0), _step(RETURN, KILL)]
    steps += [_step(LOAD, NUMBER), _step(JUMP_AT_LEAST, X32_BIT, 0, 1), _step(RETURN, KILL)]
    for number in (*table.refused, *NEWER):
        steps += [_step(JUMP_EQUAL, number, 0, 1), _refuse(errno.EPERM)]
    # clone3 hides its flags behind a pointer; told that there is none, the C library uses clone.
    steps += [_step(JUMP_EQUAL, CLONE3, 0, 1), _refuse(errno.ENOSYS)]
    steps += [_step(JUMP_EQUAL, table.clone, 0, 4), _step(LOAD, FIRST_ARGUMENT)]
    steps += [_step(JUMP_ANY_BIT, NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM), _step(RETURN, ALLOW)]
    for number in table.sockets:
        steps += [_step(JUMP_EQUAL, number, 0, 4), _step(LOAD, FIRST_ARGUMENT)]
        steps += [_step(JUMP_EQUAL, socket.AF_UNIX, 1, 0), _refuse(errno.EPERM), _step(RETURN, ALLOW)]
    steps += [_step(RETURN, ALLOW)]
    return b"".join(steps)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def refuse_syscalls(libc: ctypes.CDLL) -> None:
    """Put the filter in force in this process and all that it will start; it cannot be taken off.

    Raises
    ------
    OSError
        If the kernel refuses it.
    """
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")
    steps = program(platform.machine())
    if not steps:
        return
    filled = _Program(len(steps) // 8, steps)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filled), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECCOMP)")
