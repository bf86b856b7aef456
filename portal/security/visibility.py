"""Who may see the rows of an owned table, as its model says.

The migrations write it into PostgreSQL's row security. No condition reads another table. PostgreSQL would ask that table's
own policy for every row, and Citus refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass

# Each setting stands in a scalar subquery, which PostgreSQL works out once a statement. Unwrapped it is parsed again
# for every row: counting a trust's 30 schools took ten times as long.
_AUTHORITY = "authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)"
_EVERY_SCHOOL = "(SELECT current_setting('app.schools', true) = '*')"


def _ids(setting: str) -> str:
    """The ids a setting lists, as an array; no ids where it is empty or says '*'."""
    listed = f"nullif(nullif(current_setting('{setting}', true), '*'), '')"
    return f"ANY ((SELECT string_to_array({listed}, ',')::uuid[])::uuid[])"


@dataclass(frozen=True, slots=True)
class Visibility:
    """The condition under which the portal's role sees a row of the authority in scope."""

    condition: str | None
    #: The column by which alone a school's scope sees rows, so that a query may name its schools too and use an index.
    school_column: str | None = None

    @property
    def sql(self) -> str:
        """The whole condition, as a policy takes it."""
        return _AUTHORITY if self.condition is None else f"{_AUTHORITY} AND ({self.condition})"

    @property
    def sql_without_subqueries(self) -> str:
        """The same condition with each setting read bare: Citus refuses subqueries in the policies of distributed tables."""
        return self.sql.replace("(SELECT ", "(")


def whole_authority() -> Visibility:
    """Everyone in the authority's scope sees every row: for rows that are about no school and no pupil."""
    return Visibility(None)


def authority_only() -> Visibility:
    """Only a scope of every school sees the rows, which link the records of several schools."""
    return Visibility(_EVERY_SCHOOL)


def by_school(column: str = "school_id", *, or_none: bool = False) -> Visibility:
    """A scope sees the rows of the schools it reaches.

    With `or_none` it also sees rows of no school, which are the authority's.
    """
    reached = f"{_EVERY_SCHOOL} OR {column} = {_ids('app.schools')}"
    return Visibility(f"{reached} OR {column} IS NULL") if or_none else Visibility(reached, school_column=column)


def by_share(column: str = "case_part_id") -> Visibility:
    """A partner's practitioner sees the case parts open to their membership today; schools and authority see none here."""
    return Visibility(f"{column} = {_ids('app.shares')}")


def by_agency(column: str = "agency_id") -> Visibility:
    """The people of an agency see its rows, and the whole authority's scope sees all of them."""
    return Visibility(f"{_EVERY_SCHOOL} OR {column} = (SELECT nullif(current_setting('app.agency', true), '')::uuid)")


def either(*ways: Visibility) -> Visibility:
    """A row is visible in any of several ways: to its school, or to a partner."""
    conditions = [way.condition for way in ways]
    if None in conditions:
        return Visibility(None)
    return Visibility(" OR ".join(f"({condition})" for condition in conditions))
