"""The picture of the code in docs/architecture.md. Write it with `python -m tests.architecture.picture --write`.

Its boxes are the layers of the import contract in `pyproject.toml`, and its arrows the imports that the code has.
"""

from __future__ import annotations

import re
import sys
import tomllib
from typing import TYPE_CHECKING, Any

import grimp

from portal import capabilities
from portal.db.tables import Base
from tests.architecture import contracts
from tests.architecture.sources import ROOT
from tests.architecture.written_pages import table, with_part, write_or_print

if TYPE_CHECKING:
    from portal.platform.capability import Capability

PAGE = ROOT / "docs" / "architecture.md"
COMMAND = "python -m tests.architecture.picture --write"
#: The three pictures, from the top: the heading of each, what a reader should know of it, and the direction that gives the
#: largest letters. One picture of all boxes is too wide for a page.
GROUPS = {
    "doors": (
        "Doors and processes",
        "They start the portal, judge requests, run jobs and make tables. All of them may import all that is below.",
        "LR",
    ),
    "capabilities": ("Capabilities", "Each imports only what stands below it, and everything of the third picture.", "TD"),
    "foundation": ("What every capability stands on", "It knows no capability.", "LR"),
}
CAPABILITIES_BOX = "the capabilities"
Imports = dict[str, set[str]]


def linter_settings() -> dict[str, Any]:
    """The settings of import-linter, which hold the contracts."""
    settings: dict[str, Any] = tomllib.loads(contracts.filled_in(ROOT))["tool"]["importlinter"]
    return settings


def layers() -> list[str]:
    """The modules that the contract `house` puts in order, from the top."""
    contract = next(contract for contract in linter_settings()["contracts"] if contract["id"] == "house")
    return [module.strip() for row in contract["layers"] for module in row.split("|")]


def imports_between(boxes: list[str]) -> Imports:
    """Which of these modules import which, taken with everything beneath them. Imports for types alone are left out."""
    graph = grimp.build_graph(*linter_settings()["root_packages"], exclude_type_checking_imports=True, cache_dir=None)
    imports: Imports = {box: set() for box in boxes}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            importer_box, imported_box = _box_of(module, boxes), _box_of(imported, boxes)
            if importer_box and imported_box and importer_box != imported_box:
                imports[importer_box].add(imported_box)
    return imports


def _box_of(module: str, boxes: list[str]) -> str | None:
    """The smallest box that holds the module; None for a module outside the contract."""
    return max((box for box in boxes if f"{module}.".startswith(f"{box}.")), key=len, default=None)


def reduced(imports: Imports) -> Imports:
    """The imports without those that follow from others: they would hide the order behind arrows."""
    reached = {box: _reached_from(box, imports) for box in imports}
    return {
        box: {imported for imported in direct if not any(imported in reached[sibling] for sibling in direct - {imported})}
        for box, direct in imports.items()
    }


def _reached_from(box: str, imports: Imports) -> set[str]:
    reached: set[str] = set()
    waiting = list(imports[box])
    while waiting:
        imported = waiting.pop()
        if imported not in reached:
            reached.add(imported)
            waiting += imports[imported]
    return reached


def packages(declared: tuple[Capability, ...] = capabilities.CAPABILITIES) -> dict[str, Capability]:
    """The package of each capability: the one that holds the modules it names."""
    dotted_names = [(capability.events or capability.blueprint or capability.models or "", capability) for capability in declared]
    return {re.split(r"\.(?:events|routes|models)\b", dotted_name)[0]: capability for dotted_name, capability in dotted_names}


def group_of(box: str, boxes: list[str], capability_packages: list[str]) -> str:
    """Which picture shows a box: that of the capabilities, or the one above or beneath it."""
    if box in capability_packages:
        return "capabilities"
    lowest = max(boxes.index(package) for package in capability_packages)
    return "foundation" if boxes.index(box) > lowest else "doors"


def pictures(boxes: list[str], imports: Imports, capability_packages: list[str]) -> str:
    """The three pictures as Mermaid, which GitHub draws."""
    texts = []
    for group, (title, words, direction) in GROUPS.items():
        inside = [box for box in boxes if group_of(box, boxes, capability_packages) == group]
        drawn = {box: imports[box] & set(inside) for box in inside}
        if group == "doors":
            drawn = {box: drawn[box] | ({CAPABILITIES_BOX} if imports[box] & set(capability_packages) else set()) for box in inside}
            inside.append(CAPABILITIES_BOX)
            drawn[CAPABILITIES_BOX] = set()
        texts.append(f"### {title}\n\n{words}\n\n{_diagram(title, direction, inside, reduced(drawn))}")
    return "\n".join(texts)


def _diagram(title: str, direction: str, boxes: list[str], arrows: Imports) -> str:
    lines = [
        f"flowchart {direction}",
        f"accTitle: {title}",
        "accDescr: Boxes are modules. An arrow leads from a module to one that it imports. The last table says the same in words.",
        *(f'{_identifier(box)}["{box}"]' for box in boxes),
        *(f"{_identifier(box)} --> {_identifier(imported)}" for box in boxes for imported in sorted(arrows[box], key=boxes.index)),
    ]
    return "```mermaid\n" + "\n".join(lines) + "\n```\n"


def _identifier(box: str) -> str:
    return box.strip("_").replace(".", "_").replace(" ", "_")


def _capability_table() -> str:
    rows = [
        [
            f"`{package.replace('.', '/')}/`",
            capability.summary,
            ", ".join(f"`{name}`" for name in _tables(capability)) or "none",
            ", ".join(f"`{job.kind}`" for job in capability.jobs) or "none",
        ]
        for package, capability in packages().items()
    ]
    return table(["Capability", "What it is about", "Tables", "Jobs"], rows)


def _tables(capability: Capability) -> list[str]:
    models = [mapper.class_ for mapper in Base.registry.mappers]
    return sorted(model.__tablename__ for model in models if model.__module__ == capability.models)


def part() -> str:
    """What the command writes into docs/architecture.md: the pictures, and the same in words."""
    capabilities.models()
    boxes = layers()
    imports = imports_between(boxes)
    rows = [
        [f"`{box}`", ", ".join(f"`{imported}`" for imported in sorted(imports[box], key=boxes.index)) or "nothing of ours"]
        for box in boxes
    ]
    words = table(["Module, from the top", "Imports"], rows)
    return (
        f"\n{pictures(boxes, imports, list(packages()))}\n{_capability_table()}"
        f"\n<details><summary>Every import between these modules, in words</summary>\n\n{words}\n</details>\n\n"
    )


def page() -> str:
    """The text of docs/architecture.md, with the picture as the code is now."""
    return with_part(PAGE.read_text(encoding="utf-8"), COMMAND, part())


if __name__ == "__main__":
    sys.exit(write_or_print(PAGE, page(), sys.argv[1:]))
