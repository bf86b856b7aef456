"""A seccomp filter: the few system calls that the reader of a stranger's file may make.

The filter is an allow list, written here as the kernel's own small programs (BPF) are: a load, comparisons, and a verdict.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

#: The system calls of a reader, and their numbers on the two machines we know. It has its memory and its one socket.
NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12,
        "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "readv": 19, "writev": 20, "sched_yield": 24, "mremap": 25,
        "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "gettimeofday": 96, "sigaltstack": 131, "gettid": 186,
        "futex": 202, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231,
        "tgkill": 234, "getrandom": 318, "rseq": 334,
        # Those that only an attack makes.
        "socket": 41, "connect": 42, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50, "socketpair": 53, "clone": 56,
        "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "ptrace": 101, "prctl": 157, "mount": 165, "tkill": 200,
        "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304,
        "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "seccomp": 317, "bpf": 321, "execveat": 322,
        "userfaultfd": 323, "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
        "pidfd_open": 434, "clone3": 435, "pidfd_getfd": 438,
    },
    "aarch64": {
        "read": 63, "write": 64, "close": 57, "fstat": 80, "lseek": 62, "mmap": 222, "mprotect": 226, "munmap": 215, "brk": 214,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "readv": 65, "writev": 66, "sched_yield": 124,
        "mremap": 216, "madvise": 233, "nanosleep": 101, "getpid": 172, "exit": 93, "gettimeofday": 169, "sigaltstack": 132,
        "gettid": 178, "futex": 98, "restart_syscall": 128, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115,
        "exit_group": 94, "tgkill": 131, "getrandom": 278, "rseq": 293,
        "socket": 198, "connect": 203, "sendto": 206, "sendmsg": 211, "bind": 200, "listen": 201, "socketpair": 199, "clone": 220,
        "execve": 221, "kill": 129, "ptrace": 117, "prctl": 167, "mount": 40, "tkill": 130, "add_key": 217, "request_key": 218,
        "keyctl": 219, "unshare": 97, "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "seccomp": 277, "bpf": 280, "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424,
        "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
        "pidfd_open": 434, "clone3": 435,
        "pidfd_getfd": 438,
    },
}  # fmt: skip
ALLOWED = (
    "read", "write", "close", "fstat", "lseek", "munmap", "brk", "rt_sigaction", "rt_sigprocmask",
        "rt_sigreturn", "readv", "writev",
    "sched_yield", "mremap", "madvise", "nanosleep", "getpid", "exit", "gettimeofday", "sigaltstack", "gettid", "futex",
    "restart_syscall", "clock_gettime", "clock_getres", "clock_nanosleep", "exit_group", "getrandom", "rseq",
)  # fmt: skip
#: Allowed for memory that nobody can run: the third argument must not ask for it.
NOT_EXECUTABLE = ("mmap", "mprotect")
#: Allowed to a process towards itself, so that `abort` still ends it.
OWN_PROCESS = "tgkill"
#: The process ends at these. At any other that is not allowed, such as opening a file, the call fails: libraries try some.
FATAL_FROM = "socket"

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, VERDICT = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 1, 4, 22, 38, 2
PROT_EXEC = 4


class CannotFilterError(RuntimeError):
    """The filter cannot be set on this system; the message says why."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def program(machine: str, own_pid: int) -> bytes:
    """The filter's instructions for a machine, and for the process with that id."""
    numbers = NUMBERS[machine]
    names = list(numbers)
    fatal = [numbers[name] for name in names[names.index(FATAL_FROM) :]]
    code = [
        (LOAD, 0, 0, ARCHITECTURE_AT),
        (EQUAL, 1, 0, ARCHITECTURES[machine]),
        (VERDICT, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER_AT),
        # Calls of the x32 kind have numbers of their own, past every comparison below.
        (AT_LEAST, 0, 1, X32),
        (VERDICT, 0, 0, KILL),
    ]
    for name in ALLOWED:
        code += [(EQUAL, 0, 1, numbers[name]), (VERDICT, 0, 0, ALLOW)]
    for name in NOT_EXECUTABLE:
        code += [
            (EQUAL, 0, 4, numbers[name]),
            (LOAD, 0, 0, ARGUMENTS_AT + 2 * 8),
            (ANY_BIT, 0, 1, PROT_EXEC),
            (VERDICT, 0, 0, REFUSE),
            (VERDICT, 0, 0, ALLOW),
        ]
    code += [
        (EQUAL, 0, 4, numbers[OWN_PROCESS]),
        (LOAD, 0, 0, ARGUMENTS_AT),
        (EQUAL, 0, 1, own_pid),
        (VERDICT, 0, 0, ALLOW),
        (VERDICT, 0, 0, KILL),
    ]
    for number in fatal:
        code += [(EQUAL, 0, 1, number), (VERDICT, 0, 0, KILL)]
    code.append((VERDICT, 0, 0, REFUSE))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def restrict() -> None:
    """Set the filter on this process, for good. It is kept by everything the process might start.

    Raises:
        CannotFilterError: when this system has none.
    """
    machine = platform_machine()
    if sys.platform != "linux" or machine not in ARCHITECTURES:
        message = f"there is no filter of system calls for {sys.platform} on {machine or 'this machine'}"
        raise CannotFilterError(message)
    instructions = program(machine, os.getpid())
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    described = _Program(len(instructions) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    for arguments in (
        (PR_SET_DUMPABLE, 0, 0, 0, 0),
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, FILTER, ctypes.byref(described), 0, 0),
    ):
        prctl(*arguments)


def die_with_parent() -> None:
    """Have the kernel end this process with its parent, where it can."""
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)


def prctl(*arguments: object) -> None:
    """Call prctl.

    Raises:
        CannotFilterError: when the kernel refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    option, *values = arguments
    converted = [ctypes.c_ulong(value) if isinstance(value, int) else value for value in values]
    if library.prctl(ctypes.c_int(int(str(option))), *converted) != 0:
        message = f"the kernel refused it ({os.strerror(ctypes.get_errno())})"
        raise CannotFilterError(message)


def platform_machine() -> str:
    """The machine this process runs on; empty for a 32-bit one, whose calls have other numbers."""
    return platform.machine() if sys.maxsize > 2**32 else ""
