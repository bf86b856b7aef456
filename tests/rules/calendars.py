"""Easter and the bank holidays of England worked out in a second way, to check the table against."""

from __future__ import annotations

from datetime import date, timedelta

ONE_DAY = timedelta(days=1)

#: Proclaimed once, so no rule gives them: VE Day's fiftieth and seventy-fifth anniversaries (1995, 2020), the millennium
#: (1999), the Golden, Diamond and Platinum Jubilees (2002, 2012, 2022), a royal wedding (2011), the State Funeral of Queen
#: Elizabeth II (2022), the Coronation of King Charles III (2023).
EXTRA_HOLIDAYS = (
    "1995-05-08", "1999-12-31", "2002-06-03", "2002-06-04", "2011-04-29", "2012-06-04", "2012-06-05",
    "2020-05-08", "2022-06-02", "2022-06-03", "2022-09-19", "2023-05-08",
)  # fmt: skip
#: The early May or spring bank holidays that these replaced.
MOVED_HOLIDAYS = ("1995-05-01", "2002-05-27", "2012-05-28", "2020-05-04", "2022-05-30")


def day(text: str) -> date:
    """A date from the document."""
    year, month, of_month = text.split("-")
    return date(int(year), int(month), int(of_month))


def easter(year: int) -> date:
    """Easter Sunday by Oudin's method (1940)."""
    golden, century = year % 19, year // 100
    moon = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    moon = moon - (moon // 28) * (1 - (moon // 28) * (29 // (moon + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    offset = moon - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))


def bank_holidays(year: int) -> set[date]:
    """The year's bank holidays in England. Substitutes are found by walking forward day by day."""
    mondays_in_may = [date(year, 5, n) for n in range(1, 32) if date(year, 5, n).isoweekday() == 1]
    mondays_in_august = [date(year, 8, n) for n in range(1, 32) if date(year, 8, n).isoweekday() == 1]
    holidays = {easter(year) - 2 * ONE_DAY, easter(year) + ONE_DAY, mondays_in_may[0], mondays_in_may[-1]}
    holidays.add(mondays_in_august[-1])
    for fixed in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        if fixed.isoweekday() < 6:
            holidays.add(fixed)
    for fixed in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        if fixed.isoweekday() >= 6:
            substitute = fixed
            while substitute.isoweekday() >= 6 or substitute in holidays:
                substitute += ONE_DAY
            holidays.add(substitute)
    holidays |= {day(text) for text in EXTRA_HOLIDAYS if day(text).year == year}
    return holidays - {day(text) for text in MOVED_HOLIDAYS}
