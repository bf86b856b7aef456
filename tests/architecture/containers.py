"""Lints the Dockerfile, and compose.yaml against the schema of compose files. Needs no container engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.architecture import sources

#: hadolint is a program, not a module: pip puts it beside Python.
HADOLINT = Path(sys.executable).with_name("hadolint")


def lint_commands(folder: Path) -> dict[str, list[str]]:
    """The linter of each file in this folder."""
    schema = ["--builtin-schema", "vendor.compose-spec"]
    return {
        "Dockerfile": [str(HADOLINT), "--no-color", str(folder / "Dockerfile")],
        "compose.yaml": [sys.executable, "-m", "check_jsonschema", *schema, str(folder / "compose.yaml")],
    }


def lint(folder: Path) -> dict[str, str]:
    """What each linter said of a file that it refused: file name → its output."""
    refusals = {}
    for name, command in lint_commands(folder).items():
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            refusals[name] = (result.stdout + result.stderr).strip()
    return refusals


def main() -> int:
    """Print every refusal; end with 1 when there is one."""
    refusals = lint(sources.ROOT)
    sys.stdout.writelines(f"{name} is refused:\n{output}\n" for name, output in refusals.items())
    if not refusals:
        sys.stdout.write("The Dockerfile and compose.yaml pass.\n")
    return 1 if refusals else 0


if __name__ == "__main__":
    sys.exit(main())
