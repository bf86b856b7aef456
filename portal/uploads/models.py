"""Tables of uploads: files and findings, column mappings, local codes and reported totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import zstandard
from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.db.tables import Owned, same_school_fk, tenant_fk
from portal.db.types import (
    NOT_PERSONAL,
    PERSONAL,
    Id,
    IdRef,
    Instant,
    Int,
    OptionalDay,
    OptionalIdRef,
    OptionalInstant,
    OptionalInt,
    OptionalPersonalStr,
    OptionalStr,
    PersonalStr,
    Str,
)
from portal.platform.refusals import conflict
from portal.security.visibility import by_school
from portal.uploads.domain.kinds import Kind
from portal.uploads.domain.lifecycle import UPLOAD
from portal.uploads.domain.preview_lists import PreviewLists
from portal.uploads.domain.previews import FileColumns, Preview, from_stored, to_stored

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class StoredPreview(TypeDecorator[Preview]):
    """A preview, kept as JSON with its kind."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: Preview | None, dialect: Dialect) -> dict[str, Any] | None:
        """The preview as JSON."""
        del dialect
        return None if value is None else to_stored(value)

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> Preview | None:
        """The stored preview."""
        del dialect
        return None if value is None else from_stored(value)


class StoredColumns(TypeDecorator[FileColumns]):
    """The columns of a file, kept as JSON."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: FileColumns | None, dialect: Dialect) -> dict[str, Any] | None:
        """The columns as JSON."""
        del dialect
        return None if value is None else value.document()

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> FileColumns | None:
        """The stored columns."""
        del dialect
        return None if value is None else FileColumns.from_document(value)


class StoredLists(TypeDecorator[PreviewLists]):
    """The lists beside a preview, kept as JSON."""

    impl = JSONB(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: PreviewLists | None, dialect: Dialect) -> dict[str, Any] | None:
        """The lists as JSON."""
        del dialect
        return None if value is None else value.document()

    def process_result_value(self, value: dict[str, Any] | None, dialect: Dialect) -> PreviewLists | None:
        """The stored lists."""
        del dialect
        return None if value is None else PreviewLists.from_document(value)


MAPPED_MEANWHILE = "Somebody else matched these columns at the same time. Check their choice, then change it if you need to."
MARK_SET_MEANWHILE = "Somebody else set this mark at the same time. Check their choice, then change it if you need to."


class Upload(Owned):
    """A file sent by a school, in one state of its lifecycle."""

    __tablename__ = "upload"
    __visible__ = by_school()
    __table_args__ = (
        tenant_fk("school", "school_id"),
        UPLOAD.constraint(),
        CheckConstraint(f"kind IN {tuple(map(str, Kind))}", name="kind_known"),
        CheckConstraint("rows_in = rows_stored + rows_rejected", name="nothing_dropped"),
        CheckConstraint("state NOT IN ('applied', 'reverted') OR applied_at IS NOT NULL", name="applied_when"),
        CheckConstraint("(state = 'reverted') = (reverted_at IS NOT NULL)", name="reverted_when"),
        # What belongs to an upload refers to its school too, so that its own school_id cannot differ.
        UniqueConstraint("authority_id", "school_id", "id"),
        Index("ix_upload_school_id", "authority_id", "school_id", "received_at"),
        Index("ix_upload_sha256", "authority_id", "school_id", "sha256"),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    kind: Mapped[Str]
    state: Mapped[Str]
    file_name: Mapped[PersonalStr]
    sha256: Mapped[Str]
    size: Mapped[Int]
    received_at: Mapped[Instant]
    received_by: Mapped[OptionalIdRef]
    layout: Mapped[OptionalStr]
    mapping: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict, info=NOT_PERSONAL)
    add_pupils: Mapped[bool] = mapped_column(default=False, info=NOT_PERSONAL)
    academic_year: Mapped[OptionalInt]
    #: None until the file has been read; the samples of its cells are personal.
    file_columns: Mapped[FileColumns | None] = mapped_column(StoredColumns, info=PERSONAL)
    preview: Mapped[Preview | None] = mapped_column(StoredPreview, info=PERSONAL)
    rejection: Mapped[OptionalPersonalStr]
    rows_in: Mapped[Int] = mapped_column(default=0, info=NOT_PERSONAL)
    rows_stored: Mapped[Int] = mapped_column(default=0, info=NOT_PERSONAL)
    rows_rejected: Mapped[Int] = mapped_column(default=0, info=NOT_PERSONAL)
    covers_from: Mapped[OptionalDay]
    covers_until: Mapped[OptionalDay]
    checked_at: Mapped[OptionalInstant]
    applied_at: Mapped[OptionalInstant]
    applied_by: Mapped[OptionalIdRef]
    reverted_at: Mapped[OptionalInstant]
    reverted_by: Mapped[OptionalIdRef]
    revert_reason: Mapped[OptionalPersonalStr]


class CompressedBytes(TypeDecorator[bytes]):
    """Bytes compressed with Zstandard. For registers it is faster than PostgreSQL's own compression, and better."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Compress a value to be stored."""
        del dialect
        return None if value is None else zstandard.compress(value, 1)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Decompress a stored value."""
        del dialect
        return None if value is None else zstandard.decompress(value)


def _of_upload() -> ForeignKeyConstraint:
    """The key to the upload and its school. Row security then asks the row's own school, without reading the upload."""
    return tenant_fk("upload", "school_id", "upload_id", target=("school_id", "id"))


class UploadContent(Owned):
    """The bytes as received, the rejected rows as a CSV to correct, and the lists beside the preview.

    They are large, and lists of uploads do not read them.
    """

    __tablename__ = "upload_content"
    __visible__ = by_school()
    __table_args__ = (_of_upload(),)

    upload_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=NOT_PERSONAL)
    school_id: Mapped[IdRef]
    received: Mapped[bytes] = mapped_column(CompressedBytes, info=PERSONAL)
    rejected_rows: Mapped[bytes | None] = mapped_column(LargeBinary, info=PERSONAL)
    preview_lists: Mapped[PreviewLists | None] = mapped_column(StoredLists, info=PERSONAL)


class Finding(Owned):
    """A rejection or warning in a file, grouped over rows.

    For example "column F, rows 12 and 40 to 58: Z1 is not an attendance code".
    """

    __tablename__ = "finding"
    __visible__ = by_school()
    __table_args__ = (_of_upload(),)

    upload_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=NOT_PERSONAL)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, info=NOT_PERSONAL)
    school_id: Mapped[IdRef]
    kind: Mapped[Str]
    rejected: Mapped[bool] = mapped_column(info=NOT_PERSONAL)
    sheet: Mapped[OptionalPersonalStr]
    column: Mapped[OptionalStr]
    rows: Mapped[Str]
    value: Mapped[OptionalPersonalStr]
    sentence: Mapped[PersonalStr]
    count: Mapped[Int]


class UploadProgress(Owned):
    """How far checking or applying a file has come.

    Committed in a transaction of its own, so that a page can show it before the work itself is committed.
    """

    # No foreign key: to check one, PostgreSQL would wait for the lock on the upload that the work itself holds.
    __tablename__ = "upload_progress"
    __bookkeeping__ = True
    __visible__ = by_school()

    upload_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=NOT_PERSONAL)
    school_id: Mapped[IdRef]
    step: Mapped[Str]
    done: Mapped[Int]
    total: Mapped[Int]
    at: Mapped[Instant]


class RememberedMapping(Owned):
    """A school's column mapping, used for all files with the same fingerprint of headings."""

    __tablename__ = "remembered_mapping"
    __visible__ = by_school()
    __table_args__ = (
        tenant_fk("school", "school_id"),
        UniqueConstraint("authority_id", "school_id", "fingerprint", info=conflict(MAPPED_MEANWHILE)),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    fingerprint: Mapped[Str]
    mapping: Mapped[dict[str, str]] = mapped_column(JSONB, info=NOT_PERSONAL)
    remembered_at: Mapped[Instant]


class LocalCode(Owned):
    """A school's own mark, and the statutory code the school has mapped it to."""

    __tablename__ = "local_code"
    __visible__ = by_school()
    __table_args__ = (
        tenant_fk("school", "school_id"),
        UniqueConstraint("authority_id", "school_id", "mark", info=conflict(MARK_SET_MEANWHILE, "mark")),
    )

    id: Mapped[Id]
    school_id: Mapped[IdRef]
    mark: Mapped[Str]
    letters: Mapped[str] = mapped_column(Text, info=NOT_PERSONAL)


class ReportedTotal(Owned):
    """A pupil's totals in a census or DfE weekly file.

    They are compared with the registers, never turned into marks.
    """

    __tablename__ = "reported_total"
    __visible__ = by_school()
    __table_args__ = (_of_upload(), tenant_fk("school", "school_id"), same_school_fk("pupil", "pupil_id"))

    id: Mapped[Id]
    upload_id: Mapped[IdRef]
    school_id: Mapped[IdRef]
    pupil_id: Mapped[OptionalIdRef]
    span: Mapped[Str]
    possible: Mapped[int | None] = mapped_column(info=PERSONAL)
    absent: Mapped[int | None] = mapped_column(info=PERSONAL)
    authorised: Mapped[int | None] = mapped_column(info=PERSONAL)
    unauthorised: Mapped[int | None] = mapped_column(info=PERSONAL)
    attended: Mapped[int | None] = mapped_column(info=PERSONAL)
