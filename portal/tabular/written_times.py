"""A time of day written after a date, with or without a zone. The day meant is the day in London."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

from portal.platform.clock import LONDON

if TYPE_CHECKING:
    from datetime import tzinfo

#: The longest text that may be a date with a time and a zone.
LONGEST = 64
LAST_HOUR = 23
HALF_A_MINUTE = timedelta(seconds=30)
#: Zones by name. A reader that may open no file cannot look others up.
ZONES: dict[str, tzinfo] = {
    "z": UTC,
    "utc": UTC,
    "gmt": UTC,
    "etc/utc": UTC,
    "bst": timezone(timedelta(hours=1)),
    "europe/london": LONDON,
}
_TIME = re.compile(
    r"(?:T|[ ,] ?)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?: ?(?P<half>[AP])\.?M\.?)?(?: ?(?P<zone>[+-]\d{2}(?::?\d{2})?|[A-Z]{1,6}(?:/[A-Z_]{1,20})?))?$",
    re.IGNORECASE,
)


class NearMidnightError(ValueError):
    """The time is in the last hour of a day: often a midnight whose zone was lost."""


def split_time(text: str) -> tuple[str, re.Match[str] | None]:
    """Split a text into what stands before a time of day, and the time."""
    match = _TIME.search(text) if len(text) <= LONGEST and ":" in text else None
    return (text[: match.start()], match) if match else (text, None)


def day_in_london(on: date, written: re.Match[str]) -> date:
    """The day in London of a date and the time written after it.

    Half a minute before midnight is midnight, because a spreadsheet stores a time as a fraction of a day.

    Raises:
        NearMidnightError: for a time in the last hour, whose day cannot be told.
        ValueError: for no time of day, or an unknown zone.
    """
    hour = int(written["hour"])
    if written["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(written[0])
        hour = hour % 12 + (12 if written["half"] in "Pp" else 0)
    microseconds = int((written["fraction"] or "").ljust(6, "0")[:6])
    moment = datetime.combine(on, time(hour, int(written["minute"]), int(written["second"] or 0), microseconds))
    if written["zone"]:
        moment = moment.replace(tzinfo=_zone(written["zone"])).astimezone(LONDON).replace(tzinfo=None)
    return day_of_moment(moment)


def day_of_moment(moment: datetime) -> date:
    """The day of a moment without a zone, as `day_in_london` says.

    Raises:
        NearMidnightError: for a time in the last hour, whose day cannot be told.
    """
    to_the_minute = moment + HALF_A_MINUTE
    if to_the_minute.date() == moment.date() and moment.hour == LAST_HOUR:
        raise NearMidnightError(moment.isoformat())
    return to_the_minute.date()


def _zone(name: str) -> tzinfo:
    if name[0] in "+-":
        minutes = int(name[1:3]) * 60 + int(name[3:].lstrip(":") or 0)
        return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))
    if name.casefold() not in ZONES:
        raise ValueError(name)
    return ZONES[name.casefold()]
