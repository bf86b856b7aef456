"""What is published, asked of the database: figures with their labels, the newest release, as at a day, and honest gaps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4

import pytest

from portal.accounts.queries.principals import command_line
from portal.benchmarks import actions, queries
from portal.benchmarks.domain.figures import ACCREDITED, ENGLAND, PHASES, SUPPRESSED, NotOfferedError
from portal.db.work import unit_of_work

pytestmark = pytest.mark.usefixtures("shipped_figures")

WEEK_45 = date(2025, 11, 3)
HEADER = (
    "time_period,time_identifier,geographic_level,old_la_code,education_phase,num_schools,enrolments,present_sessions,overall_attendance,"
    "approved_educational_activity,overall_absence,authorised_absence,unauthorised_absence,late_sessions,possible_sessions"
)


def week_file(absence: int, week: int = 45, level: str = "National") -> bytes:
    """A weekly file of one row, England's primary schools."""
    row = f"2025,Week {week},{level},,Primary,10,100,{1000 - absence},{1000 - absence},0,{absence},{absence},0,0,1000"
    return f"{HEADER}\n{row}\n".encode()


@pytest.mark.parametrize(
    ("phase", "absence", "persistent"),
    [("primary", "5.28", "13.77"), ("secondary", "8.49", "23.77"), ("special", "13.17", "36.06"), ("total", "6.88", "18.78")],
)
def test_the_national_year_to_date(phase: str, absence: str, persistent: str) -> None:
    """2025/26 to 10 July 2026, for each phase."""
    found = queries.national(phase, 2025)
    assert found is not None
    assert (str(found.rounded("absence")), str(found.rounded("persistent"))) == (absence, persistent)
    assert found.last_day == date(2026, 7, 10)


def test_a_figure_carries_all_that_must_be_shown_with_it() -> None:
    """Series, place, phase, period with its days, release and publication date in one line."""
    found = queries.national("total", 2025)
    assert found is not None
    assert found.label == (
        "England, all schools, 2025/26 year to date (8 September 2025 to 10 July 2026): daily attendance series, "
        "Pupil attendance in schools: year to date 2025/26, published 23 July 2026."
    )
    assert found.possible == 2_445_419_687
    assert found.rate("absence") == Fraction(100 * 168_324_305, 2_445_419_687)
    assert found.rate("attendance") + found.rate("absence") == 100  # type: ignore[operator]  # both are published
    assert found.rounded("attendance", 5) == Decimal("93.11675")
    assert found.rounded("I", 3) == Decimal("3.210")


def test_an_enrolment_is_kept_in_the_files_own_digits() -> None:
    """Means over days are fractional, and not one digit is changed."""
    found = queries.benchmark("383", "primary", date(2025, 9, 8))
    assert found is not None
    assert (found.enrolments, found.schools, found.schools_in_all) == (Decimal("59445.2"), Decimal("221.8"), Decimal(222))


def test_a_weighted_total_gives_the_published_rate() -> None:
    """2024/25, all schools: the average weighted by census enrolments, and the label says so."""
    found = queries.national("total", 2024)
    assert found is not None
    assert found.rounded("absence", 7) == Decimal("6.8701916")
    assert "Averaged over phases by census enrolments." in found.label


def test_the_accredited_series_is_asked_for_by_name_and_dated_honestly() -> None:
    """Year and term, with severe absence; the day of the copy where the day of publication is not known."""
    year, term = queries.national("total", 2024, series=ACCREDITED), queries.national("total", (2024, "Autumn"), series=ACCREDITED)
    assert year is not None
    assert term is not None
    assert (str(year.rounded("absence")), str(year.rounded("severe"))) == ("6.78", "2.39")
    assert (str(term.rounded("absence")), str(term.rounded("persistent"))) == ("6.38", "17.79")
    assert "accredited census series" in year.label
    assert "copied 17 May 2026" in year.label
    assert [one.term for one in queries.terms(ENGLAND, "total", 2024)] == ["Autumn", "Spring", "Summer"]


def test_what_is_not_offered_says_why() -> None:
    """Persistent absence for a week, severe absence in the daily series, weeks of the accredited series."""
    week, year = queries.national("primary", WEEK_45), queries.national("primary", 2025)
    assert week is not None
    assert year is not None
    with pytest.raises(NotOfferedError, match="not meaningful for a week"):
        week.rate("persistent")
    with pytest.raises(NotOfferedError, match="the accredited census series has"):
        year.rate("severe")
    with pytest.raises(NotOfferedError, match="has no weeks"):
        queries.national("primary", WEEK_45, series=ACCREDITED)


def test_weeks_come_in_order_and_half_term_is_a_gap() -> None:
    """England has no week 44 of 2025; Kent has, and no week 43."""
    england = [one.week.isocalendar()[1] for one in queries.weekly_series(ENGLAND, "total", 2025) if one.week]
    kent = [one.week.isocalendar()[1] for one in queries.weekly_series("886", "primary", 2025) if one.week]
    assert england == [37, 38, 39, 40, 41, 42, 43, 45]
    assert kent == [37, 38, 39, 40, 41, 42, 44, 45]


def test_what_is_suppressed_is_there_without_a_number() -> None:
    """City of London: one school."""
    found = queries.year_to_date("201", "primary", 2025)
    assert found is not None
    assert (found.status, found.rate("absence"), found.rounded("persistent")) == (SUPPRESSED, None, None)
    assert found.why_empty == "Not published: one school alone reports in this area and phase."


def test_nothing_is_published_for_this_year_and_the_portal_says_so() -> None:
    """On 25 November 2026: the latest weeks are last year's."""
    newest = queries.latest()
    assert newest is not None
    assert newest.sentence == "Latest published: 2025/26, weeks 37 to 45 (8 September to 7 November 2025)."
    assert newest.year_to_date_to == date(2026, 7, 10)
    assert queries.national("primary", 2026) is None
    assert queries.national("primary", date(2026, 11, 16)) is None
    assert queries.weekly_series("383", "primary", 2026) == ()


def test_the_same_week_last_year_is_labelled_as_that() -> None:
    """Week 45 of 2026 is set beside week 45 of 2025; week 48 has none yet; week 53 has no match."""
    matched = queries.same_week_last_year(ENGLAND, "primary", date(2026, 11, 2))
    assert matched.benchmark is not None
    assert matched.benchmark.week == WEEK_45
    assert matched.sentence == "Same week last year: week 45 of 2025 (3 to 7 November 2025)."
    later = queries.same_week_last_year(ENGLAND, "primary", date(2026, 11, 23))
    assert later.benchmark is None
    assert later.sentence == (
        "No figure is published for the same week last year, week 48 of 2025 (24 to 28 November 2025). "
        "Latest published: 2025/26, weeks 37 to 45 (8 September to 7 November 2025)."
    )
    assert queries.same_week_last_year(ENGLAND, "primary", date(2026, 12, 28)).sentence.startswith("2025 had no week 53")


def test_a_newer_release_wins_and_the_older_stays_as_at_its_day() -> None:
    """A week is restated: the newest is given, the first can still be asked for."""
    before = queries.national("primary", WEEK_45)
    actions.import_release(week_file(61), name="Week 47 2025", published_on=date(2025, 12, 4))
    now = queries.national("primary", WEEK_45)
    assert now is not None
    assert (now.release, str(now.rounded("absence", 1))) == ("Week 47 2025", "6.1")
    assert queries.national("primary", WEEK_45, as_at=date(2025, 12, 3)) == before
    assert queries.national("primary", WEEK_45, as_at=date(2025, 11, 1)) is None
    assert [one.published_on for one in queries.as_published(ENGLAND, "primary", WEEK_45)] == [
        date(2025, 11, 20),
        date(2025, 12, 4),
    ]


def test_a_week_with_one_day_of_it_does_not_take_the_place_of_the_whole() -> None:
    """A daily file loaded later covers less."""
    header = f"{HEADER},attendance_date"
    row = "2025,Week 45,National,,Primary,10,100,90,90,0,10,10,0,0,100,2025-11-03"
    actions.import_release(f"{header}\n{row}\n".encode(), name="Monday", published_on=date(2026, 1, 8))
    found = queries.national("primary", WEEK_45)
    assert found is not None
    assert found.release != "Monday"


def test_an_authoritys_own_release_is_seen_by_it_alone() -> None:
    """What one authority loads moves nobody else's comparison."""
    here, neighbour = uuid4(), uuid4()
    with unit_of_work(command_line(here)):
        own = actions.import_release(week_file(99, week=46), name="Ours", published_on=date(2025, 12, 4))
        assert queries.national("primary", date(2025, 11, 10)) is not None
        assert queries.release(own) is not None
    with unit_of_work(command_line(neighbour)):
        assert queries.national("primary", date(2025, 11, 10)) is None
        assert queries.release(own) is None
        assert queries.loaded(next(iter(queries.known_hashes()))) is not None
        latest = queries.latest()
        assert latest is not None
        assert latest.last_week == WEEK_45
    with unit_of_work(None):
        assert len(queries.releases()) == 7


def test_the_list_says_what_each_release_covers() -> None:
    """Newest first, periods in words, authorities counted."""
    found = {one.name: one for one in queries.releases()}
    assert len(found) == 7
    assert next(iter(found)).endswith("year to date 2025/26")
    weekly = found["Pupil attendance in schools: weeks 37 to 45, 2025"]
    assert weekly.covers == ("2025/26, weeks 37 to 45, 153 authorities",)
    assert weekly.dated == "published 20 November 2025"
    termly = next(one for name, one in found.items() if "terms" in name)
    assert termly.covers == ("autumn, spring, summer terms of 2018/19, 2020/21 to 2024/25, 153 authorities",)
    assert termly.dated == "copied 17 May 2026"


def test_every_authority_has_a_name_and_every_phase_a_figure() -> None:
    """153 authorities in 2025/26, by three-digit code."""
    for code, phases in {"383": set(PHASES), "857": {"primary", "secondary", "total"}}.items():
        found = {phase for phase in PHASES if queries.year_to_date(code, phase, 2025)}
        assert found == phases
    rutland = queries.year_to_date("857", "primary", 2025)
    assert rutland is not None
    assert rutland.geography_name == "Rutland"
