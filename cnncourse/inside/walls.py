"""Shut one submission in: it meets neither the process it was forked from nor anything of the next.

bubblewrap has built the outer wall around the warm process before a student's code is read: no network, a
root that holds Python and libraries alone, read-only. What is left to do after the fork, in the few lines
here, is what bubblewrap cannot do for a process that is already running: namespaces of its own for users,
processes, mounts and shared memory; a scratch folder; limits; no capabilities; the system call filter.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal

from cnncourse.inside.syscalls import refuse_syscalls

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x00020000, 0x08000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECUREBITS, LAST_CAPABILITY = 4, 24, 28, 63
NO_ROOT_LOCKED = 0b101111  # SECBIT_NOROOT, NO_SETUID_FIXUP, KEEP_CAPS off; each locked
CAPABILITY_VERSION_3 = 0x20080522
SCRATCH = "/scratch"
NOBODY = 65534

libc = ctypes.CDLL(None, use_errno=True)


def become_nobody() -> None:
    """Give up root for good, so that limits on the number of processes hold and nothing is owned."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    _call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self/uid_map stays root's


def shut_in(limits: dict[str, int], started: int) -> None:
    """Return in a process of its own namespaces, as the first one there; the caller waits for it and exits.

    Parameters
    ----------
    limits : ``memory_mb``, ``scratch_mb``, ``processes``, ``seconds``
    started : file descriptor to which the new process's number is written, as seen by the caller's parent

    Raises
    ------
    OSError
        If the system does not allow it; nothing of the student's has run then.
    """
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    inner = os.fork()
    if inner:
        os.write(started, b"%d\n" % inner)
        os.closerange(0, 1 << 10)
        os.waitpid(inner, 0)
        os._exit(0)
    os.setsid()  # a signal to one's own group would reach the process that waits
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _mounts(limits["scratch_mb"])
    set_limits(limits)
    if _counts_by_namespace():
        resource.setrlimit(resource.RLIMIT_NPROC, (limits["processes"], limits["processes"]))
    _drop_capabilities()
    refuse_syscalls(libc)


def set_limits(limits: dict[str, int]) -> None:
    """Limit memory, file size, open files and CPU time; each process that is started inherits them."""
    megabyte = 1 << 20
    for kind, value in (
        (resource.RLIMIT_AS, (limits["memory_mb"] + 2048) * megabyte),  # address space, not memory in use
        (resource.RLIMIT_FSIZE, limits["scratch_mb"] * megabyte),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits["seconds"]),
    ):
        most = resource.getrlimit(kind)[1]
        bound = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (bound, bound))


def _counts_by_namespace() -> bool:
    """Whether this kernel counts a user's processes in each user namespace for itself (Linux 5.14)."""
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2]) >= (5, 14)


def _mounts(scratch_mb: int) -> None:
    """Give a scratch of its own, and none of /proc: nothing there is needed, and much of it tells."""
    sizes = f"size={scratch_mb}m,nr_inodes=10k,mode=1777"
    _mount(SCRATCH, MS_NOSUID | MS_NODEV, sizes)
    _mount("/dev/shm", MS_NOSUID | MS_NODEV, sizes)
    _mount("/proc", MS_NOSUID | MS_NODEV | MS_RDONLY, "size=4k,mode=555")
    os.chdir(SCRATCH)


def _mount(target: str, flags: int, options: str) -> None:
    _call("mount", b"tmpfs", target.encode(), b"tmpfs", ctypes.c_ulong(flags), options.encode())


def _drop_capabilities() -> None:
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails where there is no such capability
    _call("prctl", PR_SET_SECUREBITS, NO_ROOT_LOCKED, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def _call(name: str, *arguments: object) -> None:
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
