-- One pupil for each child again. The oldest of a child's records, by its first day on a roll, is kept.

CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
SELECT authority_id, record_id, school_id,
       first_value(record_id) OVER (PARTITION BY authority_id, child_id ORDER BY first_day NULLS LAST, record_id) AS pupil_id
FROM (
    SELECT p.authority_id, p.id AS record_id, p.school_id, coalesce(k.child_id, p.id) AS child_id,
           (SELECT min(l.on_roll_from) FROM roll_line l WHERE l.authority_id = p.authority_id AND l.pupil_id = p.id) AS first_day
    FROM pupil p LEFT JOIN child_link k
      ON k.authority_id = p.authority_id AND k.pupil_id = p.id AND k.unlinked_at IS NULL
) records;

CREATE UNIQUE INDEX kept_key ON kept (authority_id, record_id);

ANALYZE kept;

DROP TABLE possible_same_child;

DROP TABLE child_link;

DROP TABLE child;

ALTER TABLE possible_duplicate DROP CONSTRAINT fk_possible_duplicate_authority_id_school_id_pupil_id_pupil;

ALTER TABLE possible_duplicate DROP CONSTRAINT fk_possible_duplicate_authority_id_school_id_resolved_p_c521;

ALTER TABLE reported_total DROP CONSTRAINT fk_reported_total_authority_id_school_id_pupil_id_pupil;

ALTER TABLE pupil_year_summary DROP CONSTRAINT fk_pupil_year_summary_authority_id_school_id_pupil_id_pupil;

ALTER TABLE mark_note DROP CONSTRAINT fk_mark_note_authority_id_school_id_pupil_id_pupil;

ALTER TABLE roll_line DROP CONSTRAINT fk_roll_line_authority_id_school_id_pupil_id_pupil;

ALTER TABLE characteristic DROP CONSTRAINT fk_characteristic_authority_id_school_id_pupil_id_pupil;

ALTER TABLE pupil_contact DROP CONSTRAINT fk_pupil_contact_authority_id_school_id_pupil_id_pupil;

ALTER TABLE pupil_contact DROP CONSTRAINT fk_pupil_contact_authority_id_school_id_contact_id_contact;

ALTER TABLE pupil_contact DROP CONSTRAINT uq_pupil_contact_authority_id_pupil_id_contact_id;

ALTER TABLE contact DROP CONSTRAINT fk_contact_authority_id_school_id_school;

ALTER TABLE contact DROP CONSTRAINT uq_contact_authority_id_school_id_id;

ALTER TABLE pupil DROP CONSTRAINT fk_pupil_authority_id_school_id_school;

ALTER TABLE pupil DROP CONSTRAINT uq_pupil_authority_id_school_id_id;

UPDATE roll_line t SET pupil_id = k.pupil_id FROM kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = t.authority_id AND k.record_id = t.pupil_id;

UPDATE mark_note t SET pupil_id = k.pupil_id FROM kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = t.authority_id AND k.record_id = t.pupil_id;

UPDATE pupil_year_summary t SET pupil_id = k.pupil_id FROM kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = t.authority_id AND k.record_id = t.pupil_id;

UPDATE reported_total t SET pupil_id = k.pupil_id FROM kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = t.authority_id AND k.record_id = t.pupil_id;

UPDATE possible_duplicate t SET pupil_id = k.pupil_id FROM kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = t.authority_id AND k.record_id = t.pupil_id;

UPDATE possible_duplicate t SET resolved_pupil_id = k.pupil_id FROM kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = t.authority_id AND k.record_id = t.resolved_pupil_id;

ALTER TABLE possible_duplicate ADD COLUMN across_schools BOOLEAN NOT NULL DEFAULT false;

ALTER TABLE possible_duplicate ALTER COLUMN across_schools DROP DEFAULT;

-- A contact of the same name, and a characteristic of the same kind, value and first day, is there already.
DELETE FROM pupil_contact c USING kept k, contact o
WHERE k.pupil_id <> k.record_id AND k.authority_id = c.authority_id AND k.record_id = c.pupil_id
  AND o.authority_id = c.authority_id AND o.id = c.contact_id AND EXISTS (
    SELECT 1 FROM pupil_contact d JOIN contact e ON e.authority_id = d.authority_id AND e.id = d.contact_id
    WHERE d.authority_id = c.authority_id AND d.pupil_id = k.pupil_id AND e.name = o.name
);

UPDATE pupil_contact c SET pupil_id = k.pupil_id FROM kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = c.authority_id AND k.record_id = c.pupil_id;

DELETE FROM contact o WHERE NOT EXISTS (
    SELECT 1 FROM pupil_contact c WHERE c.authority_id = o.authority_id AND c.contact_id = o.id
);

DELETE FROM characteristic c USING kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = c.authority_id AND k.record_id = c.pupil_id AND EXISTS (
    SELECT 1 FROM characteristic d
    WHERE d.authority_id = c.authority_id AND d.pupil_id = k.pupil_id AND d.kind = c.kind AND d.value = c.value
      AND d.first_day IS NOT DISTINCT FROM c.first_day
);

UPDATE characteristic c SET pupil_id = k.pupil_id FROM kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = c.authority_id AND k.record_id = c.pupil_id;

DELETE FROM pupil p USING kept k
WHERE k.pupil_id <> k.record_id AND k.authority_id = p.authority_id AND k.record_id = p.id;

-- A record on no roll came of a question between two schools. Before, that pupil was a question and nothing else; the school's
-- next list asks it again.
DELETE FROM pupil p
WHERE NOT EXISTS (SELECT 1 FROM roll_line t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM mark_note t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM pupil_year_summary t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM reported_total t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM possible_duplicate t WHERE t.authority_id = p.authority_id AND p.id IN (t.pupil_id, t.resolved_pupil_id))
  AND NOT EXISTS (SELECT 1 FROM characteristic t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id)
  AND NOT EXISTS (SELECT 1 FROM pupil_contact t WHERE t.authority_id = p.authority_id AND t.pupil_id = p.id);

ALTER TABLE contact RENAME TO parent;

ALTER TABLE parent RENAME CONSTRAINT pk_contact TO pk_parent;

ALTER TABLE pupil_contact RENAME COLUMN contact_id TO parent_id;

ALTER INDEX ix_pupil_contact_contact_id RENAME TO ix_pupil_contact_parent_id;

ALTER POLICY contact_seen ON parent RENAME TO parent_seen;

ALTER POLICY contact_added ON parent RENAME TO parent_added;

ALTER POLICY contact_changed ON parent RENAME TO parent_changed;

ALTER POLICY contact_removed ON parent RENAME TO parent_removed;
