"""Tables of pupils: pupils, parents and carers, roll lines, characteristics and possible duplicates."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import (
    NOT_PERSONAL,
    PERSONAL,
    Day,
    Flag,
    Id,
    Instant,
    MaybeDay,
    MaybeInstant,
    MaybePrivate,
    MaybeRef,
    MaybeWord,
    Number,
    Owned,
    Private,
    PrivateDay,
    Ref,
    Word,
    within,
)

#: The groups whose attendance is followed, each with its own permission and its own read audit.
CHARACTERISTICS = (
    "sen_provision",
    "sen_need",
    "fsm",
    "looked_after",
    "child_in_need",
    "child_protection_plan",
    "young_carer",
    "pregnant_or_parent",
)

#: Characteristics as screens name them.
CHARACTERISTIC_NAMES = {
    "sen_provision": "Special educational needs support",
    "sen_need": "Special educational need",
    "fsm": "Free school meals",
    "looked_after": "Looked after",
    "child_in_need": "Child in need",
    "child_protection_plan": "Child protection plan",
    "young_carer": "Young carer",
    "pregnant_or_parent": "Pregnant or a parent",
}

#: The codes pupil lists use for values, in words (DfE common basic data set). An unknown code is shown as it is.
VALUE_NAMES = {
    "Y": "Yes",
    "P": "Yes, said by a parent or carer",
    "S": "Yes, identified by the school",
    "E": "Education, health and care plan",
    "K": "Special educational needs support",
    "ASD": "Autistic spectrum disorder",
    "DS": "Down syndrome",
    "HI": "Hearing impairment",
    "MLD": "Moderate learning difficulty",
    "MSI": "Multi-sensory impairment",
    "NSA": "No specialist assessment of type of need",
    "OTH": "Other difficulty or disability",
    "PD": "Physical disability",
    "PMLD": "Profound and multiple learning difficulty",
    "SEMH": "Social, emotional and mental health",
    "SLCN": "Speech, language and communication needs",
    "SLD": "Severe learning difficulty",
    "SPLD": "Specific learning difficulty",
    "VI": "Vision impairment",
}
ETHNICITY_NAMES = {
    "WBRI": "White British",
    "WIRI": "White Irish",
    "WIRT": "Traveller of Irish heritage",
    "WROM": "Gypsy or Roma",
    "WOTH": "Any other White background",
    "MWBC": "White and Black Caribbean",
    "MWBA": "White and Black African",
    "MWAS": "White and Asian",
    "MOTH": "Any other mixed background",
    "AIND": "Indian",
    "APKN": "Pakistani",
    "ABAN": "Bangladeshi",
    "AOTH": "Any other Asian background",
    "BCRB": "Black Caribbean",
    "BAFR": "Black African",
    "BOTH": "Any other Black background",
    "CHNE": "Chinese",
    "OOTH": "Any other ethnic group",
    "REFU": "The family chose not to say",
    "NOBT": "Not known",
}


class Pupil(Owned):
    """A child, with one record across every school of the authority.

    A school sees the pupil only while it has, or had, a roll line for them.
    """

    __tablename__ = "pupil"
    __table_args__ = (
        Index("ix_pupil_upn", "authority_id", "upn"),
        Index("ix_pupil_former_upn", "authority_id", "former_upn"),
        Index("ix_pupil_surname_folded", "authority_id", "surname_folded", "forename_folded"),
    )

    id: Mapped[Id]
    upn: Mapped[MaybePrivate]
    former_upn: Mapped[MaybePrivate]
    surname: Mapped[Private]
    forename: Mapped[Private]
    middle_names: Mapped[MaybePrivate]
    surname_folded: Mapped[str] = mapped_column(Text(collation="C"), info=PERSONAL)
    forename_folded: Mapped[str] = mapped_column(Text(collation="C"), info=PERSONAL)
    date_of_birth: Mapped[PrivateDay]
    sex: Mapped[MaybePrivate]
    ethnicity: Mapped[MaybePrivate]
    eal: Mapped[bool | None] = mapped_column(Boolean, info=PERSONAL)
    address: Mapped[MaybePrivate]
    postcode: Mapped[MaybePrivate]
    reference: Mapped[Word]


class Parent(Owned):
    """A parent or carer, in the wide sense of section 576 of the Education Act 1996."""

    __tablename__ = "parent"

    id: Mapped[Id]
    name: Mapped[Private]
    phone: Mapped[MaybePrivate]
    email: Mapped[MaybePrivate]
    address: Mapped[MaybePrivate]
    postcode: Mapped[MaybePrivate]
    do_not_disclose: Mapped[Flag] = mapped_column(default=False, info=NOT_PERSONAL)


class Parenthood(Owned):
    """How a parent or carer is related to a pupil."""

    __tablename__ = "parenthood"
    __table_args__ = (
        UniqueConstraint("authority_id", "pupil_id", "parent_id"),
        Index("ix_parenthood_parent_id", "authority_id", "parent_id"),
        within("pupil", "pupil_id"),
        within("parent", "parent_id"),
    )

    id: Mapped[Id]
    pupil_id: Mapped[Ref]
    parent_id: Mapped[Ref]
    relationship: Mapped[MaybePrivate]
    parental_responsibility: Mapped[bool | None] = mapped_column(Boolean, info=PERSONAL)
    priority: Mapped[Number]


class Characteristic(Owned):
    """A characteristic that may call for support, with its first and last day where known."""

    __tablename__ = "characteristic"
    __table_args__ = (
        within("pupil", "pupil_id"),
        CheckConstraint(f"kind IN {CHARACTERISTICS}", name="kind_known"),
        Index("ix_characteristic_pupil_id", "authority_id", "pupil_id"),
    )

    id: Mapped[Id]
    pupil_id: Mapped[Ref]
    kind: Mapped[Word]
    value: Mapped[Private]
    first_day: Mapped[MaybeDay]
    last_day: Mapped[MaybeDay]
    recorded_at: Mapped[Instant]


class RollLine(Owned):
    """A pupil's line in a school's registers for one academic year (2025 = 2025/26).

    Leavers keep their lines, because register pages refer to pupils by line number.
    """

    __tablename__ = "roll_line"
    __table_args__ = (
        UniqueConstraint("authority_id", "school_id", "academic_year", "line"),
        Index("ix_roll_line_pupil_id", "authority_id", "pupil_id"),
        within("school", "school_id"),
        within("pupil", "pupil_id"),
        CheckConstraint("line >= 1", name="line_positive"),
        CheckConstraint("on_roll_until IS NULL OR on_roll_until >= on_roll_from", name="dates_in_order"),
    )

    id: Mapped[Id]
    school_id: Mapped[Ref]
    academic_year: Mapped[Number]
    line: Mapped[Number]
    pupil_id: Mapped[Ref]
    year_group: Mapped[MaybeWord]
    registration_group: Mapped[MaybeWord]
    enrolment_status: Mapped[Word] = mapped_column(default="C", info=NOT_PERSONAL)
    on_roll_from: Mapped[Day]
    on_roll_until: Mapped[MaybeDay]


class MatchQuestion(Owned):
    """Two records that may be one child, waiting for a person to decide.

    `incoming` is compared with the existing pupil `pupil_id`; the two are never joined by guess. `likeness` is the key under
    which the decision is remembered when the school sends the same pupil again. `became_id` is the pupil the incoming
    record turned out to be.
    """

    __tablename__ = "match_question"
    __table_args__ = (
        within("school", "school_id"),
        within("pupil", "pupil_id"),
        within("pupil", "became_id"),
        CheckConstraint("(decided_at IS NULL) = (decision IS NULL)", name="decided_whole"),
        CheckConstraint("(decided_at IS NULL) = (became_id IS NULL)", name="decided_for"),
        CheckConstraint("decision IN ('same', 'different')", name="decision_known"),
        Index("ix_match_question_school_id", "authority_id", "school_id"),
    )

    id: Mapped[Id]
    school_id: Mapped[Ref]
    upload_id: Mapped[MaybeRef]
    academic_year: Mapped[Number]
    pupil_id: Mapped[Ref]
    likeness: Mapped[Private]
    incoming: Mapped[dict[str, object]] = mapped_column(JSONB, info=PERSONAL)
    differs_in: Mapped[Word]
    across_schools: Mapped[Flag] = mapped_column(default=False, info=NOT_PERSONAL)
    asked_at: Mapped[Instant]
    decided_at: Mapped[MaybeInstant]
    decided_by: Mapped[MaybeRef]
    decision: Mapped[MaybeWord]
    became_id: Mapped[MaybeRef]
