-- `pupil` becomes one school's record of a child; `child` is the authority's link between records. Never changed again:
-- later versions change the schema in revisions of their own. Row security is lifted around it by the revision.

-- Which schools name each pupil, and the id of each school's record. The oldest, by its first day on a roll, keeps the
-- pupil's id, so that everything that names the pupil from outside the database still does.
CREATE TEMPORARY TABLE school_record ON COMMIT DROP AS
SELECT authority_id, pupil_id, school_id, is_first, CASE WHEN is_first THEN pupil_id ELSE gen_random_uuid() END AS record_id
FROM (
    SELECT n.authority_id, n.pupil_id, n.school_id, row_number() OVER (
        PARTITION BY n.authority_id, n.pupil_id ORDER BY min(n.first_day) NULLS LAST, n.school_id
    ) = 1 AS is_first
    FROM (
        SELECT authority_id, pupil_id, school_id, on_roll_from AS first_day FROM roll_line
        UNION ALL SELECT authority_id, pupil_id, school_id, NULL FROM mark_note
        UNION ALL SELECT authority_id, pupil_id, school_id, NULL FROM pupil_year_summary
        UNION ALL SELECT authority_id, pupil_id, school_id, NULL FROM reported_total WHERE pupil_id IS NOT NULL
        UNION ALL SELECT authority_id, resolved_pupil_id, school_id, NULL FROM possible_duplicate WHERE resolved_pupil_id IS NOT NULL
    ) n
    GROUP BY n.authority_id, n.pupil_id, n.school_id
) named;

CREATE UNIQUE INDEX school_record_key ON school_record (authority_id, pupil_id, school_id);

ANALYZE school_record;

-- The keys that named a pupil without its school.
ALTER TABLE roll_line DROP CONSTRAINT fk_roll_line_authority_id_pupil_id_pupil;

ALTER TABLE characteristic DROP CONSTRAINT fk_characteristic_authority_id_pupil_id_pupil;

ALTER TABLE reported_total DROP CONSTRAINT fk_reported_total_authority_id_pupil_id_pupil;

ALTER TABLE possible_duplicate DROP CONSTRAINT fk_possible_duplicate_authority_id_pupil_id_pupil;

ALTER TABLE possible_duplicate DROP CONSTRAINT fk_possible_duplicate_authority_id_resolved_pupil_id_pupil;

ALTER TABLE pupil_contact DROP CONSTRAINT fk_pupil_contact_authority_id_pupil_id_pupil;

ALTER TABLE pupil_contact DROP CONSTRAINT fk_pupil_contact_authority_id_parent_id_parent;

ALTER TABLE pupil_contact DROP CONSTRAINT uq_pupil_contact_authority_id_pupil_id_parent_id;

-- Contacts: what was shared by several schools is each school's own from now on.
ALTER TABLE parent RENAME TO contact;

ALTER TABLE contact RENAME CONSTRAINT pk_parent TO pk_contact;

ALTER POLICY parent_seen ON contact RENAME TO contact_seen;

ALTER POLICY parent_added ON contact RENAME TO contact_added;

ALTER POLICY parent_changed ON contact RENAME TO contact_changed;

ALTER POLICY parent_removed ON contact RENAME TO contact_removed;

ALTER TABLE pupil_contact RENAME COLUMN parent_id TO contact_id;

ALTER INDEX ix_pupil_contact_parent_id RENAME TO ix_pupil_contact_contact_id;

ALTER TABLE pupil ADD COLUMN school_id UUID;

ALTER TABLE contact ADD COLUMN school_id UUID;

ALTER TABLE pupil_contact ADD COLUMN school_id UUID;

ALTER TABLE characteristic ADD COLUMN school_id UUID;

CREATE TABLE child (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_child PRIMARY KEY (authority_id, id)
);

CREATE TABLE child_link (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    child_id UUID NOT NULL,
    pupil_id UUID NOT NULL,
    school_id UUID NOT NULL,
    linked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    linked_by UUID,
    basis TEXT NOT NULL,
    unlinked_at TIMESTAMP WITH TIME ZONE,
    unlinked_by UUID,
    unlink_reason TEXT,
    CONSTRAINT pk_child_link PRIMARY KEY (authority_id, id),
    CONSTRAINT ck_child_link_basis_known CHECK (basis IN ('first', 'identity', 'decision', 'upgrade', 'apart')),
    CONSTRAINT ck_child_link_ended_whole CHECK (unlinked_at IS NOT NULL OR (unlinked_by IS NULL AND unlink_reason IS NULL))
);

CREATE TABLE possible_same_child (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    pupil_id UUID NOT NULL,
    school_id UUID NOT NULL,
    other_pupil_id UUID NOT NULL,
    other_school_id UUID NOT NULL,
    differing_fields TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by UUID,
    decision TEXT,
    CONSTRAINT pk_possible_same_child PRIMARY KEY (authority_id, id),
    CONSTRAINT uq_possible_same_child_authority_id_pupil_id_other_pupil_id UNIQUE (authority_id, pupil_id, other_pupil_id),
    CONSTRAINT ck_possible_same_child_pair_in_order CHECK (pupil_id < other_pupil_id),
    CONSTRAINT ck_possible_same_child_decided_whole CHECK ((decided_at IS NULL) = (decision IS NULL)),
    CONSTRAINT ck_possible_same_child_decision_known CHECK (decision IN ('same', 'different'))
);

-- A short reference from an id: its first 40 bits in Crockford's base 32, as the portal makes it.
CREATE FUNCTION pg_temp.reference_of(id UUID) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + (number >> place & 31)::integer, 1), '' ORDER BY place DESC)
    FROM (SELECT ('x' || lpad(left(replace(id::text, '-', ''), 10), 16, '0'))::bit(64)::bigint AS number) n,
         generate_series(0, 35, 5) AS place
$$;

-- Each school's record of the pupil.
UPDATE pupil p SET school_id = r.school_id FROM school_record r
WHERE r.is_first AND r.authority_id = p.authority_id AND r.pupil_id = p.id;

INSERT INTO pupil (
    authority_id, id, school_id, upn, former_upn, surname, forename, middle_names, surname_folded, forename_folded,
    date_of_birth, sex, ethnicity, eal, address, postcode, reference
)
SELECT p.authority_id, r.record_id, r.school_id, p.upn, p.former_upn, p.surname, p.forename, p.middle_names, p.surname_folded,
       p.forename_folded, p.date_of_birth, p.sex, p.ethnicity, p.eal, p.address, p.postcode, pg_temp.reference_of(r.record_id)
FROM school_record r JOIN pupil p ON p.authority_id = r.authority_id AND p.id = r.pupil_id
WHERE NOT r.is_first;

-- Lines, notes, summaries, totals and questions follow their school's record.
UPDATE roll_line t SET pupil_id = r.record_id FROM school_record r
WHERE NOT r.is_first AND r.authority_id = t.authority_id AND r.pupil_id = t.pupil_id AND r.school_id = t.school_id;

UPDATE mark_note t SET pupil_id = r.record_id FROM school_record r
WHERE NOT r.is_first AND r.authority_id = t.authority_id AND r.pupil_id = t.pupil_id AND r.school_id = t.school_id;

UPDATE pupil_year_summary t SET pupil_id = r.record_id FROM school_record r
WHERE NOT r.is_first AND r.authority_id = t.authority_id AND r.pupil_id = t.pupil_id AND r.school_id = t.school_id;

UPDATE reported_total t SET pupil_id = r.record_id FROM school_record r
WHERE NOT r.is_first AND r.authority_id = t.authority_id AND r.pupil_id = t.pupil_id AND r.school_id = t.school_id;

-- A question about another school's pupil that still waits: the list is taken now, as the school's own record, and whether
-- the two are one child is for the authority to say. The folded names stand in the question's key.
CREATE TEMPORARY TABLE asked_record ON COMMIT DROP AS
SELECT DISTINCT ON (q.authority_id, q.school_id, q.match_key)
       q.authority_id, q.school_id, q.match_key, q.incoming, gen_random_uuid() AS record_id
FROM possible_duplicate q
WHERE q.decided_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM school_record r WHERE r.authority_id = q.authority_id AND r.pupil_id = q.pupil_id AND r.school_id = q.school_id
)
ORDER BY q.authority_id, q.school_id, q.match_key, q.asked_at DESC;

INSERT INTO pupil (
    authority_id, id, school_id, upn, former_upn, surname, forename, middle_names, surname_folded, forename_folded,
    date_of_birth, sex, ethnicity, eal, address, postcode, reference
)
SELECT authority_id, record_id, school_id, nullif(incoming->>'upn', ''), nullif(incoming->>'former_upn', ''),
       incoming->>'surname', incoming->>'forename', nullif(incoming->>'middle_names', ''), split_part(match_key, '|', 2),
       split_part(match_key, '|', 3), (incoming->>'date_of_birth')::date, nullif(incoming->>'sex', ''),
       nullif(incoming->>'ethnicity', ''), (incoming->>'eal')::boolean, nullif(incoming->>'address', ''),
       nullif(incoming->>'postcode', ''), pg_temp.reference_of(record_id)
FROM asked_record;

INSERT INTO possible_same_child (
    authority_id, id, pupil_id, school_id, other_pupil_id, other_school_id, differing_fields, asked_at
)
SELECT q.authority_id, q.id, least(a.record_id, p.id), CASE WHEN a.record_id < p.id THEN a.school_id ELSE p.school_id END,
       greatest(a.record_id, p.id), CASE WHEN a.record_id < p.id THEN p.school_id ELSE a.school_id END, q.differing_fields, q.asked_at
FROM possible_duplicate q
JOIN asked_record a ON a.authority_id = q.authority_id AND a.school_id = q.school_id AND a.match_key = q.match_key
JOIN pupil p ON p.authority_id = q.authority_id AND p.id = q.pupil_id
WHERE q.decided_at IS NULL AND p.school_id <> q.school_id
ON CONFLICT DO NOTHING;

DELETE FROM possible_duplicate q WHERE q.decided_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM school_record r WHERE r.authority_id = q.authority_id AND r.pupil_id = q.pupil_id AND r.school_id = q.school_id
);

-- "Different children" of two schools, decided earlier: the authority's answer is kept, and so is what the school's next
-- list is matched by.
INSERT INTO possible_same_child (
    authority_id, id, pupil_id, school_id, other_pupil_id, other_school_id, differing_fields, asked_at, decided_at, decided_by,
    decision
)
SELECT q.authority_id, q.id, least(mine.id, p.id), CASE WHEN mine.id < p.id THEN mine.school_id ELSE p.school_id END,
       greatest(mine.id, p.id), CASE WHEN mine.id < p.id THEN p.school_id ELSE mine.school_id END, q.differing_fields, q.asked_at,
       q.decided_at, q.decided_by, 'different'
FROM possible_duplicate q
JOIN school_record r ON r.authority_id = q.authority_id AND r.pupil_id = q.resolved_pupil_id AND r.school_id = q.school_id
JOIN pupil mine ON mine.authority_id = r.authority_id AND mine.id = r.record_id
JOIN pupil p ON p.authority_id = q.authority_id AND p.id = q.pupil_id
WHERE q.decision = 'different' AND p.id <> mine.id AND NOT EXISTS (
    SELECT 1 FROM school_record o WHERE o.authority_id = q.authority_id AND o.pupil_id = q.pupil_id AND o.school_id = q.school_id
)
ON CONFLICT DO NOTHING;

UPDATE possible_duplicate q SET
    resolved_pupil_id = (
        SELECT r.record_id FROM school_record r
        WHERE r.authority_id = q.authority_id AND r.pupil_id = q.resolved_pupil_id AND r.school_id = q.school_id
    ),
    pupil_id = (
        SELECT r.record_id FROM school_record r
        WHERE r.authority_id = q.authority_id AND r.pupil_id IN (q.pupil_id, q.resolved_pupil_id) AND r.school_id = q.school_id
        ORDER BY r.pupil_id = q.pupil_id DESC LIMIT 1
    );

ALTER TABLE possible_duplicate DROP COLUMN across_schools;

-- Contacts and characteristics are copied to each record: both schools had been shown them.
CREATE TEMPORARY TABLE school_contact ON COMMIT DROP AS
SELECT authority_id, contact_id, school_id, is_first, CASE WHEN is_first THEN contact_id ELSE gen_random_uuid() END AS record_id
FROM (
    SELECT c.authority_id, c.contact_id, r.school_id, row_number() OVER (
        PARTITION BY c.authority_id, c.contact_id ORDER BY bool_or(r.is_first) DESC, r.school_id
    ) = 1 AS is_first
    FROM pupil_contact c JOIN school_record r ON r.authority_id = c.authority_id AND r.pupil_id = c.pupil_id
    GROUP BY c.authority_id, c.contact_id, r.school_id
) named;

CREATE UNIQUE INDEX school_contact_key ON school_contact (authority_id, contact_id, school_id);

ANALYZE school_contact;

UPDATE contact c SET school_id = s.school_id FROM school_contact s
WHERE s.is_first AND s.authority_id = c.authority_id AND s.contact_id = c.id;

INSERT INTO contact (authority_id, id, school_id, name, phone, email, address, postcode, do_not_disclose)
SELECT c.authority_id, s.record_id, s.school_id, c.name, c.phone, c.email, c.address, c.postcode, c.do_not_disclose
FROM school_contact s JOIN contact c ON c.authority_id = s.authority_id AND c.id = s.contact_id
WHERE NOT s.is_first;

INSERT INTO pupil_contact (
    authority_id, id, school_id, pupil_id, contact_id, relationship, parental_responsibility, priority
)
SELECT c.authority_id, gen_random_uuid(), r.school_id, r.record_id, s.record_id, c.relationship, c.parental_responsibility,
       c.priority
FROM pupil_contact c
JOIN school_record r ON r.authority_id = c.authority_id AND r.pupil_id = c.pupil_id
JOIN school_contact s ON s.authority_id = c.authority_id AND s.contact_id = c.contact_id AND s.school_id = r.school_id
WHERE NOT r.is_first;

UPDATE pupil_contact c SET school_id = r.school_id, contact_id = s.record_id
FROM school_record r JOIN school_contact s ON s.authority_id = r.authority_id AND s.school_id = r.school_id
WHERE c.school_id IS NULL AND r.is_first AND r.authority_id = c.authority_id AND r.pupil_id = c.pupil_id
  AND s.contact_id = c.contact_id;

INSERT INTO characteristic (authority_id, id, school_id, pupil_id, kind, value, first_day, last_day, recorded_at)
SELECT c.authority_id, gen_random_uuid(), r.school_id, r.record_id, c.kind, c.value, c.first_day, c.last_day, c.recorded_at
FROM characteristic c JOIN school_record r ON r.authority_id = c.authority_id AND r.pupil_id = c.pupil_id
WHERE NOT r.is_first;

UPDATE characteristic c SET school_id = r.school_id FROM school_record r
WHERE c.school_id IS NULL AND r.is_first AND r.authority_id = c.authority_id AND r.pupil_id = c.pupil_id;

-- Every record is linked to a child; what was one pupil is one child.
CREATE TEMPORARY TABLE record_child ON COMMIT DROP AS
SELECT c.authority_id, c.child_id, r.record_id, r.school_id, CASE WHEN r.is_first THEN 'first' ELSE 'upgrade' END AS basis
FROM (SELECT authority_id, pupil_id, gen_random_uuid() AS child_id FROM school_record WHERE is_first) c
JOIN school_record r ON r.authority_id = c.authority_id AND r.pupil_id = c.pupil_id
UNION ALL
SELECT authority_id, gen_random_uuid(), record_id, school_id, 'first' FROM asked_record;

INSERT INTO child (authority_id, id, created_at) SELECT DISTINCT authority_id, child_id, now() FROM record_child;

INSERT INTO child_link (authority_id, id, child_id, pupil_id, school_id, linked_at, basis)
SELECT authority_id, gen_random_uuid(), child_id, record_id, school_id, now(), basis FROM record_child;

-- From here on the database holds each row to its school's record.
ALTER TABLE pupil ALTER COLUMN school_id SET NOT NULL;

ALTER TABLE contact ALTER COLUMN school_id SET NOT NULL;

ALTER TABLE pupil_contact ALTER COLUMN school_id SET NOT NULL;

ALTER TABLE characteristic ALTER COLUMN school_id SET NOT NULL;

ALTER TABLE pupil ADD CONSTRAINT uq_pupil_authority_id_school_id_id UNIQUE (authority_id, school_id, id);

ALTER TABLE pupil ADD CONSTRAINT fk_pupil_authority_id_school_id_school
    FOREIGN KEY (authority_id, school_id) REFERENCES school (authority_id, id);

ALTER TABLE contact ADD CONSTRAINT uq_contact_authority_id_school_id_id UNIQUE (authority_id, school_id, id);

ALTER TABLE contact ADD CONSTRAINT fk_contact_authority_id_school_id_school
    FOREIGN KEY (authority_id, school_id) REFERENCES school (authority_id, id);

ALTER TABLE pupil_contact ADD CONSTRAINT uq_pupil_contact_authority_id_pupil_id_contact_id
    UNIQUE (authority_id, pupil_id, contact_id);

ALTER TABLE pupil_contact ADD CONSTRAINT fk_pupil_contact_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE pupil_contact ADD CONSTRAINT fk_pupil_contact_authority_id_school_id_contact_id_contact
    FOREIGN KEY (authority_id, school_id, contact_id) REFERENCES contact (authority_id, school_id, id);

ALTER TABLE characteristic ADD CONSTRAINT fk_characteristic_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE roll_line ADD CONSTRAINT fk_roll_line_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE mark_note ADD CONSTRAINT fk_mark_note_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE pupil_year_summary ADD CONSTRAINT fk_pupil_year_summary_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE reported_total ADD CONSTRAINT fk_reported_total_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE possible_duplicate ADD CONSTRAINT fk_possible_duplicate_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE possible_duplicate ADD CONSTRAINT fk_possible_duplicate_authority_id_school_id_resolved_p_c521
    FOREIGN KEY (authority_id, school_id, resolved_pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE child_link ADD CONSTRAINT fk_child_link_authority_id_child_id_child
    FOREIGN KEY (authority_id, child_id) REFERENCES child (authority_id, id);

ALTER TABLE child_link ADD CONSTRAINT fk_child_link_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE possible_same_child ADD CONSTRAINT fk_possible_same_child_authority_id_school_id_pupil_id_pupil
    FOREIGN KEY (authority_id, school_id, pupil_id) REFERENCES pupil (authority_id, school_id, id);

ALTER TABLE possible_same_child ADD CONSTRAINT fk_possible_same_child_authority_id_other_school_id_oth_08df
    FOREIGN KEY (authority_id, other_school_id, other_pupil_id) REFERENCES pupil (authority_id, school_id, id);

CREATE INDEX ix_child_link_child_id ON child_link (authority_id, child_id);

CREATE INDEX ix_child_link_pupil_id ON child_link (authority_id, pupil_id, linked_at);

CREATE UNIQUE INDEX uq_child_link_live ON child_link (authority_id, pupil_id) WHERE unlinked_at IS NULL;

CREATE INDEX ix_possible_same_child_other_pupil_id ON possible_same_child (authority_id, other_pupil_id);
