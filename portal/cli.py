"""The command line, for an authority's data team and for tests. It calls the same actions as the pages.

Every command prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import Settings, SettingsError
from local import supervisor
from local.child_processes import CannotStartError
from migrations import distribution
from portal import commands
from portal.rules.conformance import check_text
from portal.schools.domain.school_list import PHASE_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DONE, PROBLEMS, BROKEN_PIPE = 0, 1, 128 + signal.SIGPIPE
PHASES = tuple(dict.fromkeys(phase for _, phase in PHASE_WORDS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and print its document. The exit status is 0 when it was done, and 1 when there were problems."""
    try:
        options = _parser().parse_args(arguments)
        if options.command == "distribute":
            sys.stdout.write("".join(f"{line}\n" for line in distribute()))
            return DONE
        settings = Settings.from_environment(os.environ)
        if options.command == "up":
            return supervisor.main(settings)
        document = options.run(settings, options)
    except commands.ProblemsError as problems:
        _print({"error": str(problems), "problems": problems.problems})
        return PROBLEMS
    except (SettingsError, CannotStartError) as error:
        if options.command == "up":
            sys.stderr.write(f"{error}\n")
        else:
            _print({"error": str(error), "problems": []})
        return PROBLEMS
    _print(document)
    return DONE


def distribute() -> list[str]:
    """The statements that spread the tables over a Citus cluster, a line each. They are only printed: no database is needed."""
    return [f"{statement};" for statement in distribution.statements()]


def _print(document: object) -> None:
    """Write the document. When its reader has gone (`| head`), exit quietly with the signal's status, as other programs do."""
    try:
        json.dump(document, sys.stdout, indent=1, default=str)
        sys.stdout.write("\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes standard output once more as it ends, and would complain; so it gets somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)


def _rules_check(_settings: Settings, _options: argparse.Namespace) -> object:
    """Judge cases from standard input by the rules alone; needs no database."""
    return check_text(sys.stdin.buffer.read())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="portal", description="The attendance portal's command line.")
    nouns = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    nouns.add_parser("up", help="start everything")
    nouns.add_parser("distribute", help="print the SQL that spreads the tables over a Citus cluster")
    _command(nouns, "migrate", "bring the database to this version", commands.migrate)
    demo = _command(nouns, "demo", "make the demonstration authority", commands.demonstration)
    demo.add_argument("--schools", type=int, default=24)
    demo.add_argument("--pupils", type=int, default=9000)
    demo.add_argument("--if-empty", action="store_true", help="only when there is no authority yet")
    demo.add_argument("--reset", action="store_true", help="remove the demonstration first")
    _authority(nouns)
    _schools(nouns)
    _pupils(nouns)
    _marks(nouns)
    _measures(nouns)
    rules = _verbs(nouns, "rules", "the law as arithmetic")
    _command(rules, "check", "judge cases from standard input", _rules_check)
    published = _command(
        _verbs(nouns, "benchmarks", "published figures"), "import", "load a published file", commands.import_benchmarks
    )
    published.add_argument("file", type=Path)
    published.add_argument("--name", help="the release's name; the file's own when left out")
    published.add_argument("--published-on", type=_day, help="YYYY-MM-DD; today when left out")
    published.add_argument("--data-to", type=_day, help="YYYY-MM-DD: the last day a year-to-date file covers")
    audit = _command(
        _verbs(nouns, "audit", "the audit"), "verify", "read an authority's chain from the start", commands.verify_audit
    )
    audit.add_argument("--authority", required=True, metavar="SLUG")
    return parser


def _authority(nouns: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = _command(_verbs(nouns, "authority", "local authorities"), "add", "add an authority", commands.add_authority)
    add.add_argument("slug", metavar="SLUG")
    add.add_argument("--name", required=True)
    add.add_argument("--la-code", required=True)


def _schools(nouns: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    schools = _command(_verbs(nouns, "schools", "schools"), "import", "import a list of schools", commands.import_schools)
    dates = _command(
        _verbs(nouns, "term-dates", "term dates"), "import", "import term dates and closed days", commands.import_term_dates
    )
    dates.add_argument("--school", metavar="URN", help="a school's own dates; the authority's when left out")
    for parser in (schools, dates):
        parser.add_argument("--authority", required=True, metavar="SLUG")
        parser.add_argument("file", type=Path)


def _pupils(nouns: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    pupils = _command(_verbs(nouns, "pupils", "pupil lists"), "import", "import a school's pupil list", commands.import_pupils)
    _add_school_options(pupils)
    pupils.add_argument(
        "--academic-year", type=_academic_year, metavar="YEAR", help="2025 for 2025/26; found from the pupils' ages when left out"
    )
    pupils.add_argument("file", type=Path)


def _marks(nouns: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verbs = _verbs(nouns, "marks", "attendance marks")
    take = _command(verbs, "import", "check and apply files of marks", commands.import_marks)
    take.add_argument("--authority", required=True, metavar="SLUG")
    take.add_argument("--school", metavar="URN", help="the school the files are for")
    take.add_argument("--by-filename", action="store_true", help="each file is named URN.csv; a folder is taken whole")
    take.add_argument("--rehearse", action="store_true", help="say what would happen, and change no register")
    take.add_argument("--add-pupils", action="store_true", help="pupils not on the roll yet join it from the file")
    take.add_argument("files", type=Path, nargs="+", metavar="FILE")
    undo = _command(verbs, "undo", "take an applied upload back", commands.undo_marks)
    undo.add_argument("upload", metavar="UPLOAD")
    undo.add_argument("--reason", default="Undone from the command line.")


def _measures(nouns: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    measures = _command(nouns, "measures", "counts and rates from the registers", commands.measures)
    measures.add_argument("--authority", required=True, metavar="SLUG")
    measures.add_argument("--school", metavar="URN")
    measures.add_argument("--phase", type=_phase, metavar="P")
    measures.add_argument("--from", dest="first", type=_day, metavar="D")
    measures.add_argument("--to", dest="last", type=_day, metavar="D")
    measures.add_argument("--by", choices=("school", "week", "year-group", "code", "month", "none"), default="none")
    measures.add_argument(
        "--include-all-ages", action="store_true", help="every pupil and every mark, not DfE's headline population"
    )


def _add_school_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--authority", required=True, metavar="SLUG")
    parser.add_argument("--school", required=True, metavar="URN")


def _verbs(
    nouns: argparse._SubParsersAction[argparse.ArgumentParser], noun: str, about: str
) -> argparse._SubParsersAction[argparse.ArgumentParser]:
    return nouns.add_parser(noun, help=about).add_subparsers(dest="verb", required=True, metavar="VERB")


def _command(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str, run: Callable[..., object]
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        message = f"Write the day as YYYY-MM-DD, not “{typed}”."
        raise commands.ProblemsError(message) from error


def _phase(typed: str) -> str:
    phase = typed.strip().lower().replace(" ", "-")
    if phase not in PHASES:
        message = f"Give a phase from the list, not “{typed}”: {', '.join(PHASES)}."
        raise commands.ProblemsError(message)
    return phase


def _academic_year(typed: str) -> int:
    match = re.fullmatch(r"(20[0-9]{2})(?:[/-](?:20)?[0-9]{2})?", typed.strip())
    if match is None:
        message = f"Write the academic year as 2025 or 2025/26, not “{typed}”."
        raise commands.ProblemsError(message)
    return int(match[1])
