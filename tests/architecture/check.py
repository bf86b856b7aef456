"""`./run check` and `./run fix`: every check of the code that is not a test, one after another."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from tests.architecture import sources, style

PYTHON = sys.executable
#: Every step, in the order it runs; the quick ones come first.
CHECKS: dict[str, list[str]] = {
    "ruff": [PYTHON, "-m", "ruff", "check"],
    "format": [PYTHON, "-m", "ruff", "format", "--check"],
    "words": [PYTHON, "-m", "tests.architecture.plain_words"],
    "templates": [PYTHON, "-m", "tests.architecture.templates"],
    "containers": [PYTHON, "-m", "tests.architecture.containers"],
    "imports": [PYTHON, "-P", "tests/architecture/contracts.py"],
    "types": [PYTHON, "-m", "mypy"],
}
#: Formatting templates is not a step: no formatter leaves the white space of GOV.UK components alone.
FIXES: dict[str, list[str]] = {
    "ruff": [PYTHON, "-m", "ruff", "check", "--fix"],
    "format": [PYTHON, "-m", "ruff", "format"],
}


def main(arguments: list[str] | None = None) -> int:
    """Run the steps that were asked for, or all of them."""
    parser = argparse.ArgumentParser(prog="./run check", description="Check the code. Tests are run by ./run test.")
    parser.add_argument("steps", nargs="*", metavar="STEP", help=f"one of: {', '.join(CHECKS)} (default: all)")
    parser.add_argument("--fix", action="store_true", help="mend and format what ruff can (the same as ./run fix)")
    parser.add_argument("--style", action="store_true", help="print the measurements of the code and end")
    options = parser.parse_args(arguments)
    if options.style:
        return style.main()
    steps = FIXES if options.fix else CHECKS
    unknown_steps = [name for name in options.steps if name not in steps]
    if unknown_steps:
        parser.error(f"there is no step {unknown_steps[0]}")
    return run_steps({name: steps[name] for name in options.steps or steps})


def run_steps(steps: dict[str, list[str]]) -> int:
    """Run each step, whether or not one before it failed; then print a line for each."""
    summary = []
    for name, command in steps.items():
        sys.stdout.write(f"\n== {name}: {_command_line(command)}\n")
        # The tool writes to the same stream: without this, its output would come before its heading.
        sys.stdout.flush()
        started = time.monotonic()
        status = subprocess.run(command, cwd=sources.ROOT, check=False).returncode
        summary.append((name, status, time.monotonic() - started))
    sys.stdout.write("\n")
    for name, status, seconds in summary:
        sys.stdout.write(f"{name:<10} {'failed' if status else 'passed'}  {seconds:.1f} s\n")
    return 1 if any(status for _, status, _ in summary) else 0


def _command_line(command: list[str]) -> str:
    """A command as a person would type it."""
    return f"python {' '.join(command[1:])}"


if __name__ == "__main__":
    sys.exit(main())
