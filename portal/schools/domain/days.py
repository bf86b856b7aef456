"""Days as schools' and term lists write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

DATE_FORMATS = ("%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%d/%m/%y")
YEARS = (1800, 2100)


def day(text: str) -> date:
    """A day as 2025-09-01, 01/09/2025 or 01-09-2025; never month first. A time after it is ignored.

    Raises:
        ValueError: for anything else.
    """
    day_text = text.strip().split("T")[0].split(" ")[0]
    for date_format in DATE_FORMATS:
        try:
            result = datetime.strptime(day_text, date_format).replace(tzinfo=UTC).date()
        except ValueError:
            continue
        if YEARS[0] <= result.year <= YEARS[1]:
            return result
    message = f"{text!r} is not a day we can read."
    raise ValueError(message)
