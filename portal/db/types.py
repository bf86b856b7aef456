"""Kinds of column: each says whether it holds personal data, and `tests/architecture` reads every one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from sqlalchemy import (
    DateTime,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import mapped_column
from sqlalchemy.types import Date

PERSONAL: dict[str, Any] = {"personal": True}
NOT_PERSONAL: dict[str, Any] = {"personal": False}

#: Kinds of column. Every column says whether it holds personal data; `tests/architecture` walks them all.
Id = Annotated[UUID, mapped_column(Uuid, primary_key=True, default=uuid4, info=NOT_PERSONAL)]
IdRef = Annotated[UUID, mapped_column(Uuid, info=NOT_PERSONAL)]
OptionalIdRef = Annotated[UUID | None, mapped_column(Uuid, info=NOT_PERSONAL)]
Str = Annotated[str, mapped_column(Text, info=NOT_PERSONAL)]
OptionalStr = Annotated[str | None, mapped_column(Text, info=NOT_PERSONAL)]
PersonalStr = Annotated[str, mapped_column(Text, info=PERSONAL)]
OptionalPersonalStr = Annotated[str | None, mapped_column(Text, info=PERSONAL)]
Int = Annotated[int, mapped_column(info=NOT_PERSONAL)]
OptionalInt = Annotated[int | None, mapped_column(info=NOT_PERSONAL)]
Bool = Annotated[bool, mapped_column(info=NOT_PERSONAL)]
Day = Annotated[date, mapped_column(Date, info=NOT_PERSONAL)]
OptionalDay = Annotated[date | None, mapped_column(Date, info=NOT_PERSONAL)]
PersonalDay = Annotated[date, mapped_column(Date, info=PERSONAL)]
Instant = Annotated[datetime, mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)]
OptionalInstant = Annotated[datetime | None, mapped_column(DateTime(timezone=True), info=NOT_PERSONAL)]
JsonDict = Annotated[dict[str, Any], mapped_column(JSONB, info=NOT_PERSONAL)]
