"""Tests of reading in a child process: each way it can be stopped has its own message."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading import sandbox
from portal.uploads.domain.reading.headings import ColumnMappings
from portal.uploads.domain.reading.sandbox import read_in_child
from tests.uploads.reading.support import upn

if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView

FILE = f"UPN,Surname,Date,Session,Code\n{upn(1)},Zyxwv,2026-09-07,AM,/\n".encode()


class ActingMapping(dict[str, str]):
    """A column mapping that runs an action in the child process when it is read."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__({"UPN": "upn"})
        self.act = act

    def items(self) -> ItemsView[str, str]:
        self.act()
        return super().items()


def raise_fault() -> None:
    message = f"{upn(1)} Zyxwv"
    raise ZeroDivisionError(message)


def show_sockets() -> None:
    descriptors = Path("/proc/self/fd").iterdir()
    targets = [str(descriptor.readlink()) for descriptor in descriptors if descriptor.exists()]
    raise FileRejected("shown", " ".join(targets))


def loop_forever() -> None:
    while True:
        pass


def kill_self(signal_number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), signal_number)


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (loop_forever, sandbox.TOO_LONG),
        (kill_self(signal.SIGXCPU), sandbox.TOO_LONG),
        (lambda: bytes(10**11), sandbox.TOO_MUCH),
        (os.abort, sandbox.TOO_MUCH),
        (kill_self(signal.SIGKILL), sandbox.STOPPED),
        (raise_fault, sandbox.OUR_FAULT),
        (sys.exit, sandbox.OUR_FAULT),
        (kill_self(signal.SIGSEGV), sandbox.OUR_FAULT),
    ],
)
def test_the_message_says_what_stopped_the_reader(act: Callable[[], object], sentence: str) -> None:
    with pytest.raises(FileRejected) as caught:
        read_in_child(FILE, ColumnMappings(ActingMapping(act)), limits=Limits(seconds=1))
    assert caught.value.message == sentence


def test_a_fault_of_the_reader_is_logged_with_kind_and_line_but_no_cell() -> None:
    with capture_logs() as logged, pytest.raises(FileRejected) as caught:
        read_in_child(FILE, ColumnMappings(ActingMapping(raise_fault)))
    assert caught.value.kind == "our-fault"
    [line] = logged
    assert (line["event"], line["log_level"], line["why"]) == ("upload.reader_fault", "error", "ZeroDivisionError")
    assert line["place"].startswith("test_child.py:")
    assert upn(1) not in str(line)
    assert "Zyxwv" not in str(line)


def test_the_child_closes_the_connections_of_its_parent() -> None:
    first, second = socket.socketpair()
    with first, second:
        assert str(Path(f"/proc/self/fd/{first.fileno()}").readlink()).startswith("socket:")
        with pytest.raises(FileRejected) as caught:
            read_in_child(FILE, ColumnMappings(ActingMapping(show_sockets)))
    assert "pipe:" in caught.value.message
    assert "socket:" not in caught.value.message
