"""Retention: what each capability keeps for how long, and how many rows are past it. Nothing is deleted here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import DateTime, and_, func, select

from portal.db.tables import Owned
from portal.db.work import tx
from portal.platform.capability import KeptAsSet, KeptFor, KeptWith, declared
from portal.platform.clock import LONDON
from portal.platform.subject_access import models_by_table
from portal.rules.explanations import pluralise
from portal.rules.retention import first_day_kept

if TYPE_CHECKING:
    from datetime import date

    from portal.db.tables import Base
    from portal.platform.capability import Retention


@dataclass(frozen=True, slots=True)
class DueRows:
    """A table's retention in words, and how many of its rows are past it. None where that is not counted by itself."""

    table: str
    period: str
    rule: str
    due: int | None


def due_rows(today: date) -> list[DueRows]:
    """The retention of every table that declares one, with what is due in the scope."""
    models = models_by_table()
    retentions = sorted((row for capability in declared() for row in capability.retention), key=lambda row: row.table)
    return [DueRows(row.table, period_in_words(row), row.rule, _count_due(row, models[row.table], today)) for row in retentions]


def period_in_words(retention: Retention) -> str:
    """How long rows are kept, as a data protection officer reads it."""
    match retention.period:
        case KeptFor(years=years, since=since):
            return f"{pluralise(years, 'year')} from {since}"
        case KeptAsSet(setting=setting, since=since):
            return f"as the authority sets ({setting}), from {since}"
        case KeptWith(table=table):
            return f"as long as its {table}"
        case _:
            return "for good"


def _count_due(retention: Retention, model: type[Base], today: date) -> int | None:
    period = retention.period
    if not isinstance(period, KeptFor) or not issubclass(model, Owned):
        return None
    column = model.__table__.columns[period.since]
    first_kept = first_day_kept(today, period.years)
    limit = datetime.combine(first_kept, time(), LONDON) if isinstance(column.type, DateTime) else first_kept
    return tx().scalar(select(func.count()).select_from(model).where(and_(column.is_not(None), column < limit))) or 0
