"""The form that loads a release."""

from __future__ import annotations

from flask_wtf.file import FileRequired
from wtforms.validators import Length, Optional

from portal.platform import upload_limit
from portal.web.fields import DateField, FileField, TextField, required, required_text
from portal.web.forms import Form

LONGEST_NAME = 150


class LoadRelease(Form):
    """A newer release, as published on Explore Education Statistics."""

    file = FileField(
        "Data file",
        [FileRequired("Choose the data file of the release")],
        hint="The CSV file inside the release's download, up to {limit} MB.",
    )
    name = TextField(
        "Name of the release",
        [
            required_text("Enter the name of the release"),
            Length(max=LONGEST_NAME, message=f"Enter a name of {LONGEST_NAME} characters or fewer"),
        ],
        hint="As it is titled, for example “Pupil attendance in schools, week 47 2026”.",
    )
    published_on = DateField(
        "When was it published?",
        [required("Enter the day the release was published")],
        subject="the day the release was published",
        hint="For example, 3 12 2026.",
    )
    data_to = DateField(
        "Last day of a year to date (optional)",
        [Optional()],
        subject="the last day of the year to date",
        hint="A year to date file does not say which day it runs to. The release's page does.",
    )

    def __init__(self) -> None:
        """Say the limit this portal runs with."""
        super().__init__()
        self.file.description = self.file.description.format(limit=upload_limit.in_megabytes())
