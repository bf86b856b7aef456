"""Cases about notices: per parent and per child, two in three years, and the doubtful kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rules.casebook.building import Case, Json

if TYPE_CHECKING:
    from collections.abc import Iterator

AMOUNTS = {"first": (80, 160), "second": (160, 160), "not_available": (None, None), "check": (None, None)}
ON = "2026-03-27"


def earlier(
    issued_on: str,
    status: str = "paid",
    *,
    parent: str = "P1",
    child: str = "C1",
    power: str = "s444A",
    by: str = "LA-A",
) -> Json:
    """An earlier notice: by default to parent P1 for child C1, and paid."""
    return {"parent": parent, "child": child, "issued_on": issued_on, "status": status, "power": power, "issued_by": by}


def notice(name: str, previous: list[Json], results: dict[str, str], title: str, why: str = "", on: str = ON) -> Case:
    """A case for the parents named in the results, in that order."""
    question = {
        "id": name,
        "check": "notice",
        "child": "C1",
        "parents": list(results),
        "proposed_issue_date": on,
        "previous_notices": previous,
    }
    answers = [
        {
            "parent": parent,
            "result": result,
            "amount_days_1_to_21": AMOUNTS[result][0],
            "amount_days_22_to_28": AMOUNTS[result][1],
        }
        for parent, result in results.items()
    ]
    return Case(question, {"notices": answers}, title, why)


def guidance() -> Iterator[Case]:
    """The decision cases of the guidance, transcribed."""
    yield notice("P01", [], {"P1": "first", "P2": "first"}, "No earlier notices")
    yield notice("P02", [earlier("2025-01-12")], {"P1": "second", "P2": "first"}, "The count is per parent")
    yield notice("P03", [earlier("2025-01-12", child="C2")], {"P1": "first"}, "An earlier notice for a sibling")
    yield notice(
        "P04",
        [earlier("2025-01-12"), earlier("2025-10-10")],
        {"P1": "not_available", "P2": "first"},
        "Two in three years",
    )
    yield notice("P05", [earlier("2024-07-10")], {"P1": "first"}, "Issued before 19 August 2024")
    yield notice("P06", [earlier("2025-01-12", "withdrawn")], {"P1": "first"}, "Withdrawn never counts")
    yield notice("P07", [earlier("2025-01-12", "prosecuted_guilty")], {"P1": "second"}, "Unpaid and convicted counts")
    yield notice(
        "P08",
        [earlier("2025-01-12", "prosecuted_acquitted")],
        {"P1": "check"},
        "Unpaid and acquitted",
        "First if not counted, second if counted.",
    )


def statuses() -> Iterator[Case]:
    """Each status of a notice, alone and with one and two others."""
    for status in ("outstanding", "paid", "unpaid", "prosecuted_guilty", "withdrawn", "prosecuted_acquitted"):
        alone = {"withdrawn": "first", "prosecuted_acquitted": "check"}.get(status, "second")
        with_one = {"withdrawn": "second", "prosecuted_acquitted": "check"}.get(status, "not_available")
        yield notice(f"N-status-{status}", [earlier("2025-03-03", status)], {"P1": alone}, f"One earlier notice: {status}")
        yield notice(
            f"N-status-{status}-and-paid",
            [earlier("2025-03-03", status), earlier("2025-06-06")],
            {"P1": with_one},
            f"One {status}, one paid",
        )
        yield notice(
            f"N-status-{status}-and-two",
            [earlier("2025-03-03", status), earlier("2025-06-06"), earlier("2025-09-09", "unpaid")],
            {"P1": "not_available"},
            f"One {status}, and two that count",
            "The doubtful make no difference above two.",
        )
    both_doubtful = [earlier("2025-03-03", "prosecuted_acquitted"), earlier("2025-06-06", "prosecuted_acquitted")]
    yield notice("N-two-acquitted", both_doubtful, {"P1": "check"}, "Two acquitted")
    yield notice(
        "N-acquitted-early",
        [earlier("2024-08-18", "prosecuted_acquitted")],
        {"P1": "first"},
        "Acquitted, but before the framework",
    )
    yield notice(
        "N-acquitted-s105",
        [earlier("2025-03-03", "prosecuted_acquitted", power="s105")],
        {"P1": "first"},
        "Acquitted under s105",
    )
    yield notice(
        "N-acquitted-old",
        [earlier("2025-03-03", "prosecuted_acquitted")],
        {"P1": "first"},
        "Acquitted over three years ago",
        on="2028-03-04",
    )


def parents_and_children() -> Iterator[Case]:
    """Each parent and each child is counted separately, for any issuer."""
    yield notice(
        "N-other-parent-two",
        [earlier("2025-01-12", parent="P2"), earlier("2025-10-10", parent="P2")],
        {"P1": "first", "P2": "not_available"},
        "The other parent has had two",
    )
    yield notice(
        "N-one-each",
        [earlier("2025-01-12"), earlier("2025-01-12", parent="P2")],
        {"P1": "second", "P2": "second"},
        "One to each parent on one day",
        "Two notices for the child, one to each parent.",
    )
    yield notice(
        "N-siblings-two",
        [earlier("2025-01-12", child="C2"), earlier("2025-10-10", child="C3")],
        {"P1": "first"},
        "Two for two brothers",
    )
    yield notice(
        "N-sibling-and-child",
        [earlier("2025-01-12", child="C2"), earlier("2025-10-10")],
        {"P1": "second"},
        "One for each child",
    )
    yield notice(
        "N-other-authority",
        [earlier("2025-01-12", by="LA-B"), earlier("2025-10-10", by="a headteacher")],
        {"P1": "not_available"},
        "Issued by another authority and a headteacher",
    )


def powers_and_numbers() -> Iterator[Case]:
    """Other authorities, other powers, and more than two."""
    yield notice(
        "N-order-of-parents",
        [earlier("2025-01-12", parent="P3")],
        {"P3": "second", "P1": "first", "P2": "first"},
        "Three parents",
    )
    yield notice("N-no-parents", [earlier("2025-01-12")], {}, "No parent named")
    yield notice(
        "N-s105-two",
        [earlier("2025-01-12", power="s105"), earlier("2025-10-10", power="s105")],
        {"P1": "first"},
        "Two excluded-pupil notices",
        "A counter of their own.",
    )
    yield notice(
        "N-s105-and-one",
        [earlier("2025-01-12", power="s105"), earlier("2025-10-10")],
        {"P1": "second"},
        "One of each power",
    )
    yield notice(
        "N-three-counted",
        [earlier("2025-01-12"), earlier("2025-10-10"), earlier("2026-01-15")],
        {"P1": "not_available"},
        "Three earlier",
    )


#: Issued on, proposed on, the result, what it shows.
YEARS = (
    ("2024-08-19", "2027-08-18", "second", "The day before the third anniversary"),
    ("2024-08-19", "2027-08-19", "check", "The third anniversary"),
    ("2024-08-19", "2027-08-20", "first", "The day after it"),
    ("2024-08-18", "2024-09-30", "first", "The day before the framework"),
    ("2024-08-19", "2024-09-30", "second", "The first day of the framework"),
    ("2025-01-31", "2028-01-30", "second", "Across a leap year, the day before"),
    ("2025-01-31", "2028-01-31", "check", "Across a leap year, the day"),
    ("2025-01-31", "2028-02-01", "first", "Across a leap year, the day after"),
    ("2025-02-28", "2028-02-28", "check", "28 February to 28 February in a leap year"),
    ("2025-02-28", "2028-02-29", "first", "28 February to 29 February: the day after the anniversary"),
    ("2025-03-01", "2028-02-29", "second", "1 March to 29 February: the day before"),
    ("2025-03-01", "2028-03-01", "check", "1 March to 1 March in a leap year"),
    ("2028-02-29", "2031-02-27", "second", "29 February: the day before the anniversary"),
    ("2028-02-29", "2031-02-28", "check", "29 February: the anniversary is 28 February"),
    ("2028-02-29", "2031-03-01", "first", "29 February: the day after the anniversary"),
    ("2026-03-27", "2026-03-27", "second", "Issued on the proposed date itself"),
    ("2026-03-28", "2026-03-27", "first", "Issued the day after the proposed date"),
    ("2025-09-01", "2028-08-31", "second", "Three years less a day, across academic years"),
    ("2024-12-31", "2027-12-31", "check", "The last day of a year"),
    ("2024-12-31", "2028-01-01", "first", "The first day of a year"),
    ("2025-12-01", "2028-06-01", "second", "Two and a half years, three calendar years on"),
)


def three_years() -> Iterator[Case]:
    """The three years end on the proposed date, that date included. A person decides about the anniversary."""
    for issued, on, result, title in YEARS:
        yield notice(f"N-years-{issued}-{on}", [earlier(issued)], {"P1": result}, title, on=on)


#: The third anniversary of 10 October 2024.
EDGE = "2027-10-10"


def on_the_anniversary() -> Iterator[Case]:
    """A notice on its third anniversary, with others."""
    yield notice(
        "N-edge-and-one",
        [earlier("2024-10-10"), earlier("2026-01-12")],
        {"P1": "check"},
        "One on its anniversary, one inside",
        "Second or not available.",
        on=EDGE,
    )
    yield notice(
        "N-edge-and-two",
        [earlier("2024-10-10"), earlier("2026-01-12"), earlier("2027-01-12")],
        {"P1": "not_available"},
        "One on its anniversary, two inside",
        "It makes no difference.",
        on=EDGE,
    )


def ruled_out_on_the_anniversary() -> Iterator[Case]:
    """The anniversary matters only for a notice that could count."""
    yield notice(
        "N-edge-withdrawn",
        [earlier("2024-10-10", "withdrawn")],
        {"P1": "first"},
        "Withdrawn, on its anniversary",
        on=EDGE,
    )
    yield notice(
        "N-edge-acquitted",
        [earlier("2024-10-10", "prosecuted_acquitted")],
        {"P1": "check"},
        "Acquitted, on its anniversary",
        on=EDGE,
    )
    yield notice(
        "N-edge-s105",
        [earlier("2024-10-10", power="s105")],
        {"P1": "first"},
        "An excluded-pupil notice on its anniversary",
        on=EDGE,
    )
    yield notice(
        "N-edge-sibling",
        [earlier("2024-10-10", child="C2")],
        {"P1": "first"},
        "A sibling's, on its anniversary",
        on=EDGE,
    )


def on_either_side() -> Iterator[Case]:
    """Notices just over three years old, and after the proposed date."""
    yield notice(
        "N-after-three-years",
        [earlier("2024-10-10"), earlier("2026-01-12")],
        {"P1": "second"},
        "The first has passed its three years",
        "Another may be issued once three years have passed.",
        on="2027-10-11",
    )
    yield notice(
        "N-later-ones",
        [earlier("2026-04-01"), earlier("2026-05-01")],
        {"P1": "first"},
        "Two issued after the proposed date",
    )


CASES: tuple[Case, ...] = (
    *guidance(),
    *statuses(),
    *parents_and_children(),
    *powers_and_numbers(),
    *three_years(),
    *on_the_anniversary(),
    *ruled_out_on_the_anniversary(),
    *on_either_side(),
)
