"""A page shows a pupil's guarded field only under the permission that opens it."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from portal import capabilities
from portal.security.permissions import guard_of
from tests.architecture import sources
from tests.architecture.sources import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GUARDED = sorted({field for item in capabilities.CAPABILITIES for permission in item.permissions for field in permission.fields})
ATTRIBUTE = re.compile(rf"\.({'|'.join(GUARDED)})\b")
#: Capabilities whose templates show pupils. An e-mail address of `accounts` is a colleague's.
FOLDERS = ("dashboards/", "portal/pupils/", "portal/registers/", "portal/uploads/")


def permissions_of_templates(modules: Iterable[Source]) -> Mapping[str, set[str]]:
    """The permissions of the views that render each template."""
    permissions: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        for function in (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)):
            needed = {
                decorator.args[0].value
                for decorator in function.decorator_list
                if isinstance(decorator, ast.Call)
                and sources.called(decorator) == "needs"
                and isinstance(decorator.args[0], ast.Constant)
            }
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                if sources.called(call) == "render_template" and call.args and isinstance(call.args[0], ast.Constant):
                    permissions[call.args[0].value] |= needed
    return permissions


def faults(templates: Mapping[str, str], permissions: Mapping[str, set[str]]) -> list[str]:
    """Templates that show a guarded field without its permission, each in a sentence."""
    return [
        f"{name} shows {field} and needs {guard.name}"
        for name, text in templates.items()
        for field in sorted(set(ATTRIBUTE.findall(text)))
        if (guard := guard_of(field)) and permissions.get(name, set()) != {guard.name}
    ]


def _templates() -> dict[str, str]:
    """The templates that show pupils, by the name they are rendered under."""
    paths = [path for path in sources.repository_files() if path.suffix == ".html"]
    return {
        sources.relative_name(path).split("/templates/")[1]: path.read_text(encoding="utf-8")
        for path in paths
        if sources.relative_name(path).startswith(FOLDERS)
    }


def test_every_guarded_field_is_shown_under_its_permission() -> None:
    assert faults(_templates(), permissions_of_templates(sources.product())) == []


def test_some_guarded_fields_are_looked_at() -> None:
    fields = {field for text in _templates().values() for field in ATTRIBUTE.findall(text)}
    assert {"phone", "email", "ethnicity"} <= fields


def test_a_field_on_a_page_without_its_permission_is_found() -> None:
    view = Source(
        "portal/pupils/routes.py",
        'from x import needs\n\n\n@needs("pupils.view")\ndef show():\n    return render_template("pupils/planted.html")\n',
    )
    planted = {"pupils/planted.html": "{{ pupil.surname }} {{ parent.phone }}", "pupils/unrendered.html": "{{ pupil.ethnicity }}"}
    assert faults(planted, permissions_of_templates([view])) == [
        "pupils/planted.html shows phone and needs pupils.view_contacts",
        "pupils/unrendered.html shows ethnicity and needs pupils.view_characteristics",
    ]
