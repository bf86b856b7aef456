"""Tables of pupils: each school's records of its children, and the children the authority links them to."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Computed, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.db.tables import Owned, same_school_fk, tenant_fk
from portal.db.types import (
    NOT_PERSONAL,
    PERSONAL,
    Bool,
    Day,
    Id,
    IdRef,
    Instant,
    Int,
    OptionalDay,
    OptionalIdRef,
    OptionalInstant,
    OptionalPersonalStr,
    OptionalStr,
    PersonalDay,
    PersonalStr,
    Str,
)
from portal.pupils.domain.search import LEFT_OUT
from portal.security.visibility import authority_only, by_school

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
#: Why a record is linked to a child. `first`: the child's first record. `identity`: UPN, surname and date of birth agree.
#: `decision`: a person said so. `upgrade`: one pupil at several schools, before each school had its own record. `apart`: a
#: person took the record back from another child.
LINK_BASES = ("first", "identity", "decision", "upgrade", "apart")


def _letters(column: str) -> Computed:
    """What `domain.search.letters` makes of a folded name, as PostgreSQL says it."""
    return Computed(f"regexp_replace({column}, '{LEFT_OUT.pattern}', '', 'g')", persisted=True)


class Pupil(Owned):
    """One school's record of a child: what that school sent, and nothing another school said.

    A child at two schools has two records. The authority links them (`Child`); no school sees the link.
    """

    __tablename__ = "pupil"
    __visible__ = by_school()
    __table_args__ = (
        # What hangs on a record names its school too, and this key lets the foreign keys hold them together.
        UniqueConstraint("authority_id", "school_id", "id"),
        Index("ix_pupil_upn", "authority_id", "upn"),
        Index("ix_pupil_former_upn", "authority_id", "former_upn"),
        Index("ix_pupil_surname_folded", "authority_id", "surname_folded", "forename_folded"),
        Index("ix_pupil_surname_letters", "authority_id", "surname_letters", "forename_letters"),
        Index("ix_pupil_forename_letters", "authority_id", "forename_letters"),
        Index("ix_pupil_date_of_birth", "authority_id", "date_of_birth"),
        Index("ix_pupil_reference", "authority_id", "reference"),
        tenant_fk("school", "school_id"),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    upn: Mapped[OptionalPersonalStr]
    former_upn: Mapped[OptionalPersonalStr]
    surname: Mapped[PersonalStr]
    forename: Mapped[PersonalStr]
    middle_names: Mapped[OptionalPersonalStr]
    surname_folded: Mapped[str] = mapped_column(Text(collation="C"), info=PERSONAL)
    forename_folded: Mapped[str] = mapped_column(Text(collation="C"), info=PERSONAL)
    # The folded names without spaces, which searches read. Columns, because row security keeps the index of an expression
    # from being used; filled by the database, so that no way to write a name can forget them.
    surname_letters: Mapped[str] = mapped_column(Text(collation="C"), _letters("surname_folded"), info=PERSONAL)
    forename_letters: Mapped[str] = mapped_column(Text(collation="C"), _letters("forename_folded"), info=PERSONAL)
    date_of_birth: Mapped[PersonalDay]
    sex: Mapped[OptionalPersonalStr]
    ethnicity: Mapped[OptionalPersonalStr]
    eal: Mapped[bool | None] = mapped_column(Boolean, info=PERSONAL)
    address: Mapped[OptionalPersonalStr]
    postcode: Mapped[OptionalPersonalStr]
    reference: Mapped[Str]


class Contact(Owned):
    """What a school says of a parent or carer, widely understood (section 576 of the Education Act 1996)."""

    __tablename__ = "contact"
    __visible__ = by_school()
    __table_args__ = (UniqueConstraint("authority_id", "school_id", "id"), tenant_fk("school", "school_id"))

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    name: Mapped[PersonalStr]
    phone: Mapped[OptionalPersonalStr]
    email: Mapped[OptionalPersonalStr]
    address: Mapped[OptionalPersonalStr]
    postcode: Mapped[OptionalPersonalStr]
    do_not_disclose: Mapped[Bool] = mapped_column(default=False, info=NOT_PERSONAL)


class PupilContact(Owned):
    """How a contact is related to a pupil. Brothers and sisters at one school may share a contact."""

    __tablename__ = "pupil_contact"
    __visible__ = by_school()
    __table_args__ = (
        UniqueConstraint("authority_id", "pupil_id", "contact_id"),
        Index("ix_pupil_contact_contact_id", "authority_id", "contact_id"),
        same_school_fk("pupil", "pupil_id"),
        same_school_fk("contact", "contact_id"),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    pupil_id: Mapped[IdRef]
    contact_id: Mapped[IdRef]
    relationship: Mapped[OptionalPersonalStr]
    parental_responsibility: Mapped[bool | None] = mapped_column(Boolean, info=PERSONAL)
    priority: Mapped[Int]


class Characteristic(Owned):
    """A characteristic that may call for support, with its first and last day where known."""

    __tablename__ = "characteristic"
    __visible__ = by_school()
    __table_args__ = (
        same_school_fk("pupil", "pupil_id"),
        CheckConstraint(f"kind IN {CHARACTERISTICS}", name="kind_known"),
        Index("ix_characteristic_pupil_id", "authority_id", "pupil_id"),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    pupil_id: Mapped[IdRef]
    kind: Mapped[Str]
    value: Mapped[PersonalStr]
    first_day: Mapped[OptionalDay]
    last_day: Mapped[OptionalDay]
    recorded_at: Mapped[Instant]


class RollLine(Owned):
    """A pupil's line in a school's registers for one academic year (2025 = 2025/26).

    Leavers keep their lines, because register pages refer to pupils by line number.
    """

    __tablename__ = "roll_line"
    __visible__ = by_school()
    __table_args__ = (
        UniqueConstraint("authority_id", "school_id", "academic_year", "line"),
        Index("ix_roll_line_pupil_id", "authority_id", "pupil_id"),
        tenant_fk("school", "school_id"),
        same_school_fk("pupil", "pupil_id"),
        CheckConstraint("line >= 1", name="line_positive"),
        CheckConstraint("on_roll_until IS NULL OR on_roll_until >= on_roll_from", name="dates_in_order"),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    academic_year: Mapped[Int]
    line: Mapped[Int]
    pupil_id: Mapped[IdRef]
    year_group: Mapped[OptionalStr]
    registration_group: Mapped[OptionalStr]
    enrolment_status: Mapped[Str] = mapped_column(default="C", info=NOT_PERSONAL)
    on_roll_from: Mapped[Day]
    on_roll_until: Mapped[OptionalDay]


class PossibleDuplicate(Owned):
    """A pupil of a school's list whom the school may have already, until a person decides.

    `incoming` is compared with the existing pupil `pupil_id`; the two are never joined by guess. `match_key` is the key under
    which the decision is remembered when the school sends the same pupil again. `resolved_pupil_id` is the pupil the incoming
    record turned out to be.
    """

    __tablename__ = "possible_duplicate"
    __visible__ = by_school()
    __table_args__ = (
        tenant_fk("school", "school_id"),
        same_school_fk("pupil", "pupil_id"),
        same_school_fk("pupil", "resolved_pupil_id"),
        CheckConstraint("(decided_at IS NULL) = (decision IS NULL)", name="decided_whole"),
        CheckConstraint("(decided_at IS NULL) = (resolved_pupil_id IS NULL)", name="decided_for"),
        CheckConstraint("decision IN ('same', 'different')", name="decision_known"),
        Index("ix_possible_duplicate_school_id", "authority_id", "school_id"),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    upload_id: Mapped[OptionalIdRef]
    academic_year: Mapped[Int]
    pupil_id: Mapped[IdRef]
    match_key: Mapped[PersonalStr]
    incoming: Mapped[dict[str, object]] = mapped_column(JSONB, info=PERSONAL)
    differing_fields: Mapped[Str]
    asked_at: Mapped[Instant]
    decided_at: Mapped[OptionalInstant]
    decided_by: Mapped[OptionalIdRef]
    decision: Mapped[OptionalStr]
    resolved_pupil_id: Mapped[OptionalIdRef]


class Child(Owned):
    """A child, as the authority knows one: what the records of several schools are linked to."""

    __tablename__ = "child"
    __visible__ = authority_only()

    id: Mapped[Id]
    created_at: Mapped[Instant]


class ChildLink(Owned):
    """Says that a school's record is about a child, from when, and why.

    A link that ends stays, with its end. So merging and taking back change no record, and both can be read later.
    """

    __tablename__ = "child_link"
    __visible__ = authority_only()
    __table_args__ = (
        tenant_fk("child", "child_id"),
        same_school_fk("pupil", "pupil_id"),
        CheckConstraint(f"basis IN {LINK_BASES}", name="basis_known"),
        CheckConstraint("unlinked_at IS NOT NULL OR (unlinked_by IS NULL AND unlink_reason IS NULL)", name="ended_whole"),
        Index("ix_child_link_child_id", "authority_id", "child_id"),
        # Two links at once would make one record two children.
        Index("uq_child_link_live", "authority_id", "pupil_id", unique=True, postgresql_where="unlinked_at IS NULL"),
        Index("ix_child_link_pupil_id", "authority_id", "pupil_id", "linked_at"),
    )

    id: Mapped[Id]
    child_id: Mapped[IdRef]
    pupil_id: Mapped[IdRef]
    school_id: Mapped[IdRef]
    linked_at: Mapped[Instant]
    linked_by: Mapped[OptionalIdRef]
    basis: Mapped[Str]
    unlinked_at: Mapped[OptionalInstant]
    unlinked_by: Mapped[OptionalIdRef]
    unlink_reason: Mapped[OptionalPersonalStr]


class PossibleSameChild(Owned):
    """Two schools' records that may be one child: a question for the authority, which holds nothing up.

    Of the two, `pupil_id` is the smaller id, so that no pair is asked about twice. A pair decided to be different children
    is never linked by a job again.
    """

    __tablename__ = "possible_same_child"
    __visible__ = authority_only()
    __table_args__ = (
        UniqueConstraint("authority_id", "pupil_id", "other_pupil_id"),
        Index("ix_possible_same_child_other_pupil_id", "authority_id", "other_pupil_id"),
        same_school_fk("pupil", "pupil_id"),
        tenant_fk("pupil", "other_school_id", "other_pupil_id", target=("school_id", "id")),
        CheckConstraint("pupil_id < other_pupil_id", name="pair_in_order"),
        CheckConstraint("(decided_at IS NULL) = (decision IS NULL)", name="decided_whole"),
        CheckConstraint("decision IN ('same', 'different')", name="decision_known"),
    )

    id: Mapped[Id]
    pupil_id: Mapped[IdRef]
    school_id: Mapped[IdRef]
    other_pupil_id: Mapped[IdRef]
    other_school_id: Mapped[IdRef]
    differing_fields: Mapped[Str]
    asked_at: Mapped[Instant]
    decided_at: Mapped[OptionalInstant]
    decided_by: Mapped[OptionalIdRef]
    decision: Mapped[OptionalStr]
