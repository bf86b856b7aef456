"""Pages: the layout, strict templates, navigation by permission, and the portal's own components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import lxml.html
import pytest
from flask import g, render_template_string
from jinja2 import TemplateNotFound, UndefinedError

from portal import capabilities
from portal.security.permissions import PERMISSIONS, Role, role_has
from portal.web.templating import HOME, PageContext
from tests.support.page_law import check_page
from tests.web.component_gallery import make_app

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

PATHS = ["/components", "/components?sort=-rate", "/form", "/", "/help", "/help/codes", "/accessibility", "/privacy"]


def rendered(app: Flask, template: str, **values: Any) -> lxml.html.HtmlElement:
    with app.test_request_context("/components?sort=name&phase=p"):
        html = render_template_string(f'{{% import "components.html" as c %}}<div>{template}</div>', **values)
    return lxml.html.fragment_fromstring(html)


def layout(app: Flask, page: PageContext, path: str = "/uploads/new") -> lxml.html.HtmlElement:
    with app.test_request_context(path):
        g.page = page
        html = render_template_string('{% extends "layout.html" %}{% block h1 %}A page{% endblock %}', portal=page)
        assert check_page(html, 200) == []
    return lxml.html.document_fromstring(html)


@pytest.mark.parametrize("path", [*PATHS, *[f"/help/{role.value}" for role in Role]])
def test_every_page_keeps_the_page_law(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert check_page(response.text, 200, response.headers["Content-Security-Policy"]) == []


def test_an_unknown_name_in_a_template_is_an_error(gallery: Flask) -> None:
    with gallery.test_request_context(), pytest.raises(UndefinedError):
        render_template_string("{{ unknown_name }}")
    with gallery.test_request_context(), pytest.raises(TemplateNotFound):
        render_template_string('{% include "gone.html" %}')


def test_values_are_escaped_in_templates_and_in_govuk_components(gallery: Flask) -> None:
    evil = "<script>alert(1)</script>"
    template = '{{ evil }}{{ govuk("tag", {"text": evil}) }}{{ c.tag(evil) }}{{ c.table(evil, [{"text": evil}], [[evil]]) }}'
    page = rendered(gallery, template, evil=evil)
    assert not page.xpath("//script")
    assert page.text_content().count(evil) == 6


def test_the_govuk_macros_can_also_be_imported(gallery: Flask) -> None:
    template = '{% from "govuk_frontend_jinja/components/tag/macro.html" import govukTag %}{{ govukTag({"text": "New"}) }}'
    assert "New" in rendered(gallery, template).text_content()


@pytest.mark.parametrize("role", list(Role))
def test_navigation_shows_pages_the_role_may_open_and_the_app_has(gallery: Flask, role: Role) -> None:
    page = PageContext(
        authority_name="Here",
        person_name="Ana",
        role=role,
        navigation=capabilities.navigation(),
        can=lambda permission: role_has(role, permission),
    )
    with gallery.test_request_context("/"):
        texts = [link["text"] for link in page.links]
    allowed = {
        item.text
        for item in (HOME, *capabilities.navigation())
        if not item.permissions or any(role_has(role, permission) for permission in item.permissions)
    }
    assert set(texts) == allowed - {"Comparison", "Published figures", "Authorities", "Audit log", "Settings"}


def test_a_navigation_item_needs_an_existing_permission() -> None:
    assert all(permission in PERMISSIONS for item in capabilities.navigation() for permission in item.permissions)


def test_the_layout_shows_the_reader_and_their_membership(gallery: Flask) -> None:
    page = layout(
        gallery,
        PageContext(
            authority_name="Northmoor",
            person_name="Ana",
            role=Role.AUDITOR,
            navigation=capabilities.navigation(),
            can=lambda _permission: True,
        ),
    )
    header = " ".join(page.xpath("//header")[0].text_content().split())
    assert all(words in header for words in ("Northmoor", "Ana", "Auditor", "Switch", "Sign out"))
    assert page.xpath("//header//form/@action") == ["/accounts/sign-out"]
    assert page.xpath("string(//header//a[@aria-current])").strip() == "Uploads"
    assert page.xpath("string(//title)") == "A page \u2013 Attendance portal"


def test_before_sign_in_the_navigation_has_only_help_and_sign_in(gallery: Flask) -> None:
    page = layout(gallery, PageContext())
    assert [link.text_content().strip() for link in page.xpath("//header//a")] == ["Attendance portal", "Sign in", "Help"]
    assert "demonstration" not in page.text_content()
    assert not page.xpath("//dialog")


def test_the_demonstration_says_so(gallery: Flask) -> None:
    assert "This is a demonstration." in layout(gallery, PageContext(demonstration=True)).text_content()


def test_help_and_the_footer_are_in_the_same_place_on_each_page(client: FlaskClient) -> None:
    for path in PATHS:
        page = lxml.html.document_fromstring(client.get(path).text)
        assert page.xpath("//header//nav//li[last()]/a/@href")[-1] == "/help"
        assert page.xpath("//footer//a/@href") == ["/accessibility", "/privacy", "/help"]


def test_a_partner_with_nothing_shared_sees_what_to_do() -> None:
    app = make_app()
    app.before_request(lambda: setattr(g, "page", PageContext(person_name="Ana", role=Role.PARTNER, can=lambda _permission: False)))
    response = app.test_client().get("/")
    assert "Nothing is shared with you yet" in response.text
    assert check_page(response.text, 200) == []


def test_a_table_heads_its_rows_and_aligns_its_numbers(gallery: Flask) -> None:
    page = rendered(
        gallery,
        '{{ c.table("Marks", [{"text": "School"}, {"text": "Marks", "number": true}], rows) }}',
        rows=[["Alder", "12"], [{"text": "Elm", "href": "/elm", "note": "URN 1"}, None]],
    )
    assert page.xpath("string(.//caption)") == "Marks"
    assert [(heading.get("scope"), heading.text_content().strip()) for heading in page.xpath(".//th")][2:] == [
        ("row", "Alder"),
        ("row", "ElmURN 1"),
    ]
    assert page.xpath("count(.//*[@class='portal-number'])") == 3
    assert page.xpath(".//tbody//a/@href") == ["/elm"]
    assert page.xpath("string(.//tbody/tr[2]/td)") == "no data"


def test_sorting_is_a_link_that_keeps_the_filters_and_starts_again(client: FlaskClient) -> None:
    page = lxml.html.document_fromstring(client.get(f"/components?sort=rate&after={UUID(int=1)}").text)
    assert page.xpath("//th[@aria-sort]/@aria-sort") == ["ascending"]
    assert page.xpath("//thead//a/@href") == ["/components?sort=name", "/components?sort=marks", "/components?sort=-rate"]
    assert page.xpath("//nav[@aria-label='Pagination']//a/@href") == [
        "/components?sort=rate&before=abc",
        "/components?sort=rate&after=def",
    ]


def test_a_session_has_words_for_screen_readers(gallery: Flask) -> None:
    cell_template = (
        '{{ c.code_cell("O", "Tuesday", "AM") }}{{ c.closed_cell("Friday", "PM") }}{{ c.code_cell(none, "Monday", "AM") }}'
    )
    page = rendered(gallery, f"<table><tr>{cell_template}</tr></table>")
    cells = page.xpath(".//td")
    assert [cell.xpath("string(span[@class='govuk-visually-hidden'])") for cell in cells] == [
        "Tuesday AM, code O, unauthorised absence",
        "Friday PM, not a school session",
        "Monday AM, no mark",
    ]
    assert [cell.xpath("string(span[@aria-hidden])") for cell in cells] == ["O", "\u2013", "·"]
    assert cells[0].get("class") == "portal-mark portal-mark--4"


def test_a_figure_is_named_by_its_finding_and_has_its_table_and_csv(client: FlaskClient) -> None:
    page = lxml.html.document_fromstring(client.get("/components").text)
    [figure] = page.xpath("//figure")
    name = page.get_element_by_id(figure.get("aria-labelledby")).text_content()
    assert name.startswith("Attendance was 2.1 percentage points above")
    assert figure.xpath("string(.//details//caption)") == name
    assert figure.xpath(".//p[@class='portal-figure__actions']/a/@href") == ["/components"]


def test_progress_is_a_live_region_with_a_plain_link(client: FlaskClient) -> None:
    page = lxml.html.document_fromstring(client.get("/components").text)
    [block] = page.xpath("//*[@data-progress]")
    assert block.xpath("string(.//*[@role='status'])") == "Reading rows: 4,000 of 12,000"
    assert (block.xpath("string(.//progress/@value)"), block.xpath("string(.//progress/@max)")) == ("4000", "12000")
    assert block.xpath("string(.//a/@href)") == "/components"


def test_a_button_that_changes_something_is_a_form_with_its_token(gallery: Flask) -> None:
    page = rendered(gallery, '{{ c.button_form("/undo", "Undo", "warning", values={"id": "1"}, about="this file") }}')
    assert {field.get("name") for field in page.xpath(".//form[@method='post']//input")} == {"csrf_token", "id"}
    assert " ".join(page.xpath(".//button")[0].text_content().split()) == "Undo this file"


def test_steps_say_whether_they_are_done(gallery: Flask) -> None:
    page = rendered(gallery, '{{ c.timeline([{"title": "Received"}, {"title": "Applied", "state": "next"}]) }}')
    assert [heading.text_content() for heading in page.xpath(".//h3")] == ["Received (done)", "Applied (not yet)"]
