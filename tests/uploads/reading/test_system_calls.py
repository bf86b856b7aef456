"""Tests of the filter's program, worked through as the kernel does, and of systems without one."""

from __future__ import annotations

import ctypes
import os
import struct

import pytest

from portal.uploads.domain.reading import system_calls
from portal.uploads.domain.reading.sandbox import ReaderProcess, UnfilteredError
from portal.uploads.domain.reading.system_calls import (
    ALLOW,
    ALLOWED,
    ANY_BIT,
    ARCHITECTURES,
    AT_LEAST,
    EQUAL,
    KILL,
    LOAD,
    NUMBERS,
    REFUSE,
    VERDICT,
    program,
)

MACHINES = sorted(ARCHITECTURES)
PID = 4711


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the kernel does at a call."""
    architecture = ARCHITECTURES[machine] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(arguments + (0,) * 6)[:6])
    code = list(struct.iter_unpack("=HBBI", program(machine, PID)))
    assert len(code) < 4096
    at, loaded = 0, 0
    while True:
        operation, then, otherwise, value = code[at]
        at += 1
        if operation == VERDICT:
            return int(value)
        if operation == LOAD:
            (loaded,) = struct.unpack_from("=I", data, value)
            continue
        applies = {EQUAL: loaded == value, AT_LEAST: loaded >= value, ANY_BIT: bool(loaded & value)}[operation]
        at += then if applies else otherwise


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_of_the_list_is_allowed_and_every_other_is_not(machine: str) -> None:
    numbers = NUMBERS[machine]
    names = list(numbers)
    assert len(set(numbers.values())) == len(numbers)
    fatal = {numbers[name] for name in names[names.index("socket") :]}
    allowed = {numbers[name] for name in ALLOWED}
    special = {numbers[name] for name in ("mmap", "mprotect", "tgkill")}
    assert not fatal & (allowed | special)
    for number in range(600):
        expected = ALLOW if number in allowed else KILL if number in fatal else REFUSE
        if number not in special:
            assert verdict(machine, number) == expected, number


@pytest.mark.parametrize("machine", MACHINES)
def test_memory_may_be_written_but_not_run(machine: str) -> None:
    for name in ("mmap", "mprotect"):
        assert verdict(machine, NUMBERS[machine][name], 0, 4096, 3) == ALLOW
        assert verdict(machine, NUMBERS[machine][name], 0, 4096, 7) == REFUSE
        assert verdict(machine, NUMBERS[machine][name], 0, 4096, 4) == REFUSE


@pytest.mark.parametrize("machine", MACHINES)
def test_a_process_may_signal_itself_only(machine: str) -> None:
    assert verdict(machine, NUMBERS[machine]["tgkill"], PID, PID, 6) == ALLOW
    assert verdict(machine, NUMBERS[machine]["tgkill"], PID + 1, PID + 1, 9) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_another_architecture_and_the_x32_kind_end_the_process_at_every_call(machine: str) -> None:
    read = NUMBERS[machine]["read"]
    for architecture in (0x40000003, 0xC00000B7 ^ 0xC000003E ^ ARCHITECTURES[machine], 0, 0x4000003E):
        assert verdict(machine, read, architecture=architecture) == KILL
    assert verdict(machine, 0x40000000 | read) == KILL
    assert verdict(machine, 0xFFFFFFFF) == KILL


def _refuse_filters() -> None:
    """Have the kernel refuse any further filter to this process."""
    code = [
        (LOAD, 0, 0, 0),
        (EQUAL, 0, 3, NUMBERS[system_calls.platform_machine()]["prctl"]),
        (LOAD, 0, 0, 16),
        (EQUAL, 0, 1, system_calls.PR_SET_SECCOMP),
        (VERDICT, 0, 0, REFUSE),
        (VERDICT, 0, 0, ALLOW),
    ]
    instructions = b"".join(struct.pack("=HBBI", *instruction) for instruction in code)
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    described = system_calls._Program(len(code), ctypes.cast(buffer, ctypes.c_void_p))  # noqa: SLF001  its layout is the kernel's
    system_calls.prctl(system_calls.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    system_calls.prctl(system_calls.PR_SET_SECCOMP, system_calls.FILTER, ctypes.byref(described), 0, 0)


@pytest.mark.parametrize("must_filter", [True, False])
def test_where_no_filter_can_be_set_production_stops_and_development_says_so(must_filter: bool) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _refuse_filters()
        try:
            process = ReaderProcess(must_filter=must_filter)
            os.write(writing, f"goes on: {process.unfiltered_because}".encode())
            process.stop()
        except UnfilteredError as error:
            os.write(writing, f"stops: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        words = answer.read().decode()
    os.waitpid(child, 0)
    reason = "the kernel refused it (Operation not permitted)"
    expected = f"stops: Run this on Linux (x86-64 or 64-bit ARM) with seccomp: files are not read without it, and {reason}."
    assert words == (expected if must_filter else f"goes on: {reason}")
