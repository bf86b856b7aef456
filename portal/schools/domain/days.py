"""Days as schools' and term lists write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from portal.tabular.written_times import day_in_london, split_time

DATE_FORMATS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%d/%m/%y")
YEARS = (1800, 2100)


def day(text: str) -> date:
    """A day as 2025-09-01, 01/09/2025 or 01-09-2025; never month first. With a time after it, the day in London.

    Raises:
        ValueError: for anything else.
    """
    day_text, time = split_time(text.strip())
    for date_format in DATE_FORMATS:
        try:
            result = datetime.strptime(day_text, date_format).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if YEARS[0] <= result.year <= YEARS[1]:
            return day_in_london(result, time) if time else result
    message = f"{text!r} is not a day we can read."
    raise ValueError(message)
