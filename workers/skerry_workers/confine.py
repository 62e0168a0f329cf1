"""What a process that opens untrusted documents may do: this module takes everything else away from it.

Resource limits work on every Unix. The rest is Linux, and best effort, as kernels and containers differ: `seccomp`
takes away new processes, other programs, sockets and signals to others; `Landlock` takes away writing outside of the
process's own folder. A task with limits therefore cannot run other programs; it can start threads.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import resource
import signal
import struct
import sys
from pathlib import Path
from typing import NamedTuple

from skerry.core.tasks import Limits

FILE_BYTES_MAX = 64 * 1024 * 1024
"""The longest file a confined process can write."""
OPEN_FILES_MAX = 128

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_CLONE_THREAD = 0x00010000
_X32_BIT = 0x40000000


class _Machine(NamedTuple):
    """Numbers of system calls (from the kernel's tables) on one kind of machine."""

    audit: int
    clone: int
    to_self: tuple[int, ...]
    denied: tuple[int, ...]


_CLONE3 = 435
_DENIED_EVERYWHERE = (424, 425, 434, 438)  # pidfd_send_signal, io_uring_setup, pidfd_open, pidfd_getfd
_MACHINES = {
    # to_self: kill, tgkill. denied: socket, fork, vfork, execve, ptrace, tkill, unshare, setns, process_vm_*, bpf,
    # execveat
    "x86_64": _Machine(0xC000003E, 56, (62, 234), (41, 57, 58, 59, 101, 200, 272, 308, 310, 311, 321, 322)),
    # denied: unshare, ptrace, tkill, socket, execve, setns, process_vm_*, bpf, execveat
    "aarch64": _Machine(0xC00000B7, 220, (129, 131), (97, 117, 130, 198, 221, 268, 270, 271, 280, 281)),
}

_libc = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int, number: signal.Signals) -> None:
    """The kernel sends us the signal when the parent ends. Exits if it has ended already."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def confine(folder: Path) -> bool:
    """Takes away what the module's text says, for good. False where the kernel does not offer all of it."""
    if sys.platform != "linux" or _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    writing = _no_writing_outside(folder)
    processes = _no_processes()
    if not processes:  # the next best: the kernel counts processes per user (and never refuses root one)
        _set(resource.RLIMIT_NPROC, 0, 0)
    return processes and writing


def rehearse(limits: Limits) -> None:
    """Does what `limit` does and changes nothing."""
    resource.getrusage(resource.RUSAGE_SELF)
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    for which in (resource.RLIMIT_CPU, resource.RLIMIT_AS):
        _set(which, *resource.getrlimit(which))
    _address_space()


def limit(limits: Limits) -> None:
    """Sets what this process may use from now on: memory on top of what it has, processor time from zero.

    The processor's limit comes as SIGXCPU, one second later as SIGKILL; the timer is for fractions of a second.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = math.ceil(used.ru_utime + used.ru_stime + limits.cpu_s)
    _set(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_s)
    memory = _address_space() + limits.memory_mb * 1024 * 1024
    _set(resource.RLIMIT_AS, memory, memory)
    _set(resource.RLIMIT_CORE, 0, 0)
    _set(resource.RLIMIT_FSIZE, FILE_BYTES_MAX, FILE_BYTES_MAX)
    _set(resource.RLIMIT_NOFILE, OPEN_FILES_MAX, OPEN_FILES_MAX)


def _set(which: int, soft: int, hard: int) -> None:
    ceiling = resource.getrlimit(which)[1]
    if ceiling != resource.RLIM_INFINITY:
        soft, hard = min(soft, ceiling), min(hard, ceiling)
    resource.setrlimit(which, (soft, hard))


def _address_space() -> int:
    try:
        statm = os.open("/proc/self/statm", os.O_RDONLY)
    except OSError:  # no /proc: the limit counts from zero then, and is tighter
        return 0
    pages = int(os.read(statm, 64).split()[0])
    os.close(statm)
    return pages * resource.getpagesize()


# --- seccomp ---------------------------------------------------------------------------------------------------------


def _jump(value: int, yes: int, no: int) -> bytes:
    return struct.pack("HBBI", 0x15, yes, no, value)  # BPF_JMP | BPF_JEQ | BPF_K


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", 0x20, 0, 0, offset)  # BPF_LD | BPF_W | BPF_ABS: of struct seccomp_data


def _return(verdict: int) -> bytes:
    return struct.pack("HBBI", 0x06, 0, 0, verdict)


def _program(machine: _Machine, pid: int) -> bytes:
    """The filter. seccomp_data is: number (at 0), architecture (4), instruction pointer (8), arguments (from 16)."""
    deny, allow, number, first_argument = _return(_ERRNO | _EPERM), _return(_ALLOW), _load(0), _load(16)
    program = [
        _load(4) + _jump(machine.audit, 1, 0) + deny,
        number + struct.pack("HBBI", 0x35, 0, 1, _X32_BIT) + deny,  # BPF_JGE: the x32 calls have other numbers
        # glibc makes threads with clone3, whose flags a filter cannot see, and falls back to clone.
        _jump(_CLONE3, 0, 1) + _return(_ERRNO | _ENOSYS),
        _jump(machine.clone, 0, 4)
        + first_argument
        + struct.pack("HBBI", 0x45, 0, 1, _CLONE_THREAD)  # BPF_JSET
        + allow
        + deny,
    ]
    program += [_jump(call, 0, 4) + first_argument + _jump(pid, 0, 1) + allow + deny for call in machine.to_self]
    program += [_jump(call, 0, 1) + deny for call in machine.denied + _DENIED_EVERYWHERE]
    return b"".join(program) + allow


class _Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def _no_processes() -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.byteorder != "little":
        return False
    code = _program(machine, os.getpid())
    pointer = ctypes.pointer(_Filter(len(code) // 8, code))
    return bool(_libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, pointer, 0, 0) == 0)


# --- Landlock --------------------------------------------------------------------------------------------------------

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_PATH_BENEATH = 1
_WRITE_FILE = 1 << 1
# Remove and make files and folders of every kind: what ABI 1, the first of Landlock, knows.
_WRITES = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
_TRUNCATE = 1 << 14  # since ABI 3


def _no_writing_outside(folder: Path) -> bool:
    version = _libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    writes = _WRITES | (_TRUNCATE if version >= 3 else 0)
    handled = ctypes.create_string_buffer(struct.pack("Q", writes), 8)
    ruleset = _libc.syscall(_LANDLOCK_CREATE, handled, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    try:
        for path, allowed in ((folder, writes), (Path(os.devnull), writes & (_WRITE_FILE | _TRUNCATE))):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, place), 12)
            added = _libc.syscall(_LANDLOCK_ADD, ruleset, _PATH_BENEATH, rule, 0)
            os.close(place)
            if added:
                return False
        return bool(_libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)
