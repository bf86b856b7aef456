"""The import contracts, with the capabilities filled in from `portal/capabilities.py`.

Run in a folder with the code: `python tests/architecture/contracts.py`. `pyproject.toml` says `{capabilities}` where they
belong: kept by hand there as well, the two lists would come apart.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from pathlib import Path

from importlinter.cli import lint_imports

PLACEHOLDER = '"{capabilities}",'
LIST = Path("portal", "capabilities.py")


def capability_packages(source: str) -> list[str]:
    """The packages of the capabilities below `portal`, in the order of the list."""
    packages: dict[str, str] = {}
    listed: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and str(node.module).endswith(".capability"):
            packages |= {alias.name: str(node.module).removesuffix(".capability") for alias in node.names}
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Tuple) and ast.unparse(node.target) == "CAPABILITIES":
            listed = [packages[ast.unparse(name)] for name in node.value.elts]
    return [package for package in listed if package.startswith("portal.")]


def filled_in(folder: Path) -> str:
    """`pyproject.toml` with the capabilities in place of each placeholder, the last of the list on top."""
    packages = reversed(capability_packages((folder / LIST).read_text(encoding="utf-8")))
    lines = "\n".join(f'  "{package}",' for package in packages)
    return (folder / "pyproject.toml").read_text(encoding="utf-8").replace(f"  {PLACEHOLDER}", lines)


def main() -> int:
    """Check the contracts over the packages in the working folder, and return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "contracts.toml")
        config.write_text(filled_in(Path.cwd()), encoding="utf-8")
        return int(lint_imports(config_filename=str(config), no_cache=True))


if __name__ == "__main__":
    sys.exit(main())
