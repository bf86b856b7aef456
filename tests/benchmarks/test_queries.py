"""Queries of published figures: labels, the newest release, figures as at a day, and gaps."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4

import pytest

from portal.accounts.queries.principals import command_line_scope
from portal.benchmarks import actions, queries
from portal.benchmarks.domain.figures import ACCREDITED, ENGLAND, PHASES, SUPPRESSED, NotOfferedError
from portal.db.work import unit_of_work

pytestmark = pytest.mark.usefixtures("bundled_figures")

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
    figure = queries.benchmark(ENGLAND, phase, 2025)
    assert figure is not None
    assert (str(figure.rounded("absence")), str(figure.rounded("persistent"))) == (absence, persistent)
    assert figure.last_day == date(2026, 7, 10)


def test_a_label_holds_everything_that_must_be_shown() -> None:
    """Series, place, phase, period with its days, release and publication date in one line."""
    figure = queries.benchmark(ENGLAND, "total", 2025)
    assert figure is not None
    assert figure.label == (
        "England, all schools, 2025/26 year to date (8 September 2025 to 10 July 2026): daily attendance series, "
        "Pupil attendance in schools: year to date 2025/26, published 23 July 2026."
    )
    assert figure.possible == 2_445_419_687
    assert figure.rate("absence") == Fraction(100 * 168_324_305, 2_445_419_687)
    assert figure.rate("attendance") + figure.rate("absence") == 100  # type: ignore[operator]  # both are published
    assert figure.rounded("attendance", 5) == Decimal("93.11675")
    assert figure.rounded("I", 3) == Decimal("3.210")


def test_enrolments_keep_the_digits_of_the_file() -> None:
    """Means over days are fractional, and no digit is changed."""
    figure = queries.benchmark("383", "primary", date(2025, 9, 8))
    assert figure is not None
    assert (figure.enrolments, figure.schools, figure.schools_in_all) == (Decimal("59445.2"), Decimal("221.8"), Decimal(222))


def test_a_weighted_total_gives_the_published_rate() -> None:
    """2024/25, all schools: the average weighted by census enrolments, and the label says so."""
    figure = queries.benchmark(ENGLAND, "total", 2024)
    assert figure is not None
    assert figure.rounded("absence", 7) == Decimal("6.8701916")
    assert "Averaged over phases by census enrolments." in figure.label


def test_the_accredited_series_says_when_it_was_copied() -> None:
    """Year and term, with severe absence; the day of the copy where the publication date is not known."""
    year, term = (
        queries.benchmark(ENGLAND, "total", 2024, series=ACCREDITED),
        queries.benchmark(ENGLAND, "total", (2024, "Autumn"), series=ACCREDITED),
    )
    assert year is not None
    assert term is not None
    assert (str(year.rounded("absence")), str(year.rounded("severe"))) == ("6.78", "2.39")
    assert (str(term.rounded("absence")), str(term.rounded("persistent"))) == ("6.38", "17.79")
    assert "accredited census series" in year.label
    assert "copied 17 May 2026" in year.label


def test_a_figure_that_is_not_offered_says_why() -> None:
    """Persistent absence for a week, severe absence in the daily series, weeks of the accredited series."""
    week, year = queries.benchmark(ENGLAND, "primary", WEEK_45), queries.benchmark(ENGLAND, "primary", 2025)
    assert week is not None
    assert year is not None
    with pytest.raises(NotOfferedError, match="not meaningful for a week"):
        week.rate("persistent")
    with pytest.raises(NotOfferedError, match="the accredited census series has"):
        year.rate("severe")
    with pytest.raises(NotOfferedError, match="has no weeks"):
        queries.benchmark(ENGLAND, "primary", WEEK_45, series=ACCREDITED)


def test_weeks_are_in_order_and_half_term_is_a_gap() -> None:
    """England has no week 44 of 2025; Kent has, and no week 43."""
    england = [figure.week.isocalendar()[1] for figure in queries.weekly_series(ENGLAND, "total", 2025) if figure.week]
    kent = [figure.week.isocalendar()[1] for figure in queries.weekly_series("886", "primary", 2025) if figure.week]
    assert england == [37, 38, 39, 40, 41, 42, 43, 45]
    assert kent == [37, 38, 39, 40, 41, 42, 44, 45]


def test_a_suppressed_figure_has_no_number() -> None:
    """City of London: one school."""
    figure = queries.year_to_date("201", "primary", 2025)
    assert figure is not None
    assert (figure.status, figure.rate("absence"), figure.rounded("persistent")) == (SUPPRESSED, None, None)
    assert figure.why_empty == "Not published: one school alone reports in this area and phase."


def test_a_year_without_figures_is_empty_and_the_latest_week_is_last_years() -> None:
    """On 25 November 2026: the latest weeks are last year's."""
    newest = queries.latest()
    assert newest is not None
    assert newest.sentence == "Latest published: 2025/26, weeks 37 to 45 (8 September to 7 November 2025)."
    assert newest.year_to_date_to == date(2026, 7, 10)
    assert queries.benchmark(ENGLAND, "primary", 2026) is None
    assert queries.benchmark(ENGLAND, "primary", date(2026, 11, 16)) is None
    assert queries.weekly_series("383", "primary", 2026) == ()


def test_the_same_week_last_year_is_labelled() -> None:
    """Week 45 of 2026 has a match in 2025. Week 48 has none, and week 53 does not exist."""
    weeks = date(2026, 11, 2), date(2026, 11, 23), date(2026, 12, 28)
    matched, later, none = queries.same_weeks_last_year(ENGLAND, "primary", weeks).values()
    assert matched.benchmark is not None
    assert matched.benchmark.week == WEEK_45
    assert matched.sentence == "Same week last year: week 45 of 2025 (3 to 7 November 2025)."
    assert later.benchmark is None
    assert later.sentence == (
        "No figure is published for the same week last year, week 48 of 2025 (24 to 28 November 2025). "
        "Latest published: 2025/26, weeks 37 to 45 (8 September to 7 November 2025)."
    )
    assert (none.matched, none.benchmark) == (None, None)
    assert none.sentence.startswith("2025 had no week 53")


def test_a_newer_release_wins_and_the_older_remains_as_at_its_day() -> None:
    """A week is revised: the newest figure is given, and the first can still be asked for."""
    before = queries.benchmark(ENGLAND, "primary", WEEK_45)
    actions.import_release(week_file(61), name="Week 47 2025", published_on=date(2025, 12, 4))
    current = queries.benchmark(ENGLAND, "primary", WEEK_45)
    assert current is not None
    assert (current.release, str(current.rounded("absence", 1))) == ("Week 47 2025", "6.1")
    assert queries.benchmark(ENGLAND, "primary", WEEK_45, as_at=date(2025, 12, 3)) == before
    assert queries.benchmark(ENGLAND, "primary", WEEK_45, as_at=date(2025, 11, 1)) is None


def test_a_week_of_one_day_does_not_replace_the_whole_week() -> None:
    """A daily file loaded later covers less."""
    header = f"{HEADER},attendance_date"
    row = "2025,Week 45,National,,Primary,10,100,90,90,0,10,10,0,0,100,2025-11-03"
    actions.import_release(f"{header}\n{row}\n".encode(), name="Monday", published_on=date(2026, 1, 8))
    figure = queries.benchmark(ENGLAND, "primary", WEEK_45)
    assert figure is not None
    assert figure.release != "Monday"


def test_an_authoritys_own_release_is_seen_by_it_alone() -> None:
    """A release that one authority loads changes no other authority's comparison."""
    authority, neighbour = uuid4(), uuid4()
    with unit_of_work(command_line_scope(authority)):
        own = actions.import_release(week_file(99, week=46), name="Ours", published_on=date(2025, 12, 4))
        assert queries.benchmark(ENGLAND, "primary", date(2025, 11, 10)) is not None
        assert queries.release(own) is not None
    with unit_of_work(command_line_scope(neighbour)):
        assert queries.benchmark(ENGLAND, "primary", date(2025, 11, 10)) is None
        assert queries.release(own) is None
        assert queries.release_with_hash(next(iter(queries.hashes_everyone_sees()))) is not None
        latest = queries.latest()
        assert latest is not None
        assert latest.last_week == WEEK_45
    with unit_of_work(None):
        assert len(queries.releases()) == 7


def test_the_list_says_what_each_release_covers() -> None:
    """Newest first, periods in words, authorities counted."""
    by_name = {release.name: release for release in queries.releases()}
    assert len(by_name) == 7
    assert next(iter(by_name)).endswith("year to date 2025/26")
    weekly = by_name["Pupil attendance in schools: weeks 37 to 45, 2025"]
    assert weekly.covers == ("2025/26, weeks 37 to 45, 153 authorities",)
    assert weekly.dated == "published 20 November 2025"
    termly = next(release for name, release in by_name.items() if "terms" in name)
    assert termly.covers == ("autumn, spring, summer terms of 2018/19, 2020/21 to 2024/25, 153 authorities",)
    assert termly.dated == "copied 17 May 2026"


def test_every_authority_has_a_name_and_every_phase_a_figure() -> None:
    """153 authorities in 2025/26, by three-digit code."""
    for code, phases in {"383": set(PHASES), "857": {"primary", "secondary", "total"}}.items():
        published = {phase for phase in PHASES if queries.year_to_date(code, phase, 2025)}
        assert published == phases
    rutland = queries.year_to_date("857", "primary", 2025)
    assert rutland is not None
    assert rutland.geography_name == "Rutland"
