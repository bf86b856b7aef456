"""The reading child: what stopped it is told truly, and a fault of the reader's own is not laid at the file's door."""

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from portal.uploads.reading import FileRefused, Limits, child, read_in_child
from tests.uploads.reading.support import upn

if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView

FILE = f"UPN,Surname,Date,Session,Code\n{upn(1)},Zyxwv,2026-09-07,AM,/\n".encode()


class Asked(dict[str, str]):
    """A person's word for the columns, which does something else to the reader that asks for it."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__({"UPN": "upn"})
        self.act = act

    def items(self) -> ItemsView[str, str]:
        self.act()
        return super().items()


def fault() -> None:
    message = f"{upn(1)} Zyxwv"
    raise ZeroDivisionError(message)


def show_sockets() -> None:
    held = [os.readlink(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{one}")]  # noqa: PTH110, PTH115, PTH208  files of the kernel
    raise FileRefused("shown", " ".join(held))


def dawdle() -> None:
    while True:
        pass


def killed(by: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), by)


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (dawdle, child.TOO_LONG),
        (killed(signal.SIGXCPU), child.TOO_LONG),
        (lambda: bytes(10**11), child.TOO_MUCH),
        (os.abort, child.TOO_MUCH),
        (killed(signal.SIGKILL), child.STOPPED),
        (fault, child.OUR_FAULT),
        (sys.exit, child.OUR_FAULT),
        (killed(signal.SIGSEGV), child.OUR_FAULT),
    ],
)
def test_what_stopped_the_reader_is_what_the_person_is_told(act: Callable[[], object], sentence: str) -> None:
    with pytest.raises(FileRefused) as caught:
        read_in_child(FILE, mapping=Asked(act), limits=Limits(seconds=1))
    assert caught.value.message == sentence


def test_a_fault_of_the_reader_is_logged_by_its_kind_and_place_and_no_cell() -> None:
    with capture_logs() as logged, pytest.raises(FileRefused) as caught:
        read_in_child(FILE, mapping=Asked(fault))
    assert caught.value.kind == "our-fault"
    [line] = logged
    assert (line["event"], line["log_level"], line["why"]) == ("upload.reader_fault", "error", "ZeroDivisionError")
    assert line["place"].startswith("test_child.py:")
    assert upn(1) not in str(line)
    assert "Zyxwv" not in str(line)


def test_the_child_holds_no_connection_of_its_parent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert os.readlink(f"/proc/self/fd/{ours.fileno()}").startswith("socket:")  # noqa: PTH115  a file of the kernel
        with pytest.raises(FileRefused) as shown:
            read_in_child(FILE, mapping=Asked(show_sockets))
    assert "pipe:" in shown.value.message
    assert "socket:" not in shown.value.message
