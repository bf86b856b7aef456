"""Pages: the Jinja environment every template is rendered in, and what the layout knows of the person reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from flask import current_app, request, url_for
from jinja2 import BaseLoader, ChainableUndefined, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.exceptions import TemplateNotFound
from markupsafe import Markup

from portal.permissions import PERMISSIONS, ROLES, Role
from portal.web import headers, words
from portal.web.assets import static_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence
    from uuid import UUID

    from flask import Flask
    from jinja2 import Template

SERVICE_NAME = "Attendance portal"
GOVUK = "govuk_frontend_jinja"


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """A link of the main navigation: shown to who has one of its permissions (none: to anyone signed in).

    `target` is an endpoint, or a path when it begins with "/". `summary` says on the home page what is there.
    """

    text: str
    target: str
    permissions: tuple[str, ...]
    summary: str

    def __post_init__(self) -> None:
        """Refuse a permission that is not in the table.

        Raises:
            KeyError: naming it.
        """
        for permission in self.permissions:
            _ = PERMISSIONS[permission]


NAVIGATION: tuple[NavigationItem, ...] = (
    NavigationItem("Home", "web.home", (), "Where you start."),
    NavigationItem(
        "Comparison",
        "/dashboards/",
        ("measures.view",),
        "Attendance and absence beside the authority's average and the national rate, week by week.",
    ),
    NavigationItem(
        "Uploads",
        "uploads.index",
        ("uploads.view",),
        "Send registers and pupil lists, see what a file would change, apply it or take it back.",
    ),
    NavigationItem(
        "Upload board",
        "uploads.board",
        ("uploads.board",),
        "Who has sent what, up to which day, and which marks are missing.",
    ),
    NavigationItem(
        "Pupils",
        "pupils.index",
        ("pupils.view",),
        "Find a pupil and open their certificate of attendance.",
    ),
    NavigationItem(
        "Schools",
        "schools.index",
        ("schools.view",),
        "Schools, their term dates and the days they are closed.",
    ),
    NavigationItem(
        "Published figures",
        "benchmarks.index",
        ("benchmarks.view",),
        "The Department for Education series the comparisons rest on.",
    ),
    NavigationItem(
        "People",
        "accounts.people",
        ("people.manage", "people.manage_school"),
        "Who can sign in, in which role, and for which schools.",
    ),
    NavigationItem("Authorities", "accounts.authorities", ("authorities.manage",), "Authorities and their first people."),
    NavigationItem("Audit", "audit.index", ("audit.view",), "Who saw and changed what, and when."),
)

#: Where the app keeps the function that names the schools in reach, which accounts and pages know only by id.
SCHOOL_NAMES = "portal.school_names"

#: What most people in a role come for, and where it is: the one button of their start page. A partner has nothing to do yet.
MAIN_TASKS: Mapping[Role, tuple[str, str]] = {
    Role.LA_ADMINISTRATOR: ("See who has sent what", "uploads.board"),
    Role.LA_MANAGER: ("Compare every school", "/dashboards/"),
    Role.LA_OFFICER: ("See who has sent what", "uploads.board"),
    Role.LA_LEGAL: ("Find a pupil’s certificate of attendance", "pupils.index"),
    Role.SCHOOL_ADMINISTRATOR: ("Send a file", "uploads.new"),
    Role.ATTENDANCE_LEAD: ("Compare your school", "/dashboards/"),
    Role.HEADTEACHER: ("Compare your school", "/dashboards/"),
    Role.SCHOOL_OFFICE: ("Send a file", "uploads.new"),
    Role.TRUST_LEAD: ("Compare your schools", "/dashboards/"),
    Role.AUDITOR: ("See who saw and changed what", "audit.index"),
    Role.PLATFORM_OPERATOR: ("Add an authority", "accounts.new_authority"),
}


def school_names() -> Mapping[UUID, str]:
    """The schools in the scope's reach, by name."""
    return cast("Mapping[UUID, str]", current_app.extensions[SCHOOL_NAMES]())


def _nothing(_permission: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the layout knows: the service, who reads, through which membership, and what they may do.

    After `idle_minutes` without a request the person is signed out; the page warns two minutes before.
    """

    service_name: str = SERVICE_NAME
    authority_name: str | None = None
    person_name: str | None = None
    role: Role | None = None
    navigation: tuple[NavigationItem, ...] = NAVIGATION
    demonstration: bool = False
    idle_minutes: int = 30
    can: Callable[[str], bool] = field(default=_nothing)

    @property
    def role_name(self) -> str | None:
        """What the role is called."""
        return ROLES[self.role][0] if self.role else None

    @property
    def purpose(self) -> str | None:
        """What the role is for, in a sentence."""
        return ROLES[self.role][1] if self.role else None

    @property
    def main_task(self) -> dict[str, str] | None:
        """What the role mostly comes for, as words and an address; None where there is no such place."""
        text, target = MAIN_TASKS.get(self.role, ("", "")) if self.role else ("", "")
        href = _address(target)
        return {"text": text, "href": href} if href else None

    @property
    def links(self) -> list[dict[str, Any]]:
        """The navigation this person has, as the GOV.UK macro takes it; places this app does not have are left out."""
        if self.role is None:
            return []
        shown = [
            (item, href)
            for item in self.navigation
            if not item.permissions or any(self.can(permission) for permission in item.permissions)
            if (href := _address(item.target)) is not None
        ]
        here = max((href for _, href in shown if _is_here(href)), key=len, default="")
        return [{"text": item.text, "href": href, "active": href == here, "summary": item.summary} for item, href in shown]


def page_context() -> PageContext:
    """A page for somebody unknown: no name, no navigation, nothing allowed."""
    return PageContext(demonstration=bool(current_app.config.get("DEMONSTRATION", False)))


def _address(target: str) -> str | None:
    """Where a navigation item leads, or None when the app has no such place."""
    if target.startswith("/"):
        return target if any(rule.rule.startswith(target) for rule in current_app.url_map.iter_rules()) else None
    return url_for(target) if target in current_app.view_functions else None


def _is_here(href: str) -> bool:
    return request.path == href or (href != "/" and request.path.startswith(href.rstrip("/") + "/"))


class GovukLoader(BaseLoader):
    """Loads the GOV.UK macros into an environment of their own.

    They lean on missing options being quietly empty; our own templates fail on a missing name instead.
    """

    def __init__(self) -> None:
        """Make the lenient environment; it escapes everything, as ours does."""
        loader = ChoiceLoader([_Prefixed()])
        self._lenient = Environment(
            loader=loader, autoescape=True, undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True
        )

    def load(
        self,
        environment: Environment,  # noqa: ARG002  the signature is Jinja's
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002, ARG002  the signature is Jinja's
    ) -> Template:
        """The GOV.UK template of this name.

        Raises:
            TemplateNotFound: for every other name.
        """
        if not name.startswith(f"{GOVUK}/"):
            raise TemplateNotFound(name)
        return self._lenient.get_template(name)


class _Prefixed(PackageLoader):
    """The package's templates under the names they import each other by."""

    def __init__(self) -> None:
        super().__init__(GOVUK)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool] | None]:
        return super().get_source(environment, template.removeprefix(f"{GOVUK}/"))


def govuk(component: str, options: dict[str, Any]) -> Markup:
    """A GOV.UK component as HTML: `govuk("button", {"text": "Continue"})`. Components are named as in their guide."""
    template = current_app.jinja_env.get_template(f"{GOVUK}/components/{component}/macro.html")
    macro = "govuk" + "".join(part.capitalize() for part in component.split("-"))
    return Markup(getattr(template.module, macro)(options))  # noqa: S704  made by a macro that escapes what it is given


def without(query: Sequence[str] = (), **changes: object) -> str:
    """This page's own address with arguments changed; those named in `query`, and those set to None, are left out."""
    kept = {name: values for name, values in request.args.lists() if name not in query and name not in changes}
    set_to = {name: value for name, value in changes.items() if value is not None}
    return url_for(request.endpoint or "web.home", **{**(request.view_args or {}), **kept, **set_to})


def init_app(app: Flask) -> None:
    """Give `app` the portal's templates: GOV.UK macros, strict names, filters, globals, and a page for who is unknown."""
    environment = app.jinja_env
    loaders = [GovukLoader(), *([environment.loader] if environment.loader else [])]
    environment.loader = ChoiceLoader(loaders)
    environment.undefined = StrictUndefined
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    environment.filters.update(words.FILTERS)
    environment.globals.update(
        static_url=static_url,
        csp_nonce=headers.nonce,
        govuk=govuk,
        address_with=without,
        has_endpoint=lambda name: name in current_app.view_functions,
    )
    app.context_processor(lambda: {"portal": page_context()})
