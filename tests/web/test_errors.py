"""Error pages: plain words, the same for every 404, nothing of the inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import abort

from portal.web import errors
from tests.support.page_law import check_page
from tests.web.content import faults_of
from tests.web.kitchen import make_app

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.exceptions import HTTPException


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 418, 429, 500, 502, 503])
def test_every_error_is_a_page_that_holds_to_the_law(client: FlaskClient, status: int) -> None:
    answer = client.get(f"/fail/{status}")
    assert answer.status_code == status
    assert check_page(answer.text, status) == []
    assert faults_of(answer.text) == []
    assert "This is a demonstration" in answer.text


def test_every_404_has_the_same_body(client: FlaskClient) -> None:
    bodies = {client.get(path).data for path in ("/nowhere", "/fail/404", "/help/nobody", "/static/nothing.css", "/uploads/none")}
    assert len(bodies) == 1


def test_an_error_of_ours_says_nothing_of_the_inside() -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True
    answer = app.test_client().get("/break")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert check_page(answer.text, 500) == []


def test_an_error_page_does_not_ask_who_is_there() -> None:
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    app.logger.disabled = True

    def no_database() -> dict[str, object]:
        message = "no database"
        raise RuntimeError(message)

    app.context_processor(no_database)
    assert app.test_client().get("/help").status_code == 500
    assert app.test_client().get("/nowhere").status_code == 404


def test_a_page_asked_for_after_sign_out_leads_to_sign_in_and_back(client: FlaskClient) -> None:
    answer = client.get("/fail/401")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/sign-in?next=/fail/401")


@pytest.mark.parametrize("path", ["/dashboards/_dash-update-component", "/refused"])
def test_what_cannot_be_come_back_to_is_answered_401(path: str) -> None:
    app = make_app()

    @app.route("/refused", methods=["POST"])
    @app.route("/dashboards/_dash-update-component", methods=["GET", "POST"])
    def refused() -> str:
        abort(401)

    app.config["WTF_CSRF_ENABLED"] = False
    answer = app.test_client().post(path)
    assert answer.status_code == 401
    assert "/accounts/sign-in" in answer.text


def test_a_form_without_its_token_is_told_to_be_sent_again(client: FlaskClient) -> None:
    answer = client.post("/form", data={"name": "x"})
    assert answer.status_code == 400
    assert "Send the form again" in answer.text


def test_what_a_405_allows_is_kept(client: FlaskClient) -> None:
    answer = client.delete("/help")
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


def test_a_listener_hears_of_its_errors_only_and_cannot_break_the_page() -> None:
    app = make_app()
    app.logger.disabled = True
    heard: list[str] = []

    def listen(error: HTTPException) -> None:
        heard.append(error.name)
        message = "the listener is broken"
        raise RuntimeError(message)

    errors.when(app, 404, listen)
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/nowhere", "/fail/403")] == [404, 403]
    assert heard == ["Not Found"]
