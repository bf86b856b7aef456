"""The Jinja environment of every template, the navigation, and what the layout knows of the reader."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from flask import current_app, request, url_for
from jinja2 import BaseLoader, ChainableUndefined, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.exceptions import TemplateNotFound
from markupsafe import Markup

from portal.platform.capability import NavigationItem
from portal.security.permissions import ROLES
from portal.web import formats, headers
from portal.web.assets import static_url
from portal.web.panels import panels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping, Sequence
    from uuid import UUID

    from flask import Flask
    from jinja2 import Template

    from portal.platform.capability import MainTask, Tab
    from portal.security.permissions import Role

SERVICE_NAME = "Attendance portal"
GOVUK = "govuk_frontend_jinja"


#: The link every person signed in has. The others are declared by the capabilities.
HOME = NavigationItem("Home", "web.home", (), "Where you start.", order=0)

#: The key in `app.extensions` of the function that names the schools in scope.
#: Accounts and the web layer may not import the schools capability, so the app sets it at start-up.
SCHOOL_NAMES = "portal.school_names"


def school_names() -> Mapping[UUID, str]:
    """The names of the schools in scope, by id."""
    return cast("Mapping[UUID, str]", current_app.extensions[SCHOOL_NAMES]())


def _deny(*_question: object) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class PageContext:
    """What the layout knows: the service, the reader, their membership and their permissions.

    After `idle_minutes` without a request the person is signed out; the page warns two minutes before.
    """

    service_name: str = SERVICE_NAME
    authority_name: str | None = None
    person_name: str | None = None
    role: Role | None = None
    navigation: tuple[NavigationItem, ...] = ()
    main_tasks: Mapping[Role, MainTask] = field(default_factory=dict)
    pupil_tabs: tuple[Tab, ...] = ()
    demonstration: bool = False
    idle_minutes: int = 30
    can: Callable[..., bool] = field(default=_deny)

    @property
    def role_name(self) -> str | None:
        """The name of the role."""
        return ROLES[self.role][0] if self.role else None

    @property
    def purpose(self) -> str | None:
        """The purpose of the role, in a sentence."""
        return ROLES[self.role][1] if self.role else None

    @property
    def main_task(self) -> dict[str, str] | None:
        """The main task of the role, as words and an address. None where the app has no such page."""
        task = self.main_tasks.get(self.role) if self.role else None
        href = _address(task.target) if task else None
        return {"text": task.text, "href": href} if task and href else None

    @property
    def links(self) -> list[dict[str, Any]]:
        """The navigation links for this person, as the GOV.UK macro takes them.

        Pages this app does not have are left out.
        """
        if self.role is None:
            return []
        linked = [
            (item, href)
            for item in (HOME, *self.navigation)
            if not item.permissions or any(self.can(permission) for permission in item.permissions)
            if (href := _address(item.target)) is not None
        ]
        # The longest match wins: the address of the uploads begins that of the upload board too.
        active = max((href for _, href in linked if _is_current(href)), key=len, default="")
        return [{"text": item.text, "href": href, "active": href == active, "summary": item.summary} for item, href in linked]


def page_context() -> PageContext:
    """The context for a reader who is not signed in: no name, no navigation, no permission."""
    return PageContext(demonstration=bool(current_app.config.get("DEMONSTRATION", False)))


def _address(target: str) -> str | None:
    """The address of a target, or None when the app has no such page."""
    if target.startswith("/"):
        return target if any(rule.rule.startswith(target) for rule in current_app.url_map.iter_rules()) else None
    return url_for(target) if target in current_app.view_functions else None


def _is_current(href: str) -> bool:
    """Is this request's page at or below this address?"""
    return request.path == href or (href != "/" and request.path.startswith(href.rstrip("/") + "/"))


class GovukLoader(BaseLoader):
    """Loads the GOV.UK macros into their own Jinja environment.

    The macros rely on missing options being empty. The portal's own templates fail on a missing name instead.
    """

    def __init__(self) -> None:
        """Make the lenient environment. It escapes everything, as the app's environment does."""
        loader = ChoiceLoader([_PrefixedLoader()])
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


class _PrefixedLoader(PackageLoader):
    """Finds the package's templates under the prefixed names they import each other by."""

    def __init__(self) -> None:
        super().__init__(GOVUK)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool] | None]:
        return super().get_source(environment, template.removeprefix(f"{GOVUK}/"))


def govuk(component: str, options: dict[str, Any]) -> Markup:
    """The HTML of a GOV.UK component, named as in its guide: `govuk("button", {"text": "Continue"})`."""
    template = current_app.jinja_env.get_template(f"{GOVUK}/components/{component}/macro.html")
    macro = "govuk" + "".join(part.capitalize() for part in component.split("-"))
    return Markup(getattr(template.module, macro)(options))  # noqa: S704  the macro escapes its options


def page_address_with(query: Sequence[str] = (), **changes: object) -> str:
    """This page's address with `changes` made to its arguments.

    Arguments named in `query`, and those set to None, are left out.
    """
    unchanged = {name: values for name, values in request.args.lists() if name not in query and name not in changes}
    changed = {name: value for name, value in changes.items() if value is not None}
    return url_for(request.endpoint or "web.home", **{**(request.view_args or {}), **unchanged, **changed})


def init_app(app: Flask) -> None:
    """Set up the templates of `app`: GOV.UK macros, strict names, filters, globals and a default page context."""
    environment = app.jinja_env
    loaders = [GovukLoader(), *([environment.loader] if environment.loader else [])]
    environment.loader = ChoiceLoader(loaders)
    environment.undefined = StrictUndefined
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    environment.filters.update(formats.FILTERS)
    environment.globals.update(
        static_url=static_url,
        csp_nonce=headers.nonce,
        govuk=govuk,
        panels=panels,
        address_with=page_address_with,
        has_endpoint=lambda name: name in current_app.view_functions,
    )
    app.context_processor(lambda: {"portal": page_context()})
