"""From a file of marks to the comparison in a real browser: sent, rehearsed, applied, read, compared, drilled into, undone."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from portal import clock
from portal.rules.calendar import academic_year
from tests.support.chromium import Visitor, visitor
from tests.support.running import term_of_presence, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.running import Member, RunningPortal, Sent

pytestmark = pytest.mark.browser


def _administrator(portal: RunningPortal, phase: str) -> Member:
    """The administrator of a school of this phase."""
    both = [portal.database.member("school-administrator", place=place) for place in (0, 1)]
    return next(one for one in both if portal.database.one("SELECT phase FROM school WHERE id = %s", one.schools[0]) == phase)


def _year() -> int:
    """Last school year: whole, and with a published series to stand beside."""
    return academic_year(clock.today()) - 1


def _bad_rows(upn: str, monday: date) -> tuple[tuple[str, ...], ...]:
    """Three rows no register can take: nobody's number, no code, no school day."""
    met, sunday = monday + timedelta(days=2), monday + timedelta(days=6)
    return (
        ("A999999999999", f"{met:%d/%m/%Y}", "AM", "/"),
        (upn, f"{met:%d/%m/%Y}", "PM", "Z1"),
        (upn, f"{sunday:%d/%m/%Y}", "AM", "/"),
    )


def _autumn(portal: RunningPortal, member: Member) -> Sent:
    """The school's autumn term as a file in which everybody was there, with three rows nobody can take."""
    school, year = member.schools[0], _year()
    upn = portal.database.one(
        "SELECT p.upn FROM roll_line r JOIN pupil p ON p.id = r.pupil_id WHERE r.school_id = %s AND r.academic_year = %s "
        "AND r.on_roll_until IS NULL ORDER BY r.line LIMIT 1",
        school,
        year,
    )
    return term_of_presence(
        portal.database,
        school,
        year,
        date(year, 9, 1),
        date(year, 12, 31),
        _bad_rows(upn, date(year, 11, 17) - timedelta(days=date(year, 11, 17).weekday())),
    )


def _send(visiting: Visitor, sent: Sent, name: str = "autumn.csv") -> None:
    """Choose the file and send it, as a person does."""
    visiting.go("/uploads/new")
    visiting.page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": sent.content})
    visiting.press("Send the file")


def _arrives(visiting: Visitor, heading: str) -> None:
    """Wait for the page of the upload to say so. Without script a person presses "Show the latest"."""

    def there() -> bool:
        said = visiting.page.get_by_role("heading", level=1).inner_text()
        if said != heading and not visiting.script:
            visiting.press("Show the latest", "link")
        return said == heading

    until(f"the page says “{heading}”", there)


def _is_working(visiting: Visitor, heading: str) -> None:
    """A page of work going on: what is happening in words, a bar, and a link that shows the latest."""
    visiting.page.get_by_role("heading", name=heading, level=1, exact=True).wait_for()
    visiting.look(heading.lower().replace(" ", "-"))
    assert visiting.page.get_by_role("status").inner_text().endswith(" in a moment.")
    assert visiting.page.get_by_role("progressbar").count() == 1
    address = visiting.page.url
    with visiting.page.expect_request(address):
        visiting.press("Show the latest", "link")
    visiting.page.get_by_role("heading", name=heading, level=1, exact=True).wait_for()


def _tallies(visiting: Visitor) -> dict[str, int]:
    """The page's own counts."""
    pairs = visiting.page.locator(".portal-tally").evaluate_all(
        "(all) => all.map((one) => [one.querySelector('dt').firstChild, one.querySelector('dd')])"
        ".map((pair) => pair.map((part) => part.textContent.trim()))"
    )
    return {label: int(value.replace(",", "")) for label, value in pairs if value.replace(",", "").isdigit()}


def _weeks(visiting: Visitor, school: object) -> list[list[str]]:
    """The comparison's table for last year, with the chart beside it drawn."""
    visiting.go(f"/dashboards/schools/{school}?year={_year()}")
    visiting.page.locator(".portal-chart svg.main-svg").first.wait_for()
    visiting.page.locator(".portal-figure summary").click()
    rows: list[list[str]] = visiting.page.locator(".portal-figure details tbody tr").evaluate_all(
        "(all) => all.map((row) => [...row.children].map((one) => one.textContent.trim()))"
    )
    return rows


def _autumn_figures(weeks: list[list[str]]) -> set[str]:
    year = str(_year())
    return {week[1] for week in weeks if week[0].endswith(year) and week[0].split()[1] in {"Sep", "Oct", "Nov", "Dec"}}


def _rehearses_and_applies(visiting: Visitor, portal: RunningPortal, sent: Sent) -> None:
    with portal.resting():
        _send(visiting, sent)
        _is_working(visiting, "Checking the file")
    _arrives(visiting, "What this file would change")
    told = _tallies(visiting)
    assert told["Marks in the file"] == sent.rows
    assert told["Refused"] == sent.bad
    assert told["Added"] + told["Changed"] + told["Left as they are"] == sent.rows - sent.bad
    assert told["Changed"] > 0
    refused = visiting.page.get_by_role("region", name="Refused rows").inner_text()
    assert "Z1" in refused, refused
    visiting.look("rehearsal")
    with portal.resting():
        visiting.press(r"^Apply [\d,]+ marks")
        _is_working(visiting, "Applying the file")
    _arrives(visiting, "This file was applied")
    assert _tallies(visiting)["Changed"] == told["Changed"]
    visiting.look("applied")


def _certificate(visiting: Visitor) -> None:
    """A pupil's page, and the same on paper: one sheet, tagged, with the name."""
    visiting.go("/pupils")
    visiting.look("pupils")
    visiting.page.locator("main table tbody th a").first.click()
    visiting.page.get_by_role("heading", name="Certificate of attendance").wait_for()
    name = visiting.page.locator(".govuk-caption-l, .portal-caption").first.inner_text()
    visiting.look("certificate")
    with visiting.page.expect_download() as coming:
        visiting.press("Download as PDF", "button")
    paper = PdfReader(io.BytesIO(coming.value.path().read_bytes()))
    assert len(paper.pages) == 1
    marked = paper.root_object["/MarkInfo"].get_object()
    assert isinstance(marked, DictionaryObject)
    assert str(marked["/Marked"]) == "True"
    assert str(paper.root_object["/Lang"]).startswith("en")
    words = " ".join(paper.pages[0].extract_text().split())
    assert all(part in words for part in name.split())


def _comparison(visiting: Visitor, school: object) -> list[list[str]]:
    """The school beside the authority and England, chart, table and CSV saying the same."""
    weeks = _weeks(visiting, school)
    assert _autumn_figures(weeks) == {"100.0%"}
    assert all(week[2].endswith("%") and int(week[3]) > 2 for week in weeks)
    assert "the LA average for primary schools" in visiting.page.locator(".portal-figure__finding").inner_text()
    assert {"This school", "LA average"} <= {one.split(",")[0] for one in visiting.page.locator("thead th").all_inner_texts()}
    assert any("England" in one for one in visiting.page.locator(".portal-chart .legendtext").all_text_contents())
    visiting.look("comparison")
    with visiting.page.expect_download() as coming:
        visiting.press("Download these figures as CSV", "link")
    rows = list(csv.reader(io.StringIO(coming.value.path().read_text(encoding="utf-8-sig"))))
    assert len([row for row in rows if row and row[0][:2] == "20"]) == len(weeks)
    return weeks


def _drill(visiting: Visitor, school: object) -> None:
    """The manager's way: every school, sorted, one of them, a year group, a pupil, the marks."""
    visiting.go(f"/dashboards/?year={_year()}")
    visiting.page.locator(".portal-chart svg.main-svg").first.wait_for()
    visiting.look("every-school")
    visiting.page.locator("th", has_text="Year to date").locator("a, button").first.click()
    visiting.page.wait_for_url("**sort=**")
    shown = visiting.page.locator("main > * table tbody tr, main table tbody tr").locator("td:nth-of-type(3)").all_inner_texts()
    figures = [float(one.rstrip("%")) for one in shown if one.endswith("%") and one[0].isdigit()]
    assert len(figures) > 3
    assert figures in (sorted(figures), sorted(figures, reverse=True))
    visiting.page.locator(f"a[href*='/dashboards/schools/{school}']").first.click()
    visiting.page.get_by_role("heading", name="Year groups").wait_for()
    visiting.page.locator("main a[href*='year-group=']").first.click()
    visiting.page.get_by_role("heading", name="pupils and sessions missed").wait_for()
    visiting.look("year-group")
    visiting.page.locator("main table tbody th a").first.click()
    visiting.page.get_by_role("heading", name="Certificate of attendance").wait_for()
    visiting.look("marks")


def _undoes(visiting: Visitor) -> None:
    visiting.go("/uploads")
    visiting.look("uploads")
    visiting.page.locator("main table tbody th a").first.click()
    visiting.press("Undo this upload")
    visiting.look("undo")
    visiting.page.get_by_label("Why is this upload being undone?").fill("The wrong file was sent.")
    visiting.press("Undo the upload")
    _arrives(visiting, "This file was undone")
    visiting.look("undone")


def test_a_term_of_marks_is_sent_compared_and_undone(portal: RunningPortal, chromium: Browser) -> None:
    administrator = _administrator(portal, "primary")
    school, sent = administrator.schools[0], _autumn(portal, administrator)
    with visitor(chromium, portal.address) as visiting:
        visiting.sign_in(administrator)
        visiting.look("home")
        before = _weeks(visiting, school)
        assert _autumn_figures(before) != {"100.0%"}
        visiting.go("/uploads/new")
        visiting.look("send")
        _rehearses_and_applies(visiting, portal, sent)
        _certificate(visiting)
        _comparison(visiting, school)
    with visitor(chromium, portal.address) as visiting:
        visiting.sign_in(portal.database.member("la-manager"))
        _drill(visiting, school)
    with visitor(chromium, portal.address) as visiting:
        visiting.sign_in(administrator)
        _undoes(visiting)
        assert _weeks(visiting, school) == before


def test_without_script_a_file_is_sent_rehearsed_and_applied(portal: RunningPortal, chromium: Browser) -> None:
    administrator = _administrator(portal, "secondary")
    sent = _autumn(portal, administrator)
    with visitor(chromium, portal.address, script=False) as visiting:
        visiting.sign_in(administrator)
        _rehearses_and_applies(visiting, portal, sent)
        visiting.go(f"/dashboards/schools/{administrator.schools[0]}?year={_year()}")
        assert "100.0%" in visiting.page.locator(".portal-figure details tbody").inner_html()
    with visitor(chromium, portal.address) as looking:
        found = {fault for source in visiting.sources.values() for fault in looking.look_at_source(source)}
    assert found == set()
