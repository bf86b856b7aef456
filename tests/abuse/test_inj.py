"""Injection without a browser, INJ-01, 03, 05, 07, 10 and 11: parameters, papers, logs, the queue, forged requests, Host."""

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
from migrations.tables import METADATA
from portal.accounts.models import Mail
from portal.audit.models import AuditEvent
from portal.db import tx, unit_of_work
from portal.permissions import ANYONE_SIGNED_IN, OPEN, PERMISSIONS, Role, permission_of
from portal.pupils.models import Pupil, RollLine
from portal.schools.models import School
from tests.support import objects, servers
from tests.support.world import furnish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flask import Flask
    from werkzeug.routing import Rule

    from config.settings import Settings
    from tests.support.browser import Browser
    from tests.support.world import World

HOSTILE = ("'", "' OR '1'='1", "'; DROP TABLE pupil; --", "%' OR 1=1 --", "\\", "\x00")
#: Every argument of an address, where it is read.
ARGUMENTS = {
    "/audit": ("before",),
    "/dashboards/": ("measure", "phase", "sort", "year"),
    "/dashboards/schools/{school_id}": ("measure", "year"),
    "/dashboards/schools/{school_id}/pupils": ("year", "year-group"),
    "/people": ("named", "page"),
    "/pupils": ("after", "before", "school", "show", "sort", "year-group"),
    "/pupils/{pupil_id}": ("as-at", "line"),
    "/pupils/{pupil_id}/certificate.pdf": ("as-at", "line"),
    "/roles": ("next",),
    "/schools": ("phase", "sort"),
    "/sign-in": ("next",),
    "/term-dates": ("year",),
    "/uploads/own-marks": ("school",),
}


def _pages(app: Flask, role: Role, method: str) -> Iterator[Rule]:
    """The addresses of a role that take this method, Dash's own and files apart."""
    for rule in app.url_map.iter_rules():
        permission = permission_of(app.view_functions[rule.endpoint]) or ""
        may = permission in {OPEN, ANYONE_SIGNED_IN} or role in PERMISSIONS.get(permission, ())
        if method in (rule.methods or ()) and may and "/dashboards/_" not in rule.rule and "path" not in rule.arguments:
            yield rule


def _address(app: Flask, rule: Rule, ids: dict[str, object]) -> str:
    known = {**ids, "role": "headteacher", "token": "x", "name": "x", "filename": "x", "release_id": ids["school_id"]}
    with app.test_request_context():
        return str(app.url_map.bind("localhost").build(rule.endpoint, {name: known[name] for name in rule.arguments}))


@pytest.mark.parametrize("text", HOSTILE, ids=repr)
def test_inj_01_a_parameter_is_text_to_the_database(world: World, signed_in: Callable[..., Browser], text: str) -> None:
    ids, browser = objects.made(world.here), signed_in(Role.LA_ADMINISTRATOR)
    asked = [f"{path.format(**ids)}?{name}={quote(text)}" for path, names in ARGUMENTS.items() for name in names]
    told = {one: browser.client.get(one).status_code for one in asked}
    assert {one: status for one, status in told.items() if status >= 500} == {}
    assert browser.get(f"/people?named={quote(text)}").h1 == "People"
    browser.get("/pupils")
    if "\0" in text:
        browser.post("/pupils/search", {"name": text}, status=400)
    else:
        assert "No pupil found" in browser.post("/pupils/search", {"name": text}).text


def test_inj_01_the_people_found_are_those_named(world: World, signed_in: Callable[..., Browser]) -> None:
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
def test_inj_01_a_sign_the_database_cannot_keep_is_refused(world: World, signed_in: Callable[..., Browser], path: str) -> None:
    browser, address = signed_in(Role.LA_ADMINISTRATOR), path.format(**objects.made(world.here))
    browser.post(address, NUL_FORMS[path], status=400, token_from=address)


#: A surname that is Typst: code that reads files, markup, mathematics, a label, a reference, an end of everything around it.
TYPST = '#read("/etc/hostname") #image("/etc/passwd") $ x^2 $ *bold* @nobody <label> #panic("x") ] ) } " \\'


def test_inj_03_markup_on_paper_is_printed_as_it_was_typed(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.made(world.here)

    def typeset() -> None:
        tx().execute(update(Pupil).where(Pupil.id == ids["pupil_id"]).values(surname=TYPST))
        tx().execute(update(School).where(School.id == ids["school_id"]).values(name=TYPST))
        tx().execute(update(RollLine).where(RollLine.pupil_id == ids["pupil_id"]).values(registration_group=TYPST))

    with unit_of_work(world.here.scope(Role.LA_MANAGER)):
        furnish(typeset)
    answer = signed_in(Role.LA_MANAGER).client.get(f"/pupils/{ids['pupil_id']}/certificate.pdf")
    assert answer.status_code == 200
    paper = PdfReader(io.BytesIO(answer.data))
    assert "".join(paper.pages[0].extract_text().split()).count("".join(TYPST.split())) == 3
    assert not paper.attachments
    assert b"/URI" not in answer.data
    assert "/OpenAction" not in paper.root_object


def test_inj_05_what_a_log_is_told_stays_on_its_line(settings: Settings) -> None:
    root = logging.getLogger()
    kept, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure(settings, stream)
    try:
        logging.getLogger("portal").warning("no such page: %s", 'x\n{"event": "forged"}\r\u2028\x1b[2J')
    finally:
        root.handlers[:], root.level = kept, level
    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["event"].startswith("no such page: x\n{")
    assert "\x1b" not in line


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        """Say which."""
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        """What unpickling does."""
        return os.mkdir, (str(self.folder),)


def test_inj_07_a_pickled_job_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    pickle.loads(pickle.dumps(Bomb(folder)))  # noqa: S301  to see that it would
    folder.rmdir()
    with Redis.from_url(os.environ[servers.REDIS]) as redis:
        planted = Queue("planted", connection=redis, serializer=JSONSerializer)
        job = Job.create("workers.jobs.run", args=("x",), connection=redis, serializer=JSONSerializer, origin="planted")
        job.save()
        redis.hset(job.key, "data", pickle.dumps(Bomb(folder)))
        redis.rpush(planted.key, job.id)
        SimpleWorker([planted], connection=redis, serializer=JSONSerializer).work(burst=True, logging_level="CRITICAL")
        assert planted.count == 0
        job.delete()
    assert not folder.exists()


@pytest.mark.parametrize("role", [Role.LA_ADMINISTRATOR, Role.SCHOOL_ADMINISTRATOR])
def test_inj_10_nothing_is_changed_without_the_token(
    app: Flask, world: World, signed_in: Callable[..., Browser], role: Role
) -> None:
    ids, browser = objects.made(world.here), signed_in(role)
    addresses = [_address(app, rule, ids) for rule in _pages(app, role, "POST")]
    assert len(addresses) > 20
    told = {one: browser.client.post(one, headers={"Origin": "http://localhost"}).status_code for one in addresses}
    assert {one: status for one, status in told.items() if status != 400} == {}


@pytest.mark.parametrize("role", [Role.LA_ADMINISTRATOR, Role.SCHOOL_ADMINISTRATOR])
def test_inj_10_looking_changes_nothing(app: Flask, world: World, signed_in: Callable[..., Browser], role: Role) -> None:
    ids, browser = objects.made(world.here), signed_in(role)
    before, changed = _everything(world), []
    for rule in _pages(app, role, "GET"):
        browser.client.get(_address(app, rule, ids))
        if (after := _everything(world)) != before:
            changed.append(rule.endpoint)
            before = after
    assert changed == []


def _everything(world: World) -> dict[str, str]:
    """Every table an action writes to, as one text each. What is kept of who looked, and when, is another thing."""
    with unit_of_work(world.here.scope(Role.LA_MANAGER)):
        tables = [one for one in METADATA.sorted_tables if one.name not in LOOKING]
        return {one.name: hashlib.sha256(str(sorted(map(str, tx().execute(select(one))))).encode()).hexdigest() for one in tables}


#: Written whenever somebody looks: the audit, and when a sign-in was last used.
LOOKING = {"audit_event", "audit_head", "sign_in"}


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PUT", "DELETE", "PATCH"])
def test_inj_11_no_other_method_does_anything(world: World, signed_in: Callable[..., Browser], method: str) -> None:
    ids = objects.made(world.here)
    answer = signed_in(Role.LA_ADMINISTRATOR).client.open(
        f"/schools/{ids['school_id']}", method=method, headers={"Origin": "http://localhost"}
    )
    assert answer.status_code in {400, 405}


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_inj_11_no_header_makes_a_post_of_a_get(world: World, signed_in: Callable[..., Browser], name: str) -> None:
    ids, browser = objects.made(world.here), signed_in(Role.LA_ADMINISTRATOR)
    path = f"/people/{ids['membership_id']}/end"
    assert browser.client.get(path, headers={name: "POST"}).status_code == 200
    assert browser.client.get(f"{path}?_method=POST").status_code == 200
    browser.get(f"/people/{ids['membership_id']}")


@pytest.mark.parametrize("forwarded", [{}, {"X-Forwarded-Host": "evil.example"}], ids=["Host", "X-Forwarded-Host"])
def test_inj_11_a_poisoned_host_is_in_no_mail(world: World, browser: Browser, forwarded: dict[str, str]) -> None:
    asked: dict[str, Any] = {"base_url": "http://localhost" if forwarded else "http://evil.example", "headers": forwarded}
    [token, *_] = re.findall(r'name="csrf_token" value="([^"]+)"', browser.client.get("/reset", **asked).text)
    values = {"csrf_token": token, "email": f"la-officer@{world.here.slug}.example"}
    assert browser.client.post("/reset", data=values, **asked).status_code == 302
    with unit_of_work(None):
        [body] = tx().scalars(select(Mail.body))
    assert "/reset/links/" in str(body)
    assert "evil" not in str(body)


def test_aud_06_an_address_cannot_write_its_own_words_into_the_audit(world: World, signed_in: Callable[..., Browser]) -> None:
    ids = objects.made(world.here)
    signed_in(Role.HEADTEACHER).get(f"/dashboards/schools/{ids['school_id']}/pupils?year-group=Robin+Marsh", status=400)
    with unit_of_work(world.here.scope(Role.AUDITOR)):
        assert [one for one in tx().scalars(select(AuditEvent.facts)) if "Robin" in str(one)] == []
