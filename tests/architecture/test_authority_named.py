"""Every SQL text, COPY target and join over owned tables names the authority."""

from __future__ import annotations

import pytest

from tests.architecture import sources
from tests.architecture.authority_named import faults
from tests.architecture.sources import Source
from tests.architecture.test_catalogue import OWNED, owned_classes

#: Migrations and the embedded servers act as the owner, and over every authority.
PACKAGES = ("dashboards", "demo", "portal", "workers")
IMPORTS = "from portal.pupils.models import Pupil, RollLine\nfrom portal.accounts.models import Person\n"


def _faults(source: Source) -> list[str]:
    return faults(source, owned_classes(), OWNED)


@pytest.mark.parametrize("source", [s for s in sources.product() if s.name.split("/")[0] in PACKAGES], ids=lambda s: s.name)
def test_the_authority_is_named(source: Source) -> None:
    assert _faults(source) == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('a = "SELECT id FROM pupil WHERE upn = :upn"', "over pupil does not name authority_id"),
        ('a = "SELECT 1 FROM school s JOIN pupil p ON p.authority_id = :a"', "over school does not name s.authority_id"),
        ('a = "DELETE FROM finding"', "over finding does not name"),
        ('a = "UPDATE upload SET state = :state"', "over upload does not name"),
        ('a = "COPY roll_line (id, line) FROM STDIN"', "over roll_line does not name"),
        ("a = f'INSERT INTO \"{table}\" ({names})'", "over {} does not name"),
        ("a = select(Pupil).join(RollLine)", "RollLine is joined without a condition"),
        ("a = select(Pupil).join(RollLine, RollLine.pupil_id == Pupil.id)", "RollLine and Pupil are joined without"),
        ("a = select(Pupil).where(select(RollLine).where(RollLine.pupil_id == Pupil.id).exists())", "are joined without"),
        ("a = select(Pupil).join(lines, lines.c.pupil_id == Pupil.id)", "lines and Pupil are joined without"),
        ("b = aliased(RollLine)\na = select(RollLine).where(b.line == RollLine.line)", "b and RollLine are joined without"),
    ],
)
def test_a_statement_that_names_no_authority_is_found(code: str, expected: str) -> None:
    assert [fault for fault in _faults(Source("planted.py", IMPORTS + code)) if expected in fault]


@pytest.mark.parametrize(
    "code",
    [
        'a = "SELECT id FROM pupil WHERE authority_id = :authority"',
        'a = "SELECT id FROM person WHERE email = :email"',
        'a = "Removed from pupil lists"',
        "a = select(Pupil).join(RollLine, (RollLine.authority_id == Pupil.authority_id) & (RollLine.pupil_id == Pupil.id))",
        "a = select(Pupil).where(Pupil.upn == upn, Pupil.id != Person.id)",
    ],
)
def test_a_statement_that_names_it_passes(code: str) -> None:
    assert _faults(Source("planted.py", IMPORTS + code)) == []
