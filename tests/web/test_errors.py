"""Error pages: plain words, the same for every 404, and no internal detail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import abort

from portal.web import errors
from tests.support.page_law import check_page
from tests.web.component_gallery import make_app
from tests.web.content import faults_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.exceptions import HTTPException


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 418, 422, 429, 500, 502, 503])
def test_every_error_page_keeps_the_page_law(client: FlaskClient, status: int) -> None:
    response = client.get(f"/fail/{status}")
    assert response.status_code == status
    assert check_page(response.text, status) == []
    assert faults_of(response.text) == []
    assert "This is a demonstration" in response.text


def test_every_404_has_the_same_body(client: FlaskClient) -> None:
    bodies = {client.get(path).data for path in ("/nowhere", "/fail/404", "/help/nobody", "/static/nothing.css", "/uploads/none")}
    assert len(bodies) == 1


def test_something_that_is_not_there_is_the_same_404(client: FlaskClient) -> None:
    response = client.get("/refuse/missing")
    assert response.status_code == 404
    assert response.data == client.get("/nowhere").data


@pytest.mark.parametrize(("kind", "status", "sentence"), [("refused", 422, "Apply"), ("conflict", 409, "Somebody else applied")])
def test_a_refusal_no_form_shows_is_a_page_with_its_sentence(client: FlaskClient, kind: str, status: int, sentence: str) -> None:
    response = client.get(f"/refuse/{kind}")
    assert response.status_code == status
    assert sentence in response.text
    assert check_page(response.text, status) == []


def test_an_unexpected_error_shows_no_internal_detail() -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True
    response = app.test_client().get("/break")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "Traceback" not in response.text
    assert check_page(response.text, 500) == []


def test_an_error_page_does_not_need_the_signed_in_person() -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True

    def no_database() -> dict[str, object]:
        message = "no database"
        raise RuntimeError(message)

    app.context_processor(no_database)
    assert app.test_client().get("/help").status_code == 500
    assert app.test_client().get("/nowhere").status_code == 404


def test_a_page_opened_after_sign_out_redirects_to_sign_in_and_back(client: FlaskClient) -> None:
    response = client.get("/fail/401")
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/sign-in?next=/fail/401")


@pytest.mark.parametrize("path", ["/dashboards/_dash-update-component", "/unauthorised"])
def test_a_request_that_cannot_be_repeated_is_answered_401(path: str) -> None:
    app = make_app()

    @app.route("/unauthorised", methods=["POST"])
    @app.route("/dashboards/_dash-update-component", methods=["GET", "POST"])
    def unauthorised() -> str:
        abort(401)

    app.config["WTF_CSRF_ENABLED"] = False
    response = app.test_client().post(path)
    assert response.status_code == 401
    assert "/accounts/sign-in" in response.text


def test_a_form_without_its_token_asks_to_be_sent_again(client: FlaskClient) -> None:
    response = client.post("/form", data={"name": "x"})
    assert response.status_code == 400
    assert "Send the form again" in response.text


def test_a_405_page_carries_the_allow_header(client: FlaskClient) -> None:
    response = client.delete("/help")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_listener_gets_only_its_own_errors_and_cannot_break_the_page() -> None:
    app = make_app()
    app.logger.disabled = True
    names: list[str] = []

    def listen(error: HTTPException) -> None:
        names.append(error.name)
        message = "the listener is broken"
        raise RuntimeError(message)

    errors.add_listener(app, 404, listen)
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/nowhere", "/fail/403")] == [404, 403]
    assert names == ["Not Found"]
