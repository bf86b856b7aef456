"""The audit declares itself: the events of the authority, read by its administrator and auditor."""

from __future__ import annotations

from datetime import timedelta

from portal.platform.capability import (
    Capability,
    CommandGroup,
    Holding,
    Job,
    KeptForGood,
    MainTask,
    NavigationItem,
    Path,
    Retention,
    Subject,
)
from portal.security.permissions import Permission, Role

#: `subject_id` is the id of whatever an event is about, and so of a pupil, a child or a contact too.
_ABOUT_SUBJECT = (
    *(Path(subject, "subject_id") for subject in (Subject.CHILD, Subject.PUPIL, Subject.CONTACT)),
    Path(Subject.PERSON, "person_id"),
)

AUDIT = Capability(
    name="audit",
    summary="What was done, by whom, to what: append-only and hash-chained for each authority.",
    models="portal.audit.models",
    blueprint="portal.audit.routes.bp",
    events="portal.audit.events",
    permissions=(Permission("audit.view", "See who saw and changed what", frozenset({Role.LA_ADMINISTRATOR, Role.AUDITOR})),),
    navigation=(NavigationItem("Audit log", "audit.index", ("audit.view",), "Who saw and changed what, and when.", order=90),),
    main_tasks={Role.AUDITOR: MainTask("See who saw and changed what", "audit.index")},
    commands=(CommandGroup("audit", "the audit", "portal.audit.commands.audit"),),
    jobs=(Job("audit.seal_reads", "portal.audit.actions.seal_reads", every=timedelta(minutes=1)),),
    holdings=(
        Holding("audit_event", "What was done, and by whom", _ABOUT_SUBJECT, also_about="Who did it, by their id alone."),
        Holding("read_log", "Who read the record", _ABOUT_SUBJECT, also_about="Who read it, by their id alone."),
    ),
    retention=(
        Retention("audit_event", KeptForGood(), "The record of what was done is never changed or removed."),
        Retention("audit_head", KeptForGood(), "The newest link of each authority's chain."),
        Retention("read_log", KeptForGood(), "Who saw a child's record is never changed or removed; events of the chain seal it."),
    ),
)
