"""One upload limit: readers and releases take what the pages promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from config.settings import Settings, SettingsError
from portal.benchmarks.domain import tables
from portal.platform import upload_limit
from portal.platform.problems import ProblemsError
from portal.security.permissions import Role
from portal.tabular.rejection import FileRejected
from portal.uploads.domain.reading.reader import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from tests.support.browser import Browser

REGISTER = b"UPN,Date,Session,Code\nA123456789012,02/11/2026,AM,/\n"


def test_without_a_setting_the_limit_is_that_of_the_settings() -> None:
    assert upload_limit.in_bytes() == Settings().upload_limit == Settings.upload_limit_mb * 1_000_000


@pytest.mark.parametrize("megabytes", [1, 2])
def test_readers_and_releases_take_files_up_to_the_setting(megabytes: int) -> None:
    with upload_limit.of_megabytes(megabytes):
        full = REGISTER + b"\n" * (upload_limit.in_bytes() - len(REGISTER))
        assert read(full).rows_in == 1
        assert tables.unpack(full) == full
        with pytest.raises(FileRejected, match=f"larger than {megabytes} MB"):
            read(full + b"\n")
        with pytest.raises(ProblemsError, match=f"larger than {megabytes} MB"):
            tables.read_table(full + b"\n")


def test_the_forms_say_the_setting(app: Flask, signed_in: Callable[..., Browser]) -> None:
    assert app.config["MAX_CONTENT_LENGTH"] == upload_limit.in_bytes() + 1_000_000
    browser = signed_in(Role.LA_ADMINISTRATOR)
    with upload_limit.of_megabytes(7):
        for address in ("/uploads/new", "/published-figures/new"):
            assert "up to 7 MB" in browser.get(address).text


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="megabytes to 1 or more"):
        Settings.from_environment({"PORTAL_UPLOAD_LIMIT_MB": "0"})
