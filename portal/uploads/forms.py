"""Forms of uploads: send a file, revert an upload, set a school's own mark."""

from __future__ import annotations

from wtforms import validators

from portal.platform import upload_limit
from portal.rules.codes import CURRENT_CODES
from portal.web.fields import FileField, RadiosField, SelectField, TextAreaField, TextField, choices, required
from portal.web.forms import Form

KINDS = (
    ("marks", "Attendance marks"),
    ("pupils", "The pupil list"),
)


class SendFile(Form):
    """A file to send."""

    school = SelectField("School", validators=[required("Choose the school the file is for")])
    kind = RadiosField(
        "What is in the file?", choices=choices(KINDS), default="marks", validators=[required("Choose what is in the file")]
    )
    file = FileField(
        "File",
        validators=[required("Choose the file to send")],
        hint="CSV, XLSX, CTF (XML) or JSON, up to {limit} MB. What it is called does not matter.",
    )
    add_pupils = RadiosField(
        "If the file has pupils who are not on the roll yet",
        choices=choices((("no", "List them, and leave their marks out"), ("yes", "Add them to the roll from this file"))),
        default="no",
    )

    def __init__(self) -> None:
        """Say the limit this portal runs with."""
        super().__init__()
        self.file.description = self.file.description.format(limit=upload_limit.in_megabytes())


class RevertUpload(Form):
    """The reason for reverting an applied upload."""

    reason = TextAreaField(
        "Why is this upload being undone?",
        hint="The reason stays in the history with your name.",
        validators=[
            required("Enter why the upload is being undone"),
            validators.Length(max=500, message="Enter 500 characters or fewer"),
        ],
    )


class SetLocalCode(Form):
    """A mark the school uses, and the statutory code it stands for."""

    mark = TextField(
        "Your code",
        validators=[
            required("Enter the code as it is in your files"),
            validators.Length(max=8, message="Enter 8 characters or fewer"),
        ],
    )
    letters = SelectField(
        "National code",
        choices=choices([("", "Choose a code"), *((code.letters, f"{code.letters} – {code.meaning}") for code in CURRENT_CODES)]),
        validators=[required("Choose the national code it stands for")],
    )
