"""Injection attacks that need no browser (INJ-01, 03, 05, 07, 10, 11 and AUD-06)."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import pickle
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from pypdf import PdfReader
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import select, update

from config import logging as logs
from migrations.owned import OF_SIGNING_IN
from migrations.tables import METADATA
from portal.accounts.models import Mail
from portal.audit.models import AuditEvent, ReadLog
from portal.db.work import sign_in_rights, tx, unit_of_work
from portal.pupils.models import Pupil, RollLine
from portal.schools.models import School
from portal.security.permissions import ANYONE_SIGNED_IN, OPEN, PERMISSIONS, Role, permission_of, role_has
from tests.support import objects, servers
from tests.support.world import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from sqlalchemy import Table
    from werkzeug.routing import Rule

    from config.settings import Settings
    from tests.support.browser import Browser
    from tests.support.world import World

HOSTILE = ("'", "' OR '1'='1", "'; DROP TABLE pupil; --", "%' OR 1=1 --", "\\", "\x00")
#: The query parameters of each address.
ARGUMENTS = {
    "/audit": ("after", "before"),
    "/dashboards/": ("measure", "phase", "sort", "year"),
    "/dashboards/schools/{school_id}": ("measure", "year"),
    "/dashboards/schools/{school_id}/pupils": ("year", "year-group"),
    "/people": ("after", "before", "named"),
    "/pupils": ("after", "before", "school", "show", "sort", "year-group"),
    "/pupils/matches": ("after", "before"),
    "/pupils/on-two-rolls": ("after", "before"),
    "/pupils/{pupil_id}": ("as-at", "line"),
    "/pupils/{pupil_id}/certificate.pdf": ("as-at", "line"),
    "/roles": ("next",),
    "/schools": ("after", "before", "phase", "sort"),
    "/sign-in": ("next",),
    "/term-dates": ("year",),
    "/uploads": ("after", "before"),
    "/uploads/own-marks": ("school",),
}


def _allowed_rules(app: Flask, role: Role, method: str) -> Iterator[Rule]:
    """The rules that accept this method and are open to the role, without Dash's own and without files."""
    for rule in app.url_map.iter_rules():
        permission = permission_of(app.view_functions[rule.endpoint]) or ""
        is_allowed = permission in {OPEN, ANYONE_SIGNED_IN} or (permission in PERMISSIONS and role_has(role, permission))
        if method in (rule.methods or ()) and is_allowed and "/dashboards/_" not in rule.rule and "path" not in rule.arguments:
            yield rule


def _address(app: Flask, rule: Rule, ids: dict[str, object]) -> str:
    arguments = {
        **ids,
        "role": "headteacher",
        "token": "x",
        "name": "x",
        "setting": "two_schools",
        "filename": "x",
        "release_id": ids["school_id"],
    }
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, {name: arguments[name] for name in rule.arguments}))


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_sql_in_a_parameter_is_read_as_text(world: World, signed_in: Callable[..., Browser], text: str) -> None:
    """Attack INJ-01."""
    ids, browser = objects.make_objects(world.authority), signed_in(Role.LA_ADMINISTRATOR)
    addresses = [f"{path.format(**ids)}?{name}={quote(text)}" for path, names in ARGUMENTS.items() for name in names]
    statuses = {address: browser.client.get(address).status_code for address in addresses}
    assert {address: status for address, status in statuses.items() if status >= 500} == {}
    browser.get("/pupils")
    if "\0" in text:
        browser.get(f"/people?named={quote(text)}", status=400)
        browser.get("/pupils")
        browser.post("/pupils/search", {"name": text}, status=400)
    else:
        assert "No pupil found" in browser.post("/pupils/search", {"name": text}).text
        assert browser.get(f"/people?named={quote(text)}").h1 == "People"


def test_wildcards_in_a_search_for_people_are_read_as_text(world: World, signed_in: Callable[..., Browser]) -> None:
    """Attack INJ-01."""
    browser = signed_in(Role.LA_ADMINISTRATOR)
    assert "Auditor Example" in browser.get("/people?named=auditor").text
    for text in ("%", "_", "a%r", "' OR ''='"):
        assert "Nobody was found" in browser.get(f"/people?named={quote(text)}").text, text


NUL_FORMS = {
    "/term-dates/closed-days/new": {"name": "x\0"},
    "/schools/new": {"name": "x\0"},
    "/uploads/{upload_id}/undo": {"reason": "x\0"},
    "/uploads/own-marks?school={school_id}": {"mark": "x\0"},
    "/uploads/new": {"file": (io.BytesIO(b"UPN,Date"), "x\0.csv")},
}


@pytest.mark.parametrize("path", NUL_FORMS)
def test_a_nul_character_in_a_form_is_rejected(world: World, signed_in: Callable[..., Browser], path: str) -> None:
    """Attack INJ-01."""
    browser, address = signed_in(Role.LA_ADMINISTRATOR), path.format(**objects.make_objects(world.authority))
    browser.post(address, NUL_FORMS[path], status=400, token_from=address)


#: A surname full of Typst: code that reads files, markup, mathematics, a label, a reference, and every closing bracket.
TYPST = '#read("/etc/hostname") #image("/etc/passwd") $ x^2 $ *bold* @nobody <label> #panic("x") ] ) } " \\'


def test_typst_code_in_a_name_is_printed_as_text(world: World, signed_in: Callable[..., Browser]) -> None:
    """Attack INJ-03."""
    ids = objects.make_objects(world.authority)

    def rename() -> None:
        tx().execute(update(Pupil).where(Pupil.id == ids["pupil_id"]).values(surname=TYPST))
        tx().execute(update(School).where(School.id == ids["school_id"]).values(name=TYPST))
        tx().execute(update(RollLine).where(RollLine.pupil_id == ids["pupil_id"]).values(registration_group=TYPST))

    with unit_of_work(world.authority.scope(Role.LA_MANAGER)):
        write_rows(rename)
    answer = signed_in(Role.LA_MANAGER).client.get(f"/pupils/{ids['pupil_id']}/certificate.pdf")
    assert answer.status_code == 200
    pdf = PdfReader(io.BytesIO(answer.data))
    assert "".join(pdf.pages[0].extract_text().split()).count("".join(TYPST.split())) == 3
    assert not pdf.attachments
    assert b"/URI" not in answer.data
    assert "/OpenAction" not in pdf.root_object


def test_a_log_message_cannot_forge_another_line(settings: Settings) -> None:
    """Attack INJ-05."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure(settings, stream)
    try:
        logging.getLogger("portal").warning("no such page: %s", 'x\n{"event": "forged"}\r\u2028\x1b[2J')
    finally:
        root.handlers[:], root.level = handlers, level
    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["event"].startswith("no such page: x\n{")
    assert "\x1b" not in line


class Bomb:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        """Store the folder to make."""
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        """The call that unpickling makes."""
        return os.mkdir, (str(self.folder),)


def test_a_pickled_job_is_not_run(tmp_path: Path) -> None:
    """Attack INJ-07."""
    folder = tmp_path / "made"
    pickle.loads(pickle.dumps(Bomb(folder)))  # noqa: S301  shows that the bomb works
    folder.rmdir()
    with Redis.from_url(os.environ[servers.REDIS]) as redis:
        rq_queue = Queue("planted", connection=redis, serializer=JSONSerializer)
        job = Job.create("portal.jobs.running.run", args=("x",), connection=redis, serializer=JSONSerializer, origin="planted")
        job.save()
        redis.hset(job.key, "data", pickle.dumps(Bomb(folder)))
        redis.rpush(rq_queue.key, job.id)
        SimpleWorker([rq_queue], connection=redis, serializer=JSONSerializer).work(burst=True, logging_level="CRITICAL")
        assert rq_queue.count == 0
        redis.delete(job.key)
    assert not folder.exists()


@pytest.mark.parametrize("role", [Role.LA_ADMINISTRATOR, Role.SCHOOL_ADMINISTRATOR])
def test_a_post_without_the_token_is_rejected_everywhere(
    app: Flask, world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    """Attack INJ-10."""
    ids, browser = objects.make_objects(world.authority), signed_in(role)
    addresses = [_address(app, rule, ids) for rule in _allowed_rules(app, role, "POST")]
    assert len(addresses) > 20
    headers = {"Origin": "http://localhost"}
    statuses = {address: browser.client.post(address, headers=headers).status_code for address in addresses}
    assert {address: status for address, status in statuses.items() if status != 400} == {}


@pytest.mark.parametrize("role", [Role.LA_ADMINISTRATOR, Role.SCHOOL_ADMINISTRATOR])
def test_a_get_request_changes_nothing(app: Flask, world: World, signed_in: Callable[..., Browser], role: Role) -> None:
    """Attack INJ-10."""
    ids, browser = objects.make_objects(world.authority), signed_in(role)
    before, changing_endpoints = _table_hashes(world), []
    for rule in _allowed_rules(app, role, "GET"):
        browser.client.get(_address(app, rule, ids))
        if (after := _table_hashes(world)) != before:
            changing_endpoints.append(rule.endpoint)
            before = after
    assert changing_endpoints == []


#: Tables that reading a page writes to: the audit, and when a sign-in was last used.
WRITTEN_BY_READING = {"read_log", "sign_in"}


def _table_hashes(world: World) -> dict[str, str]:
    """The hash of every table's rows, without the tables that reading a page writes to."""
    names = METADATA.tables.keys() - WRITTEN_BY_READING
    with unit_of_work(world.authority.scope(Role.LA_MANAGER)):
        hashes = {name: _rows_hash(METADATA.tables[name]) for name in names - OF_SIGNING_IN}
        with sign_in_rights():
            return hashes | {name: _rows_hash(METADATA.tables[name]) for name in names & OF_SIGNING_IN}


def _rows_hash(table: Table) -> str:
    return hashlib.sha256(str(sorted(map(str, tx().execute(select(table))))).encode()).hexdigest()


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PUT", "DELETE", "PATCH"])
def test_other_http_methods_are_rejected(world: World, signed_in: Callable[..., Browser], method: str) -> None:
    """Attack INJ-11."""
    ids = objects.make_objects(world.authority)
    answer = signed_in(Role.LA_ADMINISTRATOR).client.open(
        f"/schools/{ids['school_id']}", method=method, headers={"Origin": "http://localhost"}
    )
    assert answer.status_code in {400, 405}


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_a_header_cannot_turn_a_get_into_a_post(world: World, signed_in: Callable[..., Browser], name: str) -> None:
    """Attack INJ-11."""
    ids, browser = objects.make_objects(world.authority), signed_in(Role.LA_ADMINISTRATOR)
    path = f"/people/{ids['membership_id']}/end"
    assert browser.client.get(path, headers={name: "POST"}).status_code == 200
    assert browser.client.get(f"{path}?_method=POST").status_code == 200
    browser.get(f"/people/{ids['membership_id']}")


@pytest.mark.parametrize("forwarded", [{}, {"X-Forwarded-Host": "evil.example"}], ids=["Host", "X-Forwarded-Host"])
def test_a_forged_host_is_not_used_in_mail(world: World, browser: Browser, forwarded: dict[str, str]) -> None:
    """Attack INJ-11."""
    request: dict[str, Any] = {"base_url": "http://localhost" if forwarded else "http://evil.example", "headers": forwarded}
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', browser.client.get("/reset", **request).text)
    values = {"csrf_token": token, "email": f"la-officer@{world.authority.slug}.example"}
    assert browser.client.post("/reset", data=values, **request).status_code == 302
    with unit_of_work(None):
        [body] = tx().scalars(select(Mail.body))
    assert "/reset/links/" in str(body)
    assert "evil" not in str(body)


def test_an_address_cannot_write_a_name_into_the_audit(world: World, signed_in: Callable[..., Browser]) -> None:
    """Attack AUD-06."""
    ids = objects.make_objects(world.authority)
    signed_in(Role.HEADTEACHER).get(f"/dashboards/schools/{ids['school_id']}/pupils?year-group=Robin+Marsh", status=400)
    with unit_of_work(world.authority.scope(Role.AUDITOR)):
        recorded = [*tx().scalars(select(AuditEvent.facts)), *tx().scalars(select(ReadLog.facts))]
    assert [facts for facts in recorded if "Robin" in str(facts)] == []
