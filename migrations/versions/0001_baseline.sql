-- The first schema, as it was made: never changed again. Later versions change it in revisions of their own.

CREATE TABLE audit_event (
    authority_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    person_id UUID,
    membership_id UUID,
    role TEXT NOT NULL,
    event TEXT NOT NULL,
    subject_id UUID,
    facts JSONB NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT pk_audit_event PRIMARY KEY (authority_id, sequence)
);

CREATE INDEX ix_audit_event_subject_id ON audit_event (authority_id, subject_id);

CREATE TABLE audit_head (
    authority_id UUID NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT pk_audit_head PRIMARY KEY (authority_id)
);

CREATE TABLE authority (
    id UUID NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    la_code TEXT NOT NULL,
    demonstration BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_authority PRIMARY KEY (id),
    CONSTRAINT uq_authority_slug UNIQUE (slug),
    CONSTRAINT ck_authority_slug_plain CHECK (slug ~ '^[a-z0-9-]{2,60}$')
);

CREATE TABLE mail (
    id UUID NOT NULL,
    "to" TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT,
    attempts INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_mail PRIMARY KEY (id)
);

CREATE TABLE outbox_job (
    id UUID NOT NULL,
    authority_id UUID NOT NULL,
    kind TEXT NOT NULL,
    ids JSONB NOT NULL,
    person_id UUID,
    membership_id UUID,
    role TEXT NOT NULL,
    run_after TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts INTEGER NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    done_at TIMESTAMP WITH TIME ZONE,
    failed_at TIMESTAMP WITH TIME ZONE,
    failure TEXT,
    once VARCHAR,
    CONSTRAINT pk_outbox_job PRIMARY KEY (id),
    CONSTRAINT uq_outbox_job_once UNIQUE (once)
);

CREATE INDEX ix_outbox_job_waiting ON outbox_job (run_after) WHERE done_at IS NULL AND failed_at IS NULL;

CREATE TABLE parent (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    phone TEXT,
    email TEXT,
    address TEXT,
    postcode TEXT,
    do_not_disclose BOOLEAN NOT NULL,
    CONSTRAINT pk_parent PRIMARY KEY (authority_id, id)
);

CREATE TABLE person (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    password_hash TEXT,
    totp_secret BYTEA,
    totp_last_step INTEGER,
    demonstration BOOLEAN NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    reinstated_at TIMESTAMP WITH TIME ZONE,
    last_signed_in_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_person PRIMARY KEY (id),
    CONSTRAINT uq_person_email_folded UNIQUE (email_folded)
);

CREATE TABLE pupil (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    upn TEXT,
    former_upn TEXT,
    surname TEXT NOT NULL,
    forename TEXT NOT NULL,
    middle_names TEXT,
    surname_folded TEXT COLLATE "C" NOT NULL,
    forename_folded TEXT COLLATE "C" NOT NULL,
    date_of_birth DATE NOT NULL,
    sex TEXT,
    ethnicity TEXT,
    eal BOOLEAN,
    address TEXT,
    postcode TEXT,
    reference TEXT NOT NULL,
    CONSTRAINT pk_pupil PRIMARY KEY (authority_id, id)
);

CREATE INDEX ix_pupil_former_upn ON pupil (authority_id, former_upn);

CREATE INDEX ix_pupil_surname_folded ON pupil (authority_id, surname_folded, forename_folded);

CREATE INDEX ix_pupil_upn ON pupil (authority_id, upn);

CREATE TABLE release (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    series TEXT NOT NULL,
    published_on DATE NOT NULL,
    is_copy_date BOOLEAN NOT NULL,
    sha256 TEXT NOT NULL,
    file_name TEXT NOT NULL,
    decimal_places INTEGER NOT NULL,
    figures INTEGER NOT NULL,
    left_out INTEGER NOT NULL,
    notes JSONB NOT NULL,
    shipped BOOLEAN NOT NULL,
    audience UUID,
    loaded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_release PRIMARY KEY (id),
    CONSTRAINT uq_release_sha256_audience UNIQUE NULLS NOT DISTINCT (sha256, audience),
    CONSTRAINT ck_release_series_known CHECK (series IN ('daily', 'accredited'))
);

CREATE TABLE sign_in_attempt (
    id UUID NOT NULL,
    key_hash TEXT NOT NULL,
    kind TEXT NOT NULL,
    succeeded BOOLEAN NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sign_in_attempt PRIMARY KEY (id)
);

CREATE INDEX ix_sign_in_attempt_key_at ON sign_in_attempt (key_hash, at);

CREATE TABLE trust (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_trust PRIMARY KEY (authority_id, id),
    CONSTRAINT uq_trust_authority_id_name UNIQUE (authority_id, name)
);

CREATE TABLE upload_progress (
    authority_id UUID NOT NULL,
    upload_id UUID NOT NULL,
    step TEXT NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_upload_progress PRIMARY KEY (authority_id, upload_id)
);

CREATE TABLE characteristic (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    pupil_id UUID NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    first_day DATE,
    last_day DATE,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_characteristic PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_characteristic_authority_id_pupil_id_pupil FOREIGN KEY(authority_id, pupil_id) REFERENCES pupil (authority_id, id),
    CONSTRAINT ck_characteristic_kind_known CHECK (kind IN ('sen_provision', 'sen_need', 'fsm', 'looked_after', 'child_in_need', 'child_protection_plan', 'young_carer', 'pregnant_or_parent'))
);

CREATE INDEX ix_characteristic_pupil_id ON characteristic (authority_id, pupil_id);

CREATE TABLE invitation (
    id UUID NOT NULL,
    authority_id UUID NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    school_ids UUID[] NOT NULL,
    agency TEXT,
    until DATE,
    token_hash TEXT NOT NULL,
    invited_by UUID,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_invitation PRIMARY KEY (id),
    CONSTRAINT fk_invitation_authority_id_authority FOREIGN KEY(authority_id) REFERENCES authority (id),
    CONSTRAINT uq_invitation_token_hash UNIQUE (token_hash)
);

CREATE INDEX ix_invitation_authority_id ON invitation (authority_id);

CREATE TABLE membership (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    authority_id UUID NOT NULL,
    role TEXT NOT NULL,
    school_ids UUID[] NOT NULL,
    agency TEXT,
    title TEXT,
    until DATE,
    ended_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_membership PRIMARY KEY (id),
    CONSTRAINT fk_membership_person_id_person FOREIGN KEY(person_id) REFERENCES person (id),
    CONSTRAINT fk_membership_authority_id_authority FOREIGN KEY(authority_id) REFERENCES authority (id)
);

CREATE INDEX ix_membership_authority_id ON membership (authority_id);

CREATE INDEX ix_membership_person_id ON membership (person_id);

CREATE TABLE parenthood (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    pupil_id UUID NOT NULL,
    parent_id UUID NOT NULL,
    relationship TEXT,
    parental_responsibility BOOLEAN,
    priority INTEGER NOT NULL,
    CONSTRAINT pk_parenthood PRIMARY KEY (authority_id, id),
    CONSTRAINT uq_parenthood_authority_id_pupil_id_parent_id UNIQUE (authority_id, pupil_id, parent_id),
    CONSTRAINT fk_parenthood_authority_id_pupil_id_pupil FOREIGN KEY(authority_id, pupil_id) REFERENCES pupil (authority_id, id),
    CONSTRAINT fk_parenthood_authority_id_parent_id_parent FOREIGN KEY(authority_id, parent_id) REFERENCES parent (authority_id, id)
);

CREATE INDEX ix_parenthood_parent_id ON parenthood (authority_id, parent_id);

CREATE TABLE password_reset (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    token_hash TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_password_reset PRIMARY KEY (id),
    CONSTRAINT fk_password_reset_person_id_person FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE,
    CONSTRAINT uq_password_reset_token_hash UNIQUE (token_hash)
);

CREATE TABLE published_figure (
    id UUID NOT NULL,
    release_id UUID NOT NULL,
    level TEXT NOT NULL,
    geography TEXT NOT NULL,
    geography_name TEXT NOT NULL,
    phase TEXT NOT NULL,
    period_kind TEXT NOT NULL,
    academic_year SMALLINT NOT NULL,
    week DATE,
    term TEXT,
    first_day DATE,
    last_day DATE,
    status TEXT NOT NULL,
    total_basis TEXT NOT NULL,
    possible BIGINT,
    present BIGINT,
    approved BIGINT,
    authorised BIGINT,
    unauthorised BIGINT,
    late BIGINT,
    pa_count BIGINT,
    sa_count BIGINT,
    enrolments NUMERIC,
    schools NUMERIC,
    schools_in_all NUMERIC,
    by_code JSONB NOT NULL,
    rates JSONB NOT NULL,
    symbols JSONB NOT NULL,
    CONSTRAINT pk_published_figure PRIMARY KEY (id),
    CONSTRAINT uq_published_figure_place_phase_period UNIQUE NULLS NOT DISTINCT (release_id, level, geography, phase, period_kind, academic_year, week, term),
    CONSTRAINT ck_published_figure_level_known CHECK (level IN ('national', 'region', 'authority')),
    CONSTRAINT ck_published_figure_phase_known CHECK (phase IN ('primary', 'secondary', 'special', 'total')),
    CONSTRAINT ck_published_figure_period_kind_known CHECK (period_kind IN ('week', 'year to date', 'term', 'year')),
    CONSTRAINT ck_published_figure_status_known CHECK (status IN ('published', 'suppressed', 'unavailable')),
    CONSTRAINT fk_published_figure_release_id_release FOREIGN KEY(release_id) REFERENCES release (id) ON DELETE CASCADE
);

CREATE INDEX ix_published_figure_place ON published_figure (geography, phase, academic_year, period_kind);

CREATE TABLE recovery_code (
    id UUID NOT NULL,
    person_id UUID NOT NULL,
    code_hash TEXT NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_recovery_code PRIMARY KEY (id),
    CONSTRAINT fk_recovery_code_person_id_person FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE
);

CREATE INDEX ix_recovery_code_person_id ON recovery_code (person_id);

CREATE TABLE school (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    urn TEXT NOT NULL,
    laestab TEXT,
    name TEXT NOT NULL,
    phase TEXT NOT NULL,
    lowest_age INTEGER,
    highest_age INTEGER,
    trust_id UUID,
    opened_on DATE,
    closed_on DATE,
    CONSTRAINT pk_school PRIMARY KEY (authority_id, id),
    CONSTRAINT uq_school_authority_id_urn UNIQUE (authority_id, urn),
    CONSTRAINT fk_school_authority_id_trust_id_trust FOREIGN KEY(authority_id, trust_id) REFERENCES trust (authority_id, id),
    CONSTRAINT ck_school_phase_known CHECK (phase IN ('primary', 'secondary', 'special', 'all-through', 'alternative', 'nursery'))
);

CREATE TABLE sign_in (
    id UUID NOT NULL,
    token_hash TEXT NOT NULL,
    person_id UUID NOT NULL,
    membership_id UUID,
    second_factor_at TIMESTAMP WITH TIME ZONE,
    device TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_sign_in PRIMARY KEY (id),
    CONSTRAINT uq_sign_in_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_sign_in_person_id_person FOREIGN KEY(person_id) REFERENCES person (id) ON DELETE CASCADE
);

CREATE INDEX ix_sign_in_person_id ON sign_in (person_id);

CREATE TABLE closed_days (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    school_id UUID,
    name TEXT NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    session VARCHAR,
    CONSTRAINT pk_closed_days PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_closed_days_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id),
    CONSTRAINT ck_closed_days_in_order CHECK (first_day <= last_day),
    CONSTRAINT ck_closed_days_session_known CHECK (session IN ('AM', 'PM'))
);

CREATE INDEX ix_closed_days_school_id ON closed_days (authority_id, school_id);

CREATE TABLE current_page (
    authority_id UUID NOT NULL,
    school_id UUID NOT NULL,
    week DATE NOT NULL,
    version INTEGER NOT NULL,
    expected INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    last_day DATE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_current_page PRIMARY KEY (authority_id, school_id, week),
    CONSTRAINT fk_current_page_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id)
);

CREATE TABLE local_code (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    school_id UUID NOT NULL,
    mark TEXT NOT NULL,
    letters TEXT NOT NULL,
    CONSTRAINT pk_local_code PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_local_code_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id),
    CONSTRAINT uq_local_code_authority_id_school_id_mark UNIQUE (authority_id, school_id, mark)
);

CREATE TABLE mark_note (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    school_id UUID NOT NULL,
    pupil_id UUID NOT NULL,
    "on" DATE NOT NULL,
    session TEXT NOT NULL,
    minutes_late INTEGER,
    comment TEXT,
    upload_id UUID,
    CONSTRAINT pk_mark_note PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_mark_note_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id)
);

CREATE INDEX ix_mark_note_pupil_id ON mark_note (authority_id, pupil_id);

CREATE TABLE match_question (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    school_id UUID NOT NULL,
    upload_id UUID,
    academic_year INTEGER NOT NULL,
    pupil_id UUID NOT NULL,
    likeness TEXT NOT NULL,
    incoming JSONB NOT NULL,
    differs_in TEXT NOT NULL,
    across_schools BOOLEAN NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by UUID,
    decision TEXT,
    became_id UUID,
    CONSTRAINT pk_match_question PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_match_question_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id),
    CONSTRAINT fk_match_question_authority_id_pupil_id_pupil FOREIGN KEY(authority_id, pupil_id) REFERENCES pupil (authority_id, id),
    CONSTRAINT fk_match_question_authority_id_became_id_pupil FOREIGN KEY(authority_id, became_id) REFERENCES pupil (authority_id, id),
    CONSTRAINT ck_match_question_decided_whole CHECK ((decided_at IS NULL) = (decision IS NULL)),
    CONSTRAINT ck_match_question_decided_for CHECK ((decided_at IS NULL) = (became_id IS NULL)),
    CONSTRAINT ck_match_question_decision_known CHECK (decision IN ('same', 'different'))
);

CREATE INDEX ix_match_question_school_id ON match_question (authority_id, school_id);

CREATE TABLE register_page (
    authority_id UUID NOT NULL,
    school_id UUID NOT NULL,
    week DATE NOT NULL,
    version INTEGER NOT NULL,
    upload_id UUID,
    membership_id UUID,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT NOT NULL,
    marks BYTEA NOT NULL,
    CONSTRAINT pk_register_page PRIMARY KEY (authority_id, school_id, week, version),
    CONSTRAINT fk_register_page_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id)
);

CREATE INDEX ix_register_page_upload_id ON register_page (authority_id, upload_id);

CREATE TABLE remembered_mapping (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    school_id UUID NOT NULL,
    fingerprint TEXT NOT NULL,
    mapping JSONB NOT NULL,
    remembered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_remembered_mapping PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_remembered_mapping_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id),
    CONSTRAINT uq_remembered_mapping_authority_id_school_id_fingerprint UNIQUE (authority_id, school_id, fingerprint)
);

CREATE TABLE roll_line (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    school_id UUID NOT NULL,
    academic_year INTEGER NOT NULL,
    line INTEGER NOT NULL,
    pupil_id UUID NOT NULL,
    year_group TEXT,
    registration_group TEXT,
    enrolment_status TEXT NOT NULL,
    on_roll_from DATE NOT NULL,
    on_roll_until DATE,
    CONSTRAINT pk_roll_line PRIMARY KEY (authority_id, id),
    CONSTRAINT uq_roll_line_authority_id_school_id_academic_year_line UNIQUE (authority_id, school_id, academic_year, line),
    CONSTRAINT fk_roll_line_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id),
    CONSTRAINT fk_roll_line_authority_id_pupil_id_pupil FOREIGN KEY(authority_id, pupil_id) REFERENCES pupil (authority_id, id),
    CONSTRAINT ck_roll_line_line_positive CHECK (line >= 1),
    CONSTRAINT ck_roll_line_dates_in_order CHECK (on_roll_until IS NULL OR on_roll_until >= on_roll_from)
);

CREATE INDEX ix_roll_line_pupil_id ON roll_line (authority_id, pupil_id);

CREATE TABLE standing (
    authority_id UUID NOT NULL,
    school_id UUID NOT NULL,
    academic_year SMALLINT NOT NULL,
    line SMALLINT NOT NULL,
    pupil_id UUID NOT NULL,
    possible SMALLINT NOT NULL,
    present SMALLINT NOT NULL,
    approved SMALLINT NOT NULL,
    authorised SMALLINT NOT NULL,
    unauthorised SMALLINT NOT NULL,
    late_before SMALLINT NOT NULL,
    late_after SMALLINT NOT NULL,
    missing SMALLINT NOT NULL,
    unexplained SMALLINT NOT NULL,
    spells SMALLINT NOT NULL,
    longest_spell SMALLINT NOT NULL,
    recent_possible SMALLINT NOT NULL,
    recent_absent SMALLINT NOT NULL,
    last_week_possible SMALLINT NOT NULL,
    last_week_absent SMALLINT NOT NULL,
    threshold_window SMALLINT NOT NULL,
    threshold_best SMALLINT NOT NULL,
    headline_possible SMALLINT NOT NULL,
    headline_absent SMALLINT NOT NULL,
    CONSTRAINT pk_standing PRIMARY KEY (authority_id, school_id, academic_year, line),
    CONSTRAINT fk_standing_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id)
);

CREATE TABLE tally (
    authority_id UUID NOT NULL,
    school_id UUID NOT NULL,
    week DATE NOT NULL,
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    enrolments INTEGER NOT NULL,
    possible INTEGER NOT NULL,
    present INTEGER NOT NULL,
    approved INTEGER NOT NULL,
    authorised INTEGER NOT NULL,
    unauthorised INTEGER NOT NULL,
    late_before INTEGER NOT NULL,
    late_after INTEGER NOT NULL,
    by_code INTEGER[] NOT NULL,
    CONSTRAINT pk_tally PRIMARY KEY (authority_id, school_id, week, dimension, value),
    CONSTRAINT fk_tally_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id)
);

CREATE INDEX ix_tally_week ON tally (authority_id, dimension, week);

CREATE TABLE term (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    school_id UUID,
    name TEXT NOT NULL,
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    CONSTRAINT pk_term PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_term_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id),
    CONSTRAINT ck_term_in_order CHECK (first_day <= last_day)
);

CREATE INDEX ix_term_school_id ON term (authority_id, school_id);

CREATE TABLE upload (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    school_id UUID NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    file_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_by UUID,
    layout TEXT,
    mapping JSONB NOT NULL,
    add_pupils BOOLEAN NOT NULL,
    academic_year INTEGER,
    rehearsal JSONB NOT NULL,
    refusal TEXT,
    rows_in INTEGER NOT NULL,
    rows_stored INTEGER NOT NULL,
    rows_refused INTEGER NOT NULL,
    covers_from DATE,
    covers_until DATE,
    checked_at TIMESTAMP WITH TIME ZONE,
    applied_at TIMESTAMP WITH TIME ZONE,
    applied_by UUID,
    undone_at TIMESTAMP WITH TIME ZONE,
    undone_by UUID,
    undo_reason TEXT,
    CONSTRAINT pk_upload PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_upload_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id),
    CONSTRAINT ck_upload_state_known CHECK (state IN ('received', 'needs-mapping', 'rehearsed', 'applying', 'applied', 'refused', 'withdrawn', 'undone')),
    CONSTRAINT ck_upload_kind_known CHECK (kind IN ('marks', 'pupils', 'totals')),
    CONSTRAINT ck_upload_nothing_dropped CHECK (rows_in = rows_stored + rows_refused),
    CONSTRAINT ck_upload_applied_when CHECK (state NOT IN ('applied', 'undone') OR applied_at IS NOT NULL),
    CONSTRAINT ck_upload_undone_when CHECK ((state = 'undone') = (undone_at IS NOT NULL))
);

CREATE INDEX ix_upload_school_id ON upload (authority_id, school_id, received_at);

CREATE INDEX ix_upload_sha256 ON upload (authority_id, school_id, sha256);

CREATE TABLE finding (
    authority_id UUID NOT NULL,
    upload_id UUID NOT NULL,
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    refused BOOLEAN NOT NULL,
    sheet TEXT,
    "column" TEXT,
    rows TEXT NOT NULL,
    value TEXT,
    sentence TEXT NOT NULL,
    count INTEGER NOT NULL,
    CONSTRAINT pk_finding PRIMARY KEY (authority_id, upload_id, number),
    CONSTRAINT fk_finding_authority_id_upload_id_upload FOREIGN KEY(authority_id, upload_id) REFERENCES upload (authority_id, id)
);

CREATE TABLE reported_total (
    authority_id UUID NOT NULL,
    id UUID NOT NULL,
    upload_id UUID NOT NULL,
    school_id UUID NOT NULL,
    pupil_id UUID,
    span TEXT NOT NULL,
    possible INTEGER,
    absent INTEGER,
    authorised INTEGER,
    unauthorised INTEGER,
    attended INTEGER,
    CONSTRAINT pk_reported_total PRIMARY KEY (authority_id, id),
    CONSTRAINT fk_reported_total_authority_id_upload_id_upload FOREIGN KEY(authority_id, upload_id) REFERENCES upload (authority_id, id),
    CONSTRAINT fk_reported_total_authority_id_school_id_school FOREIGN KEY(authority_id, school_id) REFERENCES school (authority_id, id),
    CONSTRAINT fk_reported_total_authority_id_pupil_id_pupil FOREIGN KEY(authority_id, pupil_id) REFERENCES pupil (authority_id, id)
);

CREATE TABLE upload_content (
    authority_id UUID NOT NULL,
    upload_id UUID NOT NULL,
    received BYTEA NOT NULL,
    refused_rows BYTEA,
    CONSTRAINT pk_upload_content PRIMARY KEY (authority_id, upload_id),
    CONSTRAINT fk_upload_content_authority_id_upload_id_upload FOREIGN KEY(authority_id, upload_id) REFERENCES upload (authority_id, id)
);

ALTER TABLE "audit_event" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "audit_event" FORCE ROW LEVEL SECURITY;

CREATE POLICY audit_event_seen ON "audit_event" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY audit_event_added ON "audit_event" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

GRANT SELECT, INSERT ON "audit_event" TO portal_app;

ALTER TABLE "audit_head" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "audit_head" FORCE ROW LEVEL SECURITY;

CREATE POLICY audit_head_seen ON "audit_head" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY audit_head_added ON "audit_head" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY audit_head_changed ON "audit_head" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY audit_head_removed ON "audit_head" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

GRANT SELECT, INSERT, UPDATE, DELETE ON "audit_head" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "authority" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "mail" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "outbox_job" TO portal_app;

ALTER TABLE "parent" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "parent" FORCE ROW LEVEL SECURITY;

CREATE POLICY parent_seen ON "parent" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM parenthood seen WHERE seen.authority_id = parent.authority_id AND seen.parent_id = parent.id)));

CREATE POLICY parent_added ON "parent" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY parent_changed ON "parent" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM parenthood seen WHERE seen.authority_id = parent.authority_id AND seen.parent_id = parent.id))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY parent_removed ON "parent" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM parenthood seen WHERE seen.authority_id = parent.authority_id AND seen.parent_id = parent.id)));

GRANT SELECT, INSERT, UPDATE, DELETE ON "parent" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "person" TO portal_app;

ALTER TABLE "pupil" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "pupil" FORCE ROW LEVEL SECURITY;

CREATE POLICY pupil_seen ON "pupil" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = pupil.authority_id AND seen.pupil_id = pupil.id)));

CREATE POLICY pupil_added ON "pupil" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY pupil_changed ON "pupil" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = pupil.authority_id AND seen.pupil_id = pupil.id))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY pupil_removed ON "pupil" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = pupil.authority_id AND seen.pupil_id = pupil.id)));

GRANT SELECT, INSERT, UPDATE, DELETE ON "pupil" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "release" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "sign_in_attempt" TO portal_app;

ALTER TABLE "trust" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "trust" FORCE ROW LEVEL SECURITY;

CREATE POLICY trust_seen ON "trust" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY trust_added ON "trust" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY trust_changed ON "trust" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid)) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY trust_removed ON "trust" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

GRANT SELECT, INSERT, UPDATE, DELETE ON "trust" TO portal_app;

ALTER TABLE "upload_progress" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "upload_progress" FORCE ROW LEVEL SECURITY;

CREATE POLICY upload_progress_seen ON "upload_progress" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = upload_progress.authority_id AND seen.id = upload_progress.upload_id)));

CREATE POLICY upload_progress_added ON "upload_progress" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY upload_progress_changed ON "upload_progress" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = upload_progress.authority_id AND seen.id = upload_progress.upload_id))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY upload_progress_removed ON "upload_progress" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = upload_progress.authority_id AND seen.id = upload_progress.upload_id)));

GRANT SELECT, INSERT, UPDATE, DELETE ON "upload_progress" TO portal_app;

ALTER TABLE "characteristic" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "characteristic" FORCE ROW LEVEL SECURITY;

CREATE POLICY characteristic_seen ON "characteristic" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = characteristic.authority_id AND seen.pupil_id = characteristic.pupil_id)));

CREATE POLICY characteristic_added ON "characteristic" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY characteristic_changed ON "characteristic" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = characteristic.authority_id AND seen.pupil_id = characteristic.pupil_id))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY characteristic_removed ON "characteristic" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = characteristic.authority_id AND seen.pupil_id = characteristic.pupil_id)));

GRANT SELECT, INSERT, UPDATE, DELETE ON "characteristic" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "invitation" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "membership" TO portal_app;

ALTER TABLE "parenthood" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "parenthood" FORCE ROW LEVEL SECURITY;

CREATE POLICY parenthood_seen ON "parenthood" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = parenthood.authority_id AND seen.pupil_id = parenthood.pupil_id)));

CREATE POLICY parenthood_added ON "parenthood" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY parenthood_changed ON "parenthood" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = parenthood.authority_id AND seen.pupil_id = parenthood.pupil_id))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY parenthood_removed ON "parenthood" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM roll_line seen WHERE seen.authority_id = parenthood.authority_id AND seen.pupil_id = parenthood.pupil_id)));

GRANT SELECT, INSERT, UPDATE, DELETE ON "parenthood" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "password_reset" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "published_figure" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "recovery_code" TO portal_app;

ALTER TABLE "school" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "school" FORCE ROW LEVEL SECURITY;

CREATE POLICY school_seen ON "school" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY school_added ON "school" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY school_changed ON "school" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY school_removed ON "school" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "school" TO portal_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON "sign_in" TO portal_app;

ALTER TABLE "closed_days" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "closed_days" FORCE ROW LEVEL SECURITY;

CREATE POLICY closed_days_seen ON "closed_days" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY closed_days_added ON "closed_days" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY closed_days_changed ON "closed_days" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY closed_days_removed ON "closed_days" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "closed_days" TO portal_app;

ALTER TABLE "current_page" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "current_page" FORCE ROW LEVEL SECURITY;

CREATE POLICY current_page_seen ON "current_page" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY current_page_added ON "current_page" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY current_page_changed ON "current_page" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY current_page_removed ON "current_page" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "current_page" TO portal_app;

ALTER TABLE "local_code" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "local_code" FORCE ROW LEVEL SECURITY;

CREATE POLICY local_code_seen ON "local_code" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY local_code_added ON "local_code" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY local_code_changed ON "local_code" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY local_code_removed ON "local_code" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "local_code" TO portal_app;

ALTER TABLE "mark_note" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "mark_note" FORCE ROW LEVEL SECURITY;

CREATE POLICY mark_note_seen ON "mark_note" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY mark_note_added ON "mark_note" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY mark_note_changed ON "mark_note" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY mark_note_removed ON "mark_note" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "mark_note" TO portal_app;

ALTER TABLE "match_question" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "match_question" FORCE ROW LEVEL SECURITY;

CREATE POLICY match_question_seen ON "match_question" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY match_question_added ON "match_question" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY match_question_changed ON "match_question" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY match_question_removed ON "match_question" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "match_question" TO portal_app;

ALTER TABLE "register_page" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "register_page" FORCE ROW LEVEL SECURITY;

CREATE POLICY register_page_seen ON "register_page" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY register_page_added ON "register_page" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT ON "register_page" TO portal_app;

ALTER TABLE "remembered_mapping" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "remembered_mapping" FORCE ROW LEVEL SECURITY;

CREATE POLICY remembered_mapping_seen ON "remembered_mapping" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY remembered_mapping_added ON "remembered_mapping" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY remembered_mapping_changed ON "remembered_mapping" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY remembered_mapping_removed ON "remembered_mapping" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "remembered_mapping" TO portal_app;

ALTER TABLE "roll_line" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "roll_line" FORCE ROW LEVEL SECURITY;

CREATE POLICY roll_line_seen ON "roll_line" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY roll_line_added ON "roll_line" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY roll_line_changed ON "roll_line" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY roll_line_removed ON "roll_line" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "roll_line" TO portal_app;

ALTER TABLE "standing" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "standing" FORCE ROW LEVEL SECURITY;

CREATE POLICY standing_seen ON "standing" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY standing_added ON "standing" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY standing_changed ON "standing" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY standing_removed ON "standing" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "standing" TO portal_app;

ALTER TABLE "tally" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "tally" FORCE ROW LEVEL SECURITY;

CREATE POLICY tally_seen ON "tally" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY tally_added ON "tally" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY tally_changed ON "tally" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY tally_removed ON "tally" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "tally" TO portal_app;

ALTER TABLE "term" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "term" FORCE ROW LEVEL SECURITY;

CREATE POLICY term_seen ON "term" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY term_added ON "term" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY term_changed ON "term" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY term_removed ON "term" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id IS NULL OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "term" TO portal_app;

ALTER TABLE "upload" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "upload" FORCE ROW LEVEL SECURITY;

CREATE POLICY upload_seen ON "upload" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY upload_added ON "upload" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY upload_changed ON "upload" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY upload_removed ON "upload" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "upload" TO portal_app;

ALTER TABLE "finding" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "finding" FORCE ROW LEVEL SECURITY;

CREATE POLICY finding_seen ON "finding" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = finding.authority_id AND seen.id = finding.upload_id)));

CREATE POLICY finding_added ON "finding" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY finding_changed ON "finding" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = finding.authority_id AND seen.id = finding.upload_id))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY finding_removed ON "finding" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = finding.authority_id AND seen.id = finding.upload_id)));

GRANT SELECT, INSERT, UPDATE, DELETE ON "finding" TO portal_app;

ALTER TABLE "reported_total" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "reported_total" FORCE ROW LEVEL SECURITY;

CREATE POLICY reported_total_seen ON "reported_total" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY reported_total_added ON "reported_total" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY reported_total_changed ON "reported_total" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[]))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

CREATE POLICY reported_total_removed ON "reported_total" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR school_id = ANY ((SELECT string_to_array(nullif(nullif(current_setting('app.schools', true), '*'), ''), ',')::uuid[])::uuid[])));

GRANT SELECT, INSERT, UPDATE, DELETE ON "reported_total" TO portal_app;

ALTER TABLE "upload_content" ENABLE ROW LEVEL SECURITY;

ALTER TABLE "upload_content" FORCE ROW LEVEL SECURITY;

CREATE POLICY upload_content_seen ON "upload_content" FOR SELECT USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = upload_content.authority_id AND seen.id = upload_content.upload_id)));

CREATE POLICY upload_content_added ON "upload_content" FOR INSERT WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY upload_content_changed ON "upload_content" FOR UPDATE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = upload_content.authority_id AND seen.id = upload_content.upload_id))) WITH CHECK (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid));

CREATE POLICY upload_content_removed ON "upload_content" FOR DELETE USING (authority_id = (SELECT nullif(current_setting('app.authority', true), '')::uuid) AND ((SELECT current_setting('app.schools', true) = '*') OR EXISTS (SELECT 1 FROM upload seen WHERE seen.authority_id = upload_content.authority_id AND seen.id = upload_content.upload_id)));

GRANT SELECT, INSERT, UPDATE, DELETE ON "upload_content" TO portal_app;
