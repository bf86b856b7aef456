"""Dashboards declare themselves: schools compared with their authority and England."""

from __future__ import annotations

from portal.platform.capability import Capability, MainTask, NavigationItem
from portal.security.permissions import LA_STAFF, SCHOOL_STAFF, Permission, Role

_OWN_SCHOOL = MainTask("Compare your school", "/dashboards/")

DASHBOARDS = Capability(
    name="dashboards",
    summary="Schools compared with their authority's average and the national rate.",
    blueprint="dashboards.routes.bp",
    events="dashboards.events",
    permissions=(Permission("measures.view", "Compare schools", LA_STAFF | SCHOOL_STAFF | {Role.TRUST_LEAD}),),
    navigation=(
        NavigationItem(
            "Comparison",
            "/dashboards/",
            ("measures.view",),
            "Attendance and absence compared with the authority's average and the national rate, week by week.",
            order=10,
        ),
    ),
    main_tasks={
        Role.LA_MANAGER: MainTask("Compare every school", "/dashboards/"),
        Role.ATTENDANCE_LEAD: _OWN_SCHOOL,
        Role.HEADTEACHER: _OWN_SCHOOL,
        Role.TRUST_LEAD: MainTask("Compare your schools", "/dashboards/"),
    },
)
