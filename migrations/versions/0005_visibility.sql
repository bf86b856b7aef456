-- The school of every row that belongs to an upload, the table of what is due, and every policy written from its model.
-- Never changed again: later versions change the schema in revisions of their own.

-- Row security binds the owner too where it is forced, and without a scope it would see no row to fill. Lifted from the
-- upload as well, it lets PostgreSQL check the new keys in one pass.
ALTER TABLE upload_content ADD COLUMN school_id UUID;

ALTER TABLE finding ADD COLUMN school_id UUID;

ALTER TABLE upload_progress ADD COLUMN school_id UUID;

ALTER TABLE upload NO FORCE ROW LEVEL SECURITY;

ALTER TABLE upload_content NO FORCE ROW LEVEL SECURITY;

ALTER TABLE finding NO FORCE ROW LEVEL SECURITY;

ALTER TABLE upload_progress NO FORCE ROW LEVEL SECURITY;

ALTER TABLE reported_total NO FORCE ROW LEVEL SECURITY;

-- Progress has no key to its upload, so a row could have outlived one.
DELETE FROM upload_progress p WHERE NOT EXISTS (
    SELECT 1 FROM upload u WHERE u.authority_id = p.authority_id AND u.id = p.upload_id
);

UPDATE upload_content t SET school_id = u.school_id FROM upload u WHERE u.authority_id = t.authority_id AND u.id = t.upload_id;

UPDATE finding t SET school_id = u.school_id FROM upload u WHERE u.authority_id = t.authority_id AND u.id = t.upload_id;

UPDATE upload_progress t SET school_id = u.school_id FROM upload u WHERE u.authority_id = t.authority_id AND u.id = t.upload_id;

ALTER TABLE upload_content ALTER COLUMN school_id SET NOT NULL;

ALTER TABLE finding ALTER COLUMN school_id SET NOT NULL;

ALTER TABLE upload_progress ALTER COLUMN school_id SET NOT NULL;

ALTER TABLE upload ADD CONSTRAINT uq_upload_authority_id_school_id_id UNIQUE (authority_id, school_id, id);

ALTER TABLE upload_content DROP CONSTRAINT fk_upload_content_authority_id_upload_id_upload;

ALTER TABLE upload_content ADD CONSTRAINT fk_upload_content_authority_id_school_id_upload_id_upload
    FOREIGN KEY (authority_id, school_id, upload_id) REFERENCES upload (authority_id, school_id, id);

ALTER TABLE finding DROP CONSTRAINT fk_finding_authority_id_upload_id_upload;

ALTER TABLE finding ADD CONSTRAINT fk_finding_authority_id_school_id_upload_id_upload
    FOREIGN KEY (authority_id, school_id, upload_id) REFERENCES upload (authority_id, school_id, id);

ALTER TABLE reported_total DROP CONSTRAINT fk_reported_total_authority_id_upload_id_upload;

ALTER TABLE reported_total ADD CONSTRAINT fk_reported_total_authority_id_school_id_upload_id_upload
    FOREIGN KEY (authority_id, school_id, upload_id) REFERENCES upload (authority_id, school_id, id);

ALTER TABLE upload FORCE ROW LEVEL SECURITY;

ALTER TABLE upload_content FORCE ROW LEVEL SECURITY;

ALTER TABLE finding FORCE ROW LEVEL SECURITY;

ALTER TABLE upload_progress FORCE ROW LEVEL SECURITY;

ALTER TABLE reported_total FORCE ROW LEVEL SECURITY;

-- What is due.
CREATE TABLE due (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    thing_id UUID NOT NULL,
    school_id UUID,
    state TEXT NOT NULL,
    owner TEXT NOT NULL,
    owner_id UUID,
    next_date DATE,
    why TEXT NOT NULL,
    endpoint TEXT,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_due PRIMARY KEY (authority_id, id),
    CONSTRAINT uq_due_authority_id_thing_id UNIQUE (authority_id, thing_id)
);

CREATE INDEX ix_due_next_date ON due (authority_id, school_id, next_date);

CREATE INDEX ix_due_owner_id ON due (authority_id, owner_id, next_date);

ALTER TABLE "due" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "due" FORCE ROW LEVEL SECURITY;

CREATE POLICY due_seen ON "due" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

CREATE POLICY due_added ON "due" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

CREATE POLICY due_changed ON "due" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL)) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

CREATE POLICY due_removed ON "due" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

GRANT SELECT, INSERT, UPDATE, DELETE ON "due" TO portal_app;

-- Every policy as its model says it, but for the four tables of pupils, which a later revision gives a school of their own.
ALTER POLICY audit_event_seen ON "audit_event" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY audit_event_added ON "audit_event" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY audit_head_seen ON "audit_head" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY audit_head_added ON "audit_head" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY audit_head_changed ON "audit_head" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY audit_head_removed ON "audit_head" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY trust_seen ON "trust" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY trust_added ON "trust" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY trust_changed ON "trust" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY trust_removed ON "trust" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

ALTER POLICY upload_progress_seen ON "upload_progress" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_progress_added ON "upload_progress" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_progress_changed ON "upload_progress" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_progress_removed ON "upload_progress" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY school_seen ON "school" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY school_added ON "school" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY school_changed ON "school" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY school_removed ON "school" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY closed_days_seen ON "closed_days" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

ALTER POLICY closed_days_added ON "closed_days" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

ALTER POLICY closed_days_changed ON "closed_days" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL)) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

ALTER POLICY closed_days_removed ON "closed_days" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

ALTER POLICY current_page_seen ON "current_page" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY current_page_added ON "current_page" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY current_page_changed ON "current_page" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY current_page_removed ON "current_page" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY local_code_seen ON "local_code" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY local_code_added ON "local_code" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY local_code_changed ON "local_code" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY local_code_removed ON "local_code" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY mark_note_seen ON "mark_note" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY mark_note_added ON "mark_note" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY mark_note_changed ON "mark_note" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY mark_note_removed ON "mark_note" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY possible_duplicate_seen ON "possible_duplicate" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY possible_duplicate_added ON "possible_duplicate" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY possible_duplicate_changed ON "possible_duplicate" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY possible_duplicate_removed ON "possible_duplicate" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY pupil_year_summary_seen ON "pupil_year_summary" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY pupil_year_summary_added ON "pupil_year_summary" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY pupil_year_summary_changed ON "pupil_year_summary" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY pupil_year_summary_removed ON "pupil_year_summary" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY register_page_seen ON "register_page" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY register_page_added ON "register_page" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY remembered_mapping_seen ON "remembered_mapping" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY remembered_mapping_added ON "remembered_mapping" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY remembered_mapping_changed ON "remembered_mapping" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY remembered_mapping_removed ON "remembered_mapping" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY roll_line_seen ON "roll_line" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY roll_line_added ON "roll_line" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY roll_line_changed ON "roll_line" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY roll_line_removed ON "roll_line" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY school_week_summary_seen ON "school_week_summary" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY school_week_summary_added ON "school_week_summary" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY school_week_summary_changed ON "school_week_summary" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY school_week_summary_removed ON "school_week_summary" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY term_seen ON "term" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

ALTER POLICY term_added ON "term" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

ALTER POLICY term_changed ON "term" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL)) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

ALTER POLICY term_removed ON "term" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]) OR school_id IS NULL));

ALTER POLICY upload_seen ON "upload" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_added ON "upload" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_changed ON "upload" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_removed ON "upload" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY finding_seen ON "finding" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY finding_added ON "finding" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY finding_changed ON "finding" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY finding_removed ON "finding" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY reported_total_seen ON "reported_total" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY reported_total_added ON "reported_total" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY reported_total_changed ON "reported_total" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY reported_total_removed ON "reported_total" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_content_seen ON "upload_content" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_content_added ON "upload_content" WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_content_changed ON "upload_content" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

ALTER POLICY upload_content_removed ON "upload_content" USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));
