"""`./run test --fast`: only the tests that need no server and no browser, in under a minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A test that asks for one of these fixtures needs the database.
DATABASE_FIXTURES = {"database_name"}
#: Tests that drive a browser, or take more than a second on purpose.
SLOW_MARKERS = ("browser", "slow")
#: Folders whose tests start processes, or reach the servers without those fixtures.
SLOW_FOLDERS = ("tests/abuse/", "tests/commands/", "tests/local/", "tests/migrations/", "tests/workers/")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--fast", action="store_true", help="run only the tests that need no server and no browser")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect every test that is not fast."""
    if config.option.fast:
        slow_tests = [test for test in items if not is_fast(test)]
        config.hook.pytest_deselected(items=slow_tests)
        items[:] = [test for test in items if is_fast(test)]


def is_fast(test: pytest.Item) -> bool:
    """Can this test run without a server and a browser?"""
    fixtures: Iterable[str] = getattr(test, "fixturenames", ())
    return not (
        DATABASE_FIXTURES.intersection(fixtures)
        or any(test.get_closest_marker(name) for name in SLOW_MARKERS)
        or test.nodeid.startswith(SLOW_FOLDERS)
    )


@pytest.fixture(scope="session")
def server_allowed(pytestconfig: pytest.Config) -> None:
    """Fail a test that asks for a server in a fast run, where none was started."""
    if pytestconfig.option.fast:
        pytest.fail("A fast run starts no server. Mark this test slow, or add its folder to tests/support/fast.py.")
