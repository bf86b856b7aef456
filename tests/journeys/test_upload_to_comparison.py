"""A file of marks in a real browser: sent, previewed, applied, compared and reverted."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from portal.platform import clock
from portal.rules.calendar import academic_year
from tests.support.chromium import BrowserVisitor, visitor
from tests.support.running_portal import all_present_file, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.running_portal import MarksFile, Member, RunningPortal

pytestmark = pytest.mark.browser


def _administrator(portal: RunningPortal, phase: str) -> Member:
    """The administrator of a school of this phase."""
    members = [portal.database.member("school-administrator", number=number) for number in (0, 1)]
    query = "SELECT phase FROM school WHERE id = %s"
    return next(member for member in members if portal.database.value(query, member.schools[0]) == phase)


def _year() -> int:
    """Last school year, which is complete and has a published series to compare with."""
    return academic_year(clock.today()) - 1


def _bad_rows(upn: str, monday: date) -> tuple[tuple[str, ...], ...]:
    """Three rows that are rejected: an unknown UPN, an unknown code, and a Sunday."""
    wednesday, sunday = monday + timedelta(days=2), monday + timedelta(days=6)
    return (
        ("A999999999999", f"{wednesday:%d/%m/%Y}", "AM", "/"),
        (upn, f"{wednesday:%d/%m/%Y}", "PM", "Z1"),
        (upn, f"{sunday:%d/%m/%Y}", "AM", "/"),
    )


def _autumn(portal: RunningPortal, member: Member) -> MarksFile:
    """A file with the school's autumn term, all present, and three bad rows."""
    school, year = member.schools[0], _year()
    upn = portal.database.value(
        "SELECT p.upn FROM roll_line r JOIN pupil p ON p.id = r.pupil_id WHERE r.school_id = %s AND r.academic_year = %s "
        "AND r.on_roll_until IS NULL ORDER BY r.line LIMIT 1",
        school,
        year,
    )
    return all_present_file(
        portal.database,
        school,
        year,
        date(year, 9, 1),
        date(year, 12, 31),
        _bad_rows(upn, date(year, 11, 17) - timedelta(days=date(year, 11, 17).weekday())),
    )


def _send(person: BrowserVisitor, file: MarksFile, name: str = "autumn.csv") -> None:
    """Choose the file and send it."""
    person.go("/uploads/new")
    person.page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": file.content})
    person.press("Send the file")


def _wait_for_heading(person: BrowserVisitor, heading: str) -> None:
    """Wait until the upload's page has this heading.

    Without script a person has to press "Show the latest".
    """

    def has_heading() -> bool:
        current = person.page.get_by_role("heading", level=1).inner_text()
        if current != heading and not person.script:
            person.press("Show the latest", "link")
        return current == heading

    wait_until(f"the page says “{heading}”", has_heading)


def _check_progress(person: BrowserVisitor, heading: str) -> None:
    """Check the page of a running job: a status, a bar and a link to the latest state."""
    person.page.get_by_role("heading", name=heading, level=1, exact=True).wait_for()
    person.look(heading.lower().replace(" ", "-"))
    assert person.page.get_by_role("status").inner_text().endswith(" in a moment.")
    assert person.page.get_by_role("progressbar").count() == 1
    address = person.page.url
    with person.page.expect_request(address):
        person.press("Show the latest", "link")
    person.page.get_by_role("heading", name=heading, level=1, exact=True).wait_for()


def _page_counts(person: BrowserVisitor) -> dict[str, int]:
    """The counts on the page, by their labels."""
    pairs = person.page.locator(".portal-tally").evaluate_all(
        "(all) => all.map((count) => [count.querySelector('dt').firstChild, count.querySelector('dd')])"
        ".map((pair) => pair.map((part) => part.textContent.trim()))"
    )
    return {label: int(value.replace(",", "")) for label, value in pairs if value.replace(",", "").isdigit()}


def _weeks(person: BrowserVisitor, school: object) -> list[list[str]]:
    """The rows of the comparison's table for last year, once its chart is drawn."""
    person.go(f"/dashboards/schools/{school}?year={_year()}")
    person.page.locator(".portal-chart svg.main-svg").first.wait_for()
    person.page.locator(".portal-figure summary").click()
    rows: list[list[str]] = person.page.locator(".portal-figure details tbody tr").evaluate_all(
        "(all) => all.map((row) => [...row.children].map((cell) => cell.textContent.trim()))"
    )
    return rows


def _autumn_figures(weeks: list[list[str]]) -> set[str]:
    year = str(_year())
    return {week[1] for week in weeks if week[0].endswith(year) and week[0].split()[1] in {"Sep", "Oct", "Nov", "Dec"}}


def _preview_and_apply(person: BrowserVisitor, portal: RunningPortal, file: MarksFile) -> None:
    with portal.resting():
        _send(person, file)
        _check_progress(person, "Checking the file")
    _wait_for_heading(person, "What this file would change")
    preview_counts = _page_counts(person)
    assert preview_counts["Marks in the file"] == file.rows
    assert preview_counts["Refused"] == file.bad
    assert preview_counts["Added"] + preview_counts["Changed"] + preview_counts["Left as they are"] == file.rows - file.bad
    assert preview_counts["Changed"] > 0
    rejected_rows = person.page.get_by_role("region", name="Refused rows").inner_text()
    assert "Z1" in rejected_rows, rejected_rows
    person.look("preview")
    with portal.resting():
        person.press(r"^Make [\d,]+ changes")
        _check_progress(person, "Applying the file")
    _wait_for_heading(person, "This file was applied")
    assert _page_counts(person)["Changed"] == preview_counts["Changed"]
    person.look("applied")


def _check_certificate(person: BrowserVisitor) -> None:
    """Check a pupil's certificate, and its PDF: one page, tagged, with the name."""
    person.go("/pupils")
    person.look("pupils")
    person.page.locator("main table tbody th a").first.click()
    person.page.get_by_role("heading", name="Attendance record").wait_for()
    name = person.page.locator(".govuk-caption-l, .portal-caption").first.inner_text()
    person.look("certificate")
    with person.page.expect_download() as download:
        person.press("Download the certificate of attendance", "button")
    pdf = PdfReader(io.BytesIO(download.value.path().read_bytes()))
    assert len(pdf.pages) == 1
    mark_info = pdf.root_object["/MarkInfo"].get_object()
    assert isinstance(mark_info, DictionaryObject)
    assert str(mark_info["/Marked"]) == "True"
    assert str(pdf.root_object["/Lang"]).startswith("en")
    words = " ".join(pdf.pages[0].extract_text().split())
    assert all(part in words for part in name.split())


def _check_comparison(person: BrowserVisitor, school: object) -> None:
    """Check the school's comparison with the authority and England in chart, table and CSV."""
    weeks = _weeks(person, school)
    assert _autumn_figures(weeks) == {"100.0%"}
    assert all(week[2].endswith("%") and int(week[3]) > 2 for week in weeks)
    assert "the LA average for primary schools" in person.page.locator(".portal-figure__finding").inner_text()
    assert {"This school", "LA average"} <= {heading.split(",")[0] for heading in person.page.locator("thead th").all_inner_texts()}
    assert any("England" in label for label in person.page.locator(".portal-chart .legendtext").all_text_contents())
    person.look("comparison")
    with person.page.expect_download() as download:
        person.press("Download these figures as CSV", "link")
    rows = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert len([row for row in rows if row and row[0][:2] == "20"]) == len(weeks)


def _drill_down(person: BrowserVisitor, school: object) -> None:
    """Drill down as a manager does: every school, sorted, then a school, a year group and a pupil."""
    person.go(f"/dashboards/?year={_year()}")
    person.page.locator(".portal-chart svg.main-svg").first.wait_for()
    person.look("every-school")
    person.page.locator("th", has_text="Year to date").locator("a, button").first.click()
    person.page.wait_for_url("**sort=**")
    cells = person.page.locator("main > * table tbody tr, main table tbody tr").locator("td:nth-of-type(3)").all_inner_texts()
    figures = [float(cell.rstrip("%")) for cell in cells if cell.endswith("%") and cell[0].isdigit()]
    assert len(figures) > 3
    assert figures in (sorted(figures), sorted(figures, reverse=True))
    person.page.locator(f"a[href*='/dashboards/schools/{school}']").first.click()
    person.page.get_by_role("heading", name="Year groups").wait_for()
    person.page.locator("main a[href*='year-group=']").first.click()
    person.page.get_by_role("heading", name="pupils and sessions missed").wait_for()
    person.look("year-group")
    person.page.locator("main table tbody th a").first.click()
    person.page.get_by_role("heading", name="Attendance record").wait_for()
    person.look("marks")


def _revert(person: BrowserVisitor) -> None:
    person.go("/uploads")
    person.look("uploads")
    person.page.locator("main table tbody th a").first.click()
    person.press("Undo this upload")
    person.look("undo")
    person.page.get_by_label("Why is this upload being undone?").fill("The wrong file was sent.")
    person.press("Undo the upload")
    _wait_for_heading(person, "This upload was undone")
    person.look("undone")


def test_a_term_of_marks_is_sent_compared_and_reverted(portal: RunningPortal, chromium: Browser) -> None:
    administrator = _administrator(portal, "primary")
    school, file = administrator.schools[0], _autumn(portal, administrator)
    with visitor(chromium, portal.address) as person:
        person.sign_in(administrator)
        person.look("home")
        before = _weeks(person, school)
        assert _autumn_figures(before) != {"100.0%"}
        person.go("/uploads/new")
        person.look("send")
        _preview_and_apply(person, portal, file)
        _check_certificate(person)
        _check_comparison(person, school)
    with visitor(chromium, portal.address) as person:
        person.sign_in(portal.database.member("la-manager"))
        _drill_down(person, school)
    with visitor(chromium, portal.address) as person:
        person.sign_in(administrator)
        _revert(person)
        assert _weeks(person, school) == before


def test_without_script_a_file_is_sent_previewed_and_applied(portal: RunningPortal, chromium: Browser) -> None:
    administrator = _administrator(portal, "secondary")
    file = _autumn(portal, administrator)
    with visitor(chromium, portal.address, script=False) as person:
        person.sign_in(administrator)
        _preview_and_apply(person, portal, file)
        person.go(f"/dashboards/schools/{administrator.schools[0]}?year={_year()}")
        assert "100.0%" in person.page.locator(".portal-figure details tbody").inner_html()
    with visitor(chromium, portal.address) as checker:
        faults = {fault for source in person.sources.values() for fault in checker.look_at_source(source)}
    assert faults == set()
