"""Reading published files: every odd form is read, or rejected with its row, column and value."""

from __future__ import annotations

import gzip
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.benchmarks.domain.figures import (
    ACCREDITED,
    DAILY,
    ENGLAND,
    PUBLISHED,
    SUPPRESSED,
    TERM,
    UNAVAILABLE,
    WEEK,
    YEAR,
    YEAR_TO_DATE,
)
from portal.benchmarks.domain.reading import Release, read_release
from tests.abuse.archives import archive, stored
from tests.benchmarks.support import HEADER, ROW, changed, read, sample, sentences
from tests.uploads.reading.support import workbook


def test_a_weekly_row_is_read_with_its_week_place_and_counts() -> None:
    """One row gives one figure, its mean of schools still a fraction."""
    figure = read(ROW).figures.iloc[0]
    assert (figure["level"], figure["geography"], figure["geography_name"]) == ("authority", "383", "Leeds")
    assert figure["phase"] == "primary"
    assert (figure["period_kind"], figure["academic_year"], figure["week"]) == (WEEK, 2025, date(2025, 9, 8))
    assert (figure["first_day"], figure["last_day"]) == (date(2025, 9, 8), date(2025, 9, 12))
    assert (figure["possible"], figure["schools"], figure["code U"]) == (564953, 221.8, 789)


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("a byte order mark", b"\xef\xbb\xbf" + f"{HEADER}\n{ROW}\n".encode()),
        ("UTF-16", f"{HEADER}\n{ROW}\n".encode("utf-16")),
        ("carriage returns", f"{HEADER}\r{ROW}\r".encode()),
        ("both line ends", f"{HEADER}\r\n{ROW}\r\n\r\n".encode()),
        (
            "quoted values",
            (
                ",".join(f'"{column}"' for column in HEADER.split(","))
                + "\n"
                + ",".join(f'"{column}"' for column in ROW.split(","))
            ).encode(),
        ),
        ("padded values", f"{HEADER}\n{ROW.replace(',383,', ',  383  ,')}\n".encode()),
        ("an unnamed index column", f'"",{HEADER}\n1,{ROW}\n'.encode()),
        ("gzip", gzip.compress(f"{HEADER}\n{ROW}\n".encode())),
        ("capital letters in the header", f"{HEADER.upper()}\n{ROW}\n".encode()),
    ],
)
def test_every_form_of_file_gives_the_same_figure(form: str, content: bytes) -> None:
    """Encodings, line ends, quoting and padding change nothing."""
    release = read_release(content, published_on=date(2025, 11, 20))
    assert not release.problems, form
    assert release.figures.iloc[0][["geography", "possible", "code L"]].tolist() == ["383", 564953, 4866]


def test_old_and_new_column_names_mean_the_same() -> None:
    """school_type became education_phase, and grt became mobile child."""
    old = HEADER.replace("education_phase", "school_type") + ",reason_t_authorised_grt_absence"
    new = HEADER + ",reason_t_authorised_mobile_child"
    for header in (old, new):
        release = read(f"{ROW},12", header=header)
        assert not release.problems
        assert release.figures.iloc[0][["phase", "code T"]].tolist() == ["primary", 12]
        assert not release.unknown_columns


def test_an_unknown_column_is_reported_and_not_loaded() -> None:
    """An unknown column is not taken for a count."""
    release = read(f"{ROW},99", header=f"{HEADER},sessions_on_mars")
    assert release.unknown_columns == ("sessions_on_mars",)
    assert "sessions_on_mars" in release.notes[0]
    assert not any("mars" in str(column) for column in release.figures.columns)


@pytest.mark.parametrize(
    ("written", "academic_year", "monday"),
    [
        (("2025", "Week 37"), 2025, date(2025, 9, 8)),
        (("202526", "Week 37"), 2025, date(2025, 9, 8)),
        (("202526", "Week 2"), 2025, date(2026, 1, 5)),
        (("2026", "Week 1"), 2025, date(2025, 12, 29)),
    ],
)
def test_both_forms_of_time_period_give_the_week(written: tuple[str, str], academic_year: int, monday: date) -> None:
    """2025 with Week 37 is the calendar year of the week; 202526 the academic year."""
    figure = read(changed(time_period=written[0], time_identifier=written[1]), published_on=date(2026, 7, 23)).figures.iloc[0]
    assert (figure["academic_year"], figure["week"]) == (academic_year, monday)


def test_a_week_that_does_not_exist_is_named() -> None:
    """2025 has 52 weeks."""
    assert "Row 2, column time_period and time_identifier: “2025 Week 53” is not a week of 2025" in sentences(
        read(changed(time_identifier="Week 53"))
    )


@pytest.mark.parametrize(
    ("symbol", "status"), [("c", SUPPRESSED), ("x", UNAVAILABLE), ("z", UNAVAILABLE), ("low", UNAVAILABLE), ("", UNAVAILABLE)]
)
def test_a_symbol_is_a_status_and_never_0(symbol: str, status: str) -> None:
    """Counts published as symbols have no number."""
    counts = [
        column
        for column in HEADER.split(",")
        if "sessions" in column or "absence" in column or "attendance" in column or "_late_" in column
    ]
    figure = read(changed(**dict.fromkeys([*counts, "approved_educational_activity"], symbol))).figures.iloc[0]
    assert figure["status"] == status
    assert figure[["possible", "absence", "code L"]].isna().all()
    assert figure["symbols"]["possible"] == (symbol or "x")


def test_one_symbol_among_numbers_is_remembered() -> None:
    """A reason that rounds to nothing is low, not nothing."""
    figure = read(changed(late_sessions="low", reason_l_present_late_before_registers_closed="low")).figures.iloc[0]
    assert figure["status"] == PUBLISHED
    assert figure["symbols"] == {"late": "low", "code L": "low"}


@pytest.mark.parametrize("value", ["n0", "=1+1", "inf", "1e400", "--5", "C1", "12 000", "nan", '"12,5"'])
def test_a_value_that_is_no_number_is_named_with_row_and_column(value: str) -> None:
    """Row, column and value, and what it may be."""
    release = read(ROW, changed(la_name="Leeds again", late_sessions=value))
    assert f"Row 3, column late_sessions: “{value.strip(chr(34))}” is not a number, c, x, z or low" in sentences(release)


@pytest.mark.parametrize(("value", "why"), [("-1", "is below 0"), ("5655.5", "is not a whole number of sessions or pupils")])
def test_a_count_is_whole_and_not_negative(value: str, why: str) -> None:
    """Sessions are counted, not measured."""
    assert f"“{value}” {why}" in sentences(read(changed(late_sessions=value)))


def test_thousands_and_r_exponents_are_numbers() -> None:
    """1e+05 is how R writes 100000."""
    figure = read(
        changed(
            possible_sessions="1e+05",
            overall_attendance='"90,000"',
            overall_absence="10000",
            authorised_absence="6000",
            unauthorised_absence="4000",
            present_sessions="90000",
            approved_educational_activity="0",
            enrolments="10000",
        )
    ).figures.iloc[0]
    assert figure[["possible", "attendance"]].tolist() == [100000, 90000]


def test_a_new_nine_character_code_is_the_same_authority() -> None:
    """Sheffield and Barnsley changed code in 2025; their three digits did not, and neither does the key."""
    rows = [
        changed(new_la_code=gss, old_la_code=code) for gss, code in (("E08000039", "373"), ("E08000019", "373"), ("E08000038", "z"))
    ]
    frames = read(*rows[:1]).figures, read(*rows[1:2]).figures, read(*rows[2:]).figures
    assert [frame.iloc[0]["geography"] for frame in frames] == ["373", "373", "370"]


def test_an_unknown_authority_is_named() -> None:
    """Neither code leads anywhere."""
    assert "“Q9” is not the three-digit code of a local authority" in sentences(read(changed(new_la_code="E0", old_la_code="Q9")))


def test_a_new_authority_is_loaded_with_its_published_name() -> None:
    """Authorities are made by law now and then; the file may be newer than the portal."""
    figure = read(changed(new_la_code="E06000099", old_la_code="948", la_name="Newshire")).figures.iloc[0]
    assert figure[["geography", "geography_name"]].tolist() == ["948", "Newshire"]


def test_rows_that_are_no_benchmark_are_left_out_and_counted() -> None:
    """Schools, other phases and breakdowns are not published totals; rows in are figures and rows left out."""
    header = f"{HEADER},characteristic"
    rows = [
        f"{ROW},Total",
        f"{changed(education_phase='Pupil referral unit')},Total",
        f"{changed(geographic_level='School')},Total",
        f"{ROW},FSM eligible",
    ]
    release = read(*rows, header=header)
    assert not release.problems
    assert (release.rows, len(release.figures), release.left_out) == (4, 1, 3)
    assert len(release.notes) == 3


def test_a_repeated_row_is_rejected_by_row() -> None:
    """The same place, phase and period twice would be counted twice, or chosen by chance."""
    release = read(ROW, ROW)
    assert sentences(release).startswith("Row 3: Leeds, primary schools: the same place, phase and period is in an earlier row.")


def test_short_and_long_rows_are_rejected_by_row() -> None:
    """A row cut off is a file cut off."""
    assert sentences(read(ROW, ROW.rsplit(",", 3)[0])) == (
        "Row 3: The row has 17 values and the header has 20. Download the file again."
    )
    assert "Row 2" in sentences(read(f"{ROW},7"))
    assert not read(f"{ROW},,").problems


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (archive(stored("data.csv", b"a,b")), "This file is compressed (.zip). Unpack it"),
        (workbook({"Data": [["a", "b"], [1, 2]]}), "This is not a CSV file. Save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "This is an old kind of workbook (.xls)."),
        (b"\x1f\x8bnot gzip", "The file is damaged."),
        (b"a,b\n1,2", "The file is not a data file of Pupil attendance in schools"),
        (HEADER.encode(), "The file has no rows under its column names."),
        (b"a,b\n1,\x00", "Row 2: The row has signs that are not text."),
        (f"{HEADER},{HEADER}\n{ROW},{ROW}".encode(), "is the name of two columns"),
        (
            f'{HEADER}\n{ROW}\n"unclosed'.encode(),
            "Row 3: The row has a cell that is too long, or a quotation mark that is never closed",
        ),
    ],
)
def test_a_file_that_is_no_release_is_rejected_with_a_reason(content: bytes, sentence: str) -> None:
    """Nothing raises: the problem is the answer, and it says what to do."""
    assert sentence in sentences(read_release(content))


def test_limits_hold_before_parsing() -> None:
    """Unpacking stops at the limit, and too many columns are not read."""
    bomb = gzip.compress(b"0" * 60_000_000)
    assert len(bomb) < 100_000
    assert sentences(read_release(bomb)).startswith("The file is larger than 50 MB.")
    assert "Row 1: The row has more than 250 columns." in sentences(read_release(",".join(["a"] * 300).encode() + b"\n1"))


@given(st.binary(max_size=400))
def test_reading_any_bytes_never_raises(content: bytes) -> None:
    """Any upload gets an answer."""
    assert read_release(content).problems


@settings(max_examples=20)
@given(st.text(max_size=20))
def test_reading_any_cell_never_raises(value: str) -> None:
    """Any text in a cell gets an answer."""
    cell = '"' + value.replace('"', '""') + '"'
    release = read(changed(la_name=cell, late_sessions=cell, time_identifier=cell))
    assert isinstance(release, Release)


# The samples


def test_sample_without_a_header() -> None:
    """It is rejected with a reason, not read by position."""
    assert "The first row holds figures, not column names." in sentences(sample("no_header_byte_order_mark.csv"))


def test_sample_with_two_forms_of_date_in_one_row() -> None:
    """2022-09-14T00:00:00.000Z beside 12/09/2022: the week is read, and kinds of school outside the figures left out."""
    release = sample("mixed_dates_in_one_row.csv")
    assert not release.problems
    assert (release.rows, release.left_out, len(release.figures)) == (11, 2, 9)
    assert set(release.figures["week"]) == {date(2022, 9, 12)}
    wight = release.figures[release.figures["geography"] == "921"].iloc[0]
    assert wight[["possible", "absence", "code /", "code \\", "code F"]].tolist() == [11985, 498, 5649, 5738, 0]
    assert (wight["first_day"], wight["last_day"]) == (date(2022, 9, 14), date(2022, 9, 14))


def test_sample_of_a_national_closure() -> None:
    """19 September 2022 is in no published figure."""
    release = sample("national_closure_day.csv")
    assert "nothing to load" in sentences(release)
    assert any("19 September 2022, the state funeral" in note for note in release.notes)


def test_sample_with_carriage_returns_and_the_names_of_2016() -> None:
    """The accredited series of 2015/16: six half terms are a year, and a point means not available."""
    release = sample("carriage_return_line_ends.csv")
    assert not release.problems
    camden = release.figures[release.figures["geography"] == "202"].iloc[0]
    assert (camden["period_kind"], camden["academic_year"]) == (YEAR, 2015)
    assert camden[["possible", "authorised", "pa_count", "code G"]].tolist() == [6395438, 254664, 2186, 10593]
    assert camden["symbols"] == {"code F": "x"}


def test_sample_with_every_number_quoted() -> None:
    """A daily file of one day is its week so far."""
    release = sample("quoted_numbers.csv")
    assert not release.problems
    leeds = release.figures[release.figures["geography"] == "383"].iloc[0]
    assert leeds[["possible", "enrolments", "week"]].tolist() == [110910, 58317, date(2025, 9, 8)]
    assert any("its days are added up" in note for note in release.notes)


def test_sample_with_percentages_only() -> None:
    """No counts, no benchmark: a rate without its sessions cannot be summed."""
    assert "no columns of possible sessions" in sentences(sample("percentages_only.csv"))


def test_sample_of_suppressed_rows() -> None:
    """Four rows of c: places and phases are there, numbers are not."""
    release = sample("suppressed_rows.csv")
    assert not release.problems
    assert set(release.figures["status"]) == {SUPPRESSED}
    assert set(release.figures["period_kind"]) == {YEAR_TO_DATE}
    assert release.figures["possible"].isna().all()
    assert set(release.figures["schools"]) == {1}
    assert any("taken as 10 July 2026" in note for note in release.notes)


def test_sample_of_test_figures_once_published() -> None:
    """14 billion sessions for 7 million pupils: rejected completely, the impossible total first."""
    release = sample("test_figures_unnamed_column.csv")
    assert str(release.problems[0]).startswith(
        "Row 2, column possible sessions: “14,169,670,485” sessions are more than the pupils"
    )
    assert "is not the sum of overall attendance and overall absence" in sentences(release)


def test_sample_of_another_publication() -> None:
    """A Windows-1252 apostrophe is read, and the file is still not one of these series."""
    assert "is not a data file of" in sentences(sample("windows_1252_apostrophe.csv"))


def test_windows_1252_is_read() -> None:
    """A curly apostrophe in a name does not stop a file."""
    content = f"{HEADER}\n{changed(old_la_code='949', new_la_code='E06000098', la_name='King’s Lynn')}".encode("cp1252")
    assert read_release(content).figures.iloc[0]["geography_name"] == "King’s Lynn"


def test_the_accredited_series_as_published_is_read() -> None:
    """The column names of the Department's own absence files, by term."""
    header = (
        "time_period,time_identifier,geographic_level,country_code,country_name,region_code,region_name,old_la_code,new_la_code,la_name,"
        "education_phase,num_schools,enrolments,sess_possible,sess_overall,sess_authorised,sess_unauthorised,sess_overall_percent,"
        "enrolments_pa_10_exact,enrolments_pa_50_exact,sess_auth_illness,sess_unauth_holiday,sess_possible_pa_10_exact"
    )
    row = "202425,Autumn term,National,E92000001,England,,,,,,Total,21000,100,12000,700,500,200,5.83333,20,2,300,50,9"
    release = read(row, header=header, published_on=date(2025, 10, 23))
    assert not release.problems
    assert (release.series, release.unknown_columns) == (ACCREDITED, ())
    figure = release.figures.iloc[0]
    assert (figure["period_kind"], figure["term"], figure["geography"]) == (TERM, "Autumn", ENGLAND)
    assert figure[["pa_count", "sa_count", "code I", "code G"]].tolist() == [20, 2, 300, 50]
    assert (figure["first_day"], figure["last_day"]) == (date(2024, 8, 1), date(2024, 12, 31))


def test_five_half_terms_are_another_series() -> None:
    """Figures to 2011/12 leave half of the summer term out."""
    header = (
        "time_period,time_identifier,geographic_level,old_la_code,education_phase,enrolments,sess_possible,sess_overall,"
        "sess_authorised,sess_unauthorised"
    )
    release = read("201112,Five half terms,National,,Total,1,1,0,0,0", header=header)
    assert release.series == ACCREDITED != DAILY
    assert "five half terms, an older series" in sentences(release)


def test_summer_2024_25_persistent_absence_is_left_out() -> None:
    """The termly file of that summer repeats the year before's share."""
    release = read(
        changed(time_period="202425", time_identifier="Summer term") + ",23.98",
        header=f"{HEADER},pa_perc",
        published_on=date(2025, 8, 7),
    )
    assert not release.problems
    assert release.figures["rate persistent"].isna().all()
    assert any("summer 2024/25" in note for note in release.notes)
