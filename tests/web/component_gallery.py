"""A small portal with every component on one page, for the tests of the web layer.

It has no database and no gate.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, abort, flash, g, redirect, render_template, request, url_for
from flask_wtf import CSRFProtect
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from werkzeug.exceptions import Conflict, RequestEntityTooLarge, ServiceUnavailable, TooManyRequests

from portal import capabilities
from portal.platform.refusals import ConflictError, NotFoundError, RefusedError
from portal.rules.codes import CODES_BY_SYMBOL
from portal.security.permissions import PERMISSIONS, Role
from portal.web import errors, headers, paging, templating
from portal.web.fields import (
    CheckboxesField,
    CheckboxField,
    DateField,
    EmailField,
    FileField,
    HiddenField,
    NumberField,
    PasswordField,
    RadiosField,
    SelectField,
    TextAreaField,
    TextField,
    choices,
    required,
)
from portal.web.forms import Form
from portal.web.routes import bp
from portal.web.templating import PageContext

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

PAGES = Path(__file__).parent / "pages"
ROWS = [
    ("Alder Primary School", 9_412, 0.9512, date(2026, 9, 11)),
    ("Beech Grove Church of England Voluntary Aided Junior and Infant School", 12_033, 0.9345, date(2026, 9, 10)),
    ("Ysgolgymunedolllanfairpwllgwyngyllgogerychwyrndrobwll", 310, 0.885, date(2026, 9, 4)),
    ("مدرسة النور", 88, 0.5, date(2026, 7, 17)),
]
YEARS = choices((str(year), f"Year {year}") for year in range(7, 12))


class GalleryForm(Form):
    """A form with one field of each kind."""

    name = TextField("Full name", [required("Enter your full name")], look={"autocomplete": "name"})
    email = EmailField("Email address", [required("Enter your email address")], hint="We write to you here about uploads.")
    word = PasswordField("Password", [required("Enter your password")])
    year = SelectField("Year group", choices=[*choices([("", "Choose a year group")]), *YEARS], validate_choice=False)
    place_count = NumberField(
        "Number of places", [required("Enter the number of places")], look={"classes": "govuk-input--width-3"}
    )
    kind = RadiosField(
        "What is in the file?",
        [required("Choose what is in the file")],
        choices=choices([("marks", "Register marks"), ("pupils", "A pupil list")]),
    )
    flags = CheckboxesField("Sessions", choices=choices([("AM", "Morning"), ("PM", "Afternoon")]))
    agree = CheckboxField("I have checked the week shown", [required("Tick to say you have checked the week")])
    first_day = DateField("First day", [required("Enter the first day")], subject="the first day", hint="For example, 7 9 2026")
    note = TextAreaField("Why the marks change", hint="Do not write a pupil's name here.", look={"maxlength": 200})
    file = FileField("Register file", [required("Choose the file to send")])
    token = HiddenField()


def signed_in() -> PageContext:
    """The page context of a headteacher who may open everything in the navigation."""
    return PageContext(
        authority_name="Northmoor Council",
        person_name="Marta Kowalczyk-Featherstonehaugh",
        role=Role.HEADTEACHER,
        demonstration=True,
        navigation=capabilities.navigation(),
        can=lambda permission: permission in PERMISSIONS,
    )


def make_app(templates: dict[str, str] | None = None, **settings: Any) -> Flask:
    """The small portal. `templates` adds a test's own templates, by name."""
    app = Flask("component gallery", static_folder=None)
    app.config.update({"SECRET_KEY": "only for tests", "DEMONSTRATION": True, **settings})
    app.jinja_loader = ChoiceLoader([DictLoader(templates or {}), FileSystemLoader(PAGES)])
    CSRFProtect(app)
    templating.init_app(app)
    errors.init_app(app)
    headers.init_app(app)
    app.context_processor(lambda: {"portal": g.get("page") or signed_in()})
    app.register_blueprint(bp)
    app.register_blueprint(_pages_blueprint())
    for name in ("uploads", "pupils", "schools", "accounts"):
        app.register_blueprint(_placeholder(name))
    return app


def _placeholder(name: str) -> Blueprint:
    """A blueprint with the addresses of a capability that the layout links to."""
    blueprint = Blueprint(name, name, url_prefix=f"/{name}")
    paths = {
        "uploads": ("index", "board"),
        "pupils": ("index",),
        "schools": ("index",),
        "accounts": ("people", "choose", "sign_in"),
    }
    for path in paths[name]:
        blueprint.add_url_rule("/" if path == "index" else f"/{path.replace('_', '-')}", path, lambda: "here")
    if name == "accounts":
        blueprint.add_url_rule("/sign-out", "sign_out", lambda: redirect(url_for("web.home")), methods=["POST"])
        blueprint.add_url_rule("/stay", "stay", lambda: ("", 204), methods=["POST"])
    return blueprint


def _pages_blueprint() -> Blueprint:
    blueprint = Blueprint("gallery", "gallery")

    @blueprint.get("/components")
    def components() -> str:
        flash("The register file was applied. 1,204 marks were added.", "success")
        order = paging.order_in(request.args, frozenset({"name", "rate", "marks"}), "name")
        return render_template(
            "component_gallery.html", rows=ROWS, order=order, codes=CODES_BY_SYMBOL, page=paging.Page(ROWS, "abc", "def")
        )

    @blueprint.route("/form", methods=["GET", "POST"])
    def form() -> ResponseReturnValue:
        submitted = GalleryForm()
        if submitted.validate_on_submit():
            return redirect(url_for("gallery.components"))
        return render_template("component_gallery_form.html", form=submitted), 200 if request.method == "GET" else 422

    @blueprint.get("/fail/<int:status>")
    def fail(status: int) -> str:
        exceptions = {413: RequestEntityTooLarge, 429: TooManyRequests, 503: ServiceUnavailable, 409: Conflict}
        if status in exceptions:
            raise exceptions[status]
        abort(status)

    @blueprint.get("/refuse/<kind>")
    def refuse(kind: str) -> str:
        raise {
            "missing": NotFoundError(),
            "refused": RefusedError("Apply the file first."),
            "conflict": ConflictError("Somebody else applied it."),
        }[kind]

    @blueprint.get("/break")
    def broken() -> str:
        message = "a secret of the inside"
        raise RuntimeError(message)

    return blueprint
