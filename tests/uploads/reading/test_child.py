"""Tests of reading in a child process, also of one that a file has taken over."""

from __future__ import annotations

import errno
import os
import platform
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from portal.platform import upload_limit
from portal.tabular.limits import Limits
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading import answers, sandbox
from portal.uploads.domain.reading.headings import ColumnMappings
from portal.uploads.domain.reading.reader import read
from portal.uploads.domain.reading.result import Reading
from portal.uploads.domain.reading.sandbox import ReaderProcess, read_in_child
from portal.uploads.domain.reading.system_calls import NUMBERS, platform_machine
from tests.uploads.reading.support import FILES, MONDAY, marks, upn, workbook

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = f"UPN,Surname,Date,Session,Code\n{upn(1)},Zyxwv,2026-09-07,AM,/\n".encode()
SECRET = "canary-of-the-environment-4711"
QUICK = Limits(seconds=2)


@pytest.fixture(scope="module")
def hostile() -> Iterator[ReaderProcess]:
    """A reading process whose reader does what the file says, started beside a secret in the environment."""
    os.environ["PORTAL_SECRET_KEY_OF_TEST"] = SECRET
    process = ReaderProcess("tests.uploads.reading.hostile:read", must_filter=True)
    yield process
    process.stop()
    del os.environ["PORTAL_SECRET_KEY_OF_TEST"]


def act(process: ReaderProcess, words: object, limits: Limits = QUICK) -> tuple[str, str, str]:
    """What came of it: the kind and the sentence of the rejection, and the reason that was logged."""
    with capture_logs() as logged, pytest.raises(FileRejected) as caught:
        read_in_child(str(words).encode(), limits=limits, process=process)
    return caught.value.kind, caught.value.message, logged[0]["why"] if logged else ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("loop", sandbox.TOO_LONG),
        ("silently", sandbox.TOO_LONG),
        (f"signal {signal.SIGXCPU}", sandbox.TOO_LONG),
        ("memory-error", sandbox.TOO_MUCH),
        ("abort", sandbox.TOO_MUCH),
        (f"signal {signal.SIGKILL}", sandbox.STOPPED),
        ("fault", sandbox.OUR_FAULT),
        ("leave", sandbox.OUR_FAULT),
        (f"signal {signal.SIGSEGV}", sandbox.OUR_FAULT),
    ],
)
def test_the_message_says_what_stopped_the_reader(hostile: ReaderProcess, words: str, sentence: str) -> None:
    assert act(hostile, words, Limits(seconds=1))[1] == sentence


def test_a_fault_of_the_reader_is_logged_with_kind_and_line_but_no_cell(hostile: ReaderProcess) -> None:
    with capture_logs() as logged, pytest.raises(FileRejected) as caught:
        read_in_child(b"fault", process=hostile)
    assert caught.value.kind == "our-fault"
    [line] = logged
    assert (line["event"], line["log_level"], line["why"]) == ("upload.reader_fault", "error", "ZeroDivisionError")
    assert line["place"].startswith("hostile.py:")
    assert "Zyxwv" not in str(line)


def test_a_child_has_its_answer_open_and_nothing_else(hostile: ReaderProcess) -> None:
    first, second = socket.socketpair()
    with first, second:
        assert act(hostile, "descriptors")[1] == "[0, 1, 2, 3]"


@pytest.mark.parametrize("words", ["tcp", "udp", "unix", "pair", "fork", "exec", "spawn", "kill", "kill-group", "ptrace", "prctl"])
def test_a_child_that_asks_for_network_processes_or_power_is_ended(hostile: ReaderProcess, tmp_path: Path, words: str) -> None:
    path = tmp_path / "made"
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "unix"))
        unix.listen()
        argument = {"tcp": tcp.getsockname()[1], "unix": tmp_path / "unix", "kill": os.getpid(), "ptrace": os.getpid()}.get(
            words, path
        )
        assert act(hostile, f"{words} {argument}") == ("our-fault", sandbox.OUR_FAULT, "forbidden call")
    assert not path.exists()


FATAL = list(NUMBERS[platform_machine()])[list(NUMBERS[platform_machine()]).index("socket") :]


@pytest.mark.parametrize("name", FATAL)
def test_each_forbidden_call_ends_a_child_whatever_its_arguments(hostile: ReaderProcess, name: str) -> None:
    assert act(hostile, f"call {NUMBERS[platform_machine()][name]} 0 0 0")[2] == "forbidden call"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 is a kind of call of x86-64 only")
def test_a_call_of_the_x32_kind_ends_a_child(hostile: ReaderProcess) -> None:
    assert act(hostile, f"call {0x40000000 | 39}")[2] == "forbidden call"


@pytest.mark.parametrize("words", ["open", "append", "write", "stat", "list", "remove", "memory", "memfd", "executable"])
def test_a_child_can_open_make_and_ask_about_no_file(hostile: ReaderProcess, tmp_path: Path, words: str) -> None:
    key = tmp_path / "secret-key"
    key.write_text("secret")
    argument = {"write": tmp_path / "made", "list": tmp_path, "memory": os.getpid()}.get(words, key)
    kind, sentence, _ = act(hostile, f"{words} {argument}")
    assert (kind, sentence) == ("shown", f"refused {errno.EPERM}")
    assert key.read_text() == "secret"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["environ", "mem", "maps", "cmdline", "status"])
@pytest.mark.parametrize("whose", ["self", "worker", "process"])
def test_a_child_reads_nothing_of_itself_or_of_its_parents_in_proc(hostile: ReaderProcess, whose: str, name: str) -> None:
    number = {"self": "self", "worker": os.getpid(), "process": hostile.pid}[whose]
    assert act(hostile, f"open /proc/{number}/{name}")[1] == f"refused {errno.EPERM}"


def test_the_environment_of_the_worker_is_nowhere_in_a_child(hostile: ReaderProcess) -> None:
    assert os.environ["PORTAL_SECRET_KEY_OF_TEST"] == SECRET
    # Backwards in the file, which would be found otherwise.
    assert act(hostile, f"everything {SECRET[::-1]}")[1] == "found 0 of True"
    assert SECRET.encode() not in Path(f"/proc/{hostile.pid}/environ").read_bytes()


MALFORMED = [
    "negative", "no-kind", "array-first", "progress-of-words", "progress-of-digits", "not-json", "not-text",
    "not-an-object", "nested", "nested-objects", "many-values", "constant", "large-number", "negative-number",
    "yes-for-a-number", "nested-total", "missing-part", "day-there-is-not", "pupil-of-numbers", "pupil-points-nowhere",
    "pupil-points-back", "session-of-three", "long-array", "other-type", "type-of-fields", "other-name",
    "negative-length", "length-past-all", "other-lengths", "pickle", "pickled-rejection", "pickled-fault",
    "words-of-markup", "words-of-control", "column-of-control", "row-of-words", "row-of-truth", "rejection-of-two",
    "two-gigabytes", "two-gigabytes-of-words", "without-end",
]  # fmt: skip


@pytest.mark.parametrize("words", MALFORMED)
def test_an_answer_that_is_malformed_is_believed_in_nothing(hostile: ReaderProcess, tmp_path: Path, words: str) -> None:
    before = _peak()
    assert act(hostile, f"{words} {tmp_path / 'made'}") == ("our-fault", sandbox.OUR_FAULT, "malformed")
    assert not (tmp_path / "made").exists()
    assert _peak() - before < 200_000


@pytest.mark.parametrize("words", ["short", "nothing", "half-a-header"])
def test_an_answer_that_ends_early_is_no_answer(hostile: ReaderProcess, words: str) -> None:
    assert act(hostile, words) == ("our-fault", sandbox.OUR_FAULT, "ended")


def test_a_child_reads_every_sample_as_the_reader_does() -> None:
    for path in sorted(FILES.iterdir()):
        content = path.read_bytes()
        try:
            expected: object = read(content)
        except FileRejected as rejection:
            expected = (rejection.kind, rejection.problems)
        try:
            outcome: object = read_in_child(content)
        except FileRejected as rejection:
            outcome = (rejection.kind, rejection.problems)
        assert _comparable(outcome) == _comparable(expected), path.name


def test_a_child_reads_a_workbook_and_a_pupil_list_as_the_reader_does() -> None:
    for content in (
        workbook({"Marks": [["UPN", "Date", "Session", "Code"], [upn(1), MONDAY, "AM", "L (12)"], [upn(2), MONDAY, "AM", "Z1"]]}),
        b"UPN,Surname,Forename,DOB,Parent 1 Surname,Parent 1 Forename,SEN\n"
        + upn(1).encode()
        + b",Zyxwv,Canary,07/09/2015,Zyxwv,Robin,K\n",
    ):
        assert _comparable(read_in_child(content)) == _comparable(read(content))


def test_a_rejection_arrives_with_the_row_it_is_about_apart_from_its_sentence() -> None:
    content = FILE + b"\0"
    with pytest.raises(FileRejected) as expected:
        read(content)
    with pytest.raises(FileRejected) as caught:
        read_in_child(content)
    assert caught.value.problems == expected.value.problems
    assert caught.value.problems[0].row == 3
    assert caught.value.message.startswith("Row 3: ")


def test_a_problem_arrives_with_its_place_value_and_count() -> None:
    content = FILE + f"{upn(2)},Zyxwv,2026-02-31,AM,/\n".encode()
    problems = read_in_child(content).problems
    assert problems == read(content).problems
    assert [(problem.row, problem.value, problem.count) for problem in problems] == [(3, "2026-02-31", 1)]


@pytest.mark.parametrize("is_remembered", [False, True])
def test_the_column_mappings_reach_the_child(*, is_remembered: bool) -> None:
    content = FILE.replace(b"Code", b"Zzz")
    mapping = {"UPN": "upn", "Surname": "surname", "Date": "date", "Session": "session", "Zzz": "code"}
    without = read_in_child(content)
    assert without.needs_mapping
    mappings = ColumnMappings(remembered={without.fingerprint: mapping}) if is_remembered else ColumnMappings(mapping)
    assert len(marks(read_in_child(content, mappings))) == 1


def test_a_child_follows_the_one_upload_limit() -> None:
    content = FILE + b" " * 1_000_000
    assert len(marks(read_in_child(FILE))) == 1
    with upload_limit.of_megabytes(1), pytest.raises(FileRejected) as caught:
        read_in_child(content)
    assert caught.value.kind == "too-large"


def _comparable(outcome: object) -> object:
    """A reading as plain values: arrays have no equality of their own."""
    if not isinstance(outcome, Reading):
        return outcome
    values = {name: getattr(outcome, name) for name in Reading.__dataclass_fields__}
    return {name: (str(value.dtype), value.tolist()) if name in answers.ARRAYS else value for name, value in values.items()}


def test_a_process_that_dies_is_started_again() -> None:
    assert len(marks(read_in_child(FILE))) == 1
    first = sandbox.current()
    first.kill()
    assert len(marks(read_in_child(FILE))) == 1
    assert sandbox.current() is not first


def test_one_process_reads_many_files_and_forks_of_its_starter_use_it() -> None:
    assert len(marks(read_in_child(FILE))) == 1
    before = sandbox.current().pid
    child = os.fork()
    if child == 0:
        os._exit(0 if len(marks(read_in_child(FILE))) == 1 and sandbox.current().pid == before else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(marks(read_in_child(FILE))) == 1
    assert sandbox.current().pid == before


def _peak() -> int:
    """The most memory this process ever held, in kilobytes."""
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    assert peak is not None
    return int(peak[1])
