-- The bridge's first schema. The twin in the other back end has the same tables and columns;
-- a test compares both with crates/persistence/src/schema. Times are UTC, money is hundredths.

-- Business records, one table an entity. Columns are those of crates/domain/src/columns.rs, then
-- the system columns, which no mapping fills.

CREATE TABLE programs (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    name TEXT,
    moodle_id TEXT,
    status TEXT,
    program_number TEXT,
    program_type TEXT,
    major TEXT,
    sub_major TEXT,
    description TEXT,
    price BIGINT,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX programs_public_ref ON programs (public_ref);

CREATE TABLE units (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    unit_name TEXT,
    unit_code TEXT,
    unit_number TEXT,
    credit TEXT,
    level TEXT,
    major TEXT,
    service_type TEXT,
    program_zoho_id TEXT,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX units_public_ref ON units (public_ref);
CREATE INDEX units_program_zoho_id ON units (program_zoho_id);

CREATE TABLE teachers (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    name TEXT,
    email TEXT,
    academic_email TEXT,
    phone_number TEXT,
    moodle_user_id TEXT,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX teachers_public_ref ON teachers (public_ref);

CREATE TABLE students (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    student_id TEXT,
    first_name TEXT,
    last_name TEXT,
    display_name TEXT,
    first_name_native TEXT,
    last_name_native TEXT,
    username TEXT,
    academic_email TEXT,
    personal_email TEXT,
    phone_number TEXT,
    address TEXT,
    city TEXT,
    nationality TEXT,
    gender TEXT,
    emergency_contact_name TEXT,
    emergency_contact_phone TEXT,
    status TEXT,
    moodle_user_id TEXT,
    national_id TEXT,
    major TEXT,
    sub_major TEXT,
    registration_number TEXT,
    program_zoho_id TEXT,
    academic_program TEXT,
    study_language TEXT,
    study_mode TEXT,
    intake TEXT,
    date_of_birth DATE,
    zoho_created_at TIMESTAMP,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX students_public_ref ON students (public_ref);
CREATE INDEX students_program_zoho_id ON students (program_zoho_id);

CREATE TABLE classes (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    class_name TEXT,
    class_short_name TEXT,
    class_status TEXT,
    moodle_class_id TEXT,
    program_zoho_id TEXT,
    program_name TEXT,
    unit_zoho_id TEXT,
    unit_name TEXT,
    teacher_zoho_id TEXT,
    teacher_name TEXT,
    year TEXT,
    term TEXT,
    classroom TEXT,
    study_mode TEXT,
    ms_teams_id TEXT,
    start_date DATE,
    end_date DATE,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX classes_public_ref ON classes (public_ref);
CREATE INDEX classes_program_zoho_id ON classes (program_zoho_id);
CREATE INDEX classes_unit_zoho_id ON classes (unit_zoho_id);
CREATE INDEX classes_teacher_zoho_id ON classes (teacher_zoho_id);

CREATE TABLE registrations (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    registration_number TEXT,
    student_zoho_id TEXT,
    program_zoho_id TEXT,
    program_name TEXT,
    registration_status TEXT,
    currency TEXT,
    study_mode TEXT,
    study_language TEXT,
    btec_reg_no TEXT,
    intake TEXT,
    note TEXT,
    registration_date DATE,
    total_fees BIGINT,
    remaining_amount BIGINT,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX registrations_public_ref ON registrations (public_ref);
CREATE INDEX registrations_student_zoho_id ON registrations (student_zoho_id);
CREATE INDEX registrations_program_zoho_id ON registrations (program_zoho_id);

CREATE TABLE enrollments (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    enrollment_name TEXT,
    student_zoho_id TEXT,
    student_name TEXT,
    class_zoho_id TEXT,
    class_name TEXT,
    enrolled_program TEXT,
    enrollment_type TEXT,
    status TEXT,
    moodle_course_id TEXT,
    start_date DATE,
    end_date DATE,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX enrollments_public_ref ON enrollments (public_ref);
CREATE INDEX enrollments_student_zoho_id ON enrollments (student_zoho_id);
CREATE INDEX enrollments_class_zoho_id ON enrollments (class_zoho_id);

CREATE TABLE payments (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    payment_number TEXT,
    registration_zoho_id TEXT,
    student_zoho_id TEXT,
    payment_method TEXT,
    payment_type TEXT,
    currency TEXT,
    voucher_number TEXT,
    accepted TEXT,
    decline_reason TEXT,
    note TEXT,
    installment_no BIGINT,
    payment_date DATE,
    amount BIGINT,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX payments_public_ref ON payments (public_ref);
CREATE INDEX payments_registration_zoho_id ON payments (registration_zoho_id);
CREATE INDEX payments_student_zoho_id ON payments (student_zoho_id);

CREATE TABLE grades (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    grade_number TEXT,
    student_zoho_id TEXT,
    class_zoho_id TEXT,
    unit_name TEXT,
    btec_grade_name TEXT,
    grade TEXT,
    grade_status TEXT,
    feedback TEXT,
    composite_key TEXT,
    moodle_grade_id TEXT,
    grader_name TEXT,
    iv_name TEXT,
    attempt_number BIGINT,
    grade_date DATE,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX grades_public_ref ON grades (public_ref);
CREATE INDEX grades_student_zoho_id ON grades (student_zoho_id);
CREATE INDEX grades_class_zoho_id ON grades (class_zoho_id);

CREATE TABLE student_requests (
    connection_id TEXT NOT NULL DEFAULT 'default',
    zoho_id TEXT NOT NULL,
    public_ref TEXT NOT NULL,
    request_name TEXT,
    student_zoho_id TEXT,
    request_type TEXT,
    request_status TEXT,
    reason TEXT,
    academic_email TEXT,
    moodle_user_id TEXT,
    currency TEXT,
    requested_at TIMESTAMP,
    fees_amount BIGINT,
    zoho_modified_at TIMESTAMP,
    content_hash TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    deleted_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, zoho_id)
);
CREATE UNIQUE INDEX student_requests_public_ref ON student_requests (public_ref);
CREATE INDEX student_requests_student_zoho_id ON student_requests (student_zoho_id);

-- Notices, as they came. A sender's identity and the key by which a nameless event absorbs its
-- repeats share one unique column; it is emptied when they no longer hold.
CREATE TABLE integration_events_log (
    event_id TEXT NOT NULL PRIMARY KEY,
    connection_id TEXT NOT NULL DEFAULT 'default',
    source TEXT NOT NULL,
    entity TEXT,
    module TEXT,
    operation TEXT,
    record_id TEXT,
    record_ids TEXT,
    identity TEXT,
    status TEXT NOT NULL,
    code TEXT,
    tail TEXT,
    payload TEXT NOT NULL,
    received_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX integration_events_log_identity
    ON integration_events_log (connection_id, identity) WHERE identity IS NOT NULL;

-- Work: one row per lane and record. Something is to be done while wanted is above done.
CREATE TABLE work_items (
    connection_id TEXT NOT NULL DEFAULT 'default',
    lane TEXT NOT NULL,
    zoho_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('idle', 'ready', 'leased', 'waiting', 'stopped')),
    due_at TIMESTAMP,
    wanted BIGINT NOT NULL DEFAULT 0,
    done BIGINT NOT NULL DEFAULT 0,
    fence BIGINT NOT NULL DEFAULT 0,
    owner TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    failing_since TIMESTAMP,
    waiting_since TIMESTAMP,
    waiting_on TEXT,
    waited_wakes BIGINT NOT NULL DEFAULT 0,
    wakes BIGINT NOT NULL DEFAULT 0,
    deletion_wanted BIGINT NOT NULL DEFAULT 0,
    recheck_wanted BIGINT NOT NULL DEFAULT 0,
    recheck_at TIMESTAMP,
    reason TEXT,
    done_at TIMESTAMP,
    PRIMARY KEY (connection_id, lane, zoho_id),
    CHECK (done <= wanted),
    CHECK (state <> 'idle' OR due_at IS NULL),
    CHECK (state NOT IN ('ready', 'leased') OR due_at IS NOT NULL),
    CHECK ((state = 'leased') = (owner IS NOT NULL))
);
CREATE INDEX work_items_due ON work_items (lane, due_at, state) WHERE due_at IS NOT NULL;
CREATE INDEX work_items_waiting ON work_items (waiting_on, state) WHERE waiting_on IS NOT NULL;
CREATE INDEX work_items_leased ON work_items (owner) WHERE owner IS NOT NULL;

-- What the other side should look like, and what it is known to look like (JSON).
CREATE TABLE outbox (
    connection_id TEXT NOT NULL DEFAULT 'default',
    lane TEXT NOT NULL,
    zoho_id TEXT NOT NULL,
    desired TEXT NOT NULL,
    confirmed TEXT,
    outcome TEXT,
    desired_at TIMESTAMP,
    confirmed_at TIMESTAMP,
    PRIMARY KEY (connection_id, lane, zoho_id)
);

-- Moodle ids: a record has at most one of a kind, and an id belongs to at most one record.
CREATE TABLE links (
    connection_id TEXT NOT NULL DEFAULT 'default',
    kind TEXT NOT NULL CHECK (kind IN ('user', 'course')),
    zoho_id TEXT NOT NULL,
    moodle_id BIGINT NOT NULL CHECK (moodle_id > 0),
    linked_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, kind, zoho_id)
);
CREATE UNIQUE INDEX links_moodle_id ON links (connection_id, kind, moodle_id);

-- What a person must see. open_key is unique while the issue is open and empty afterwards.
CREATE TABLE issues (
    id TEXT NOT NULL PRIMARY KEY,
    connection_id TEXT NOT NULL DEFAULT 'default',
    open_key TEXT UNIQUE,
    fingerprint TEXT NOT NULL,
    entity TEXT,
    zoho_id TEXT,
    operation TEXT,
    subject TEXT,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    hint TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    first_seen TIMESTAMP NOT NULL,
    last_seen TIMESTAMP NOT NULL,
    resolved_at TIMESTAMP,
    CHECK (open_key IS NULL OR resolved_at IS NULL)
);
CREATE INDEX issues_open ON issues (operation, zoho_id) WHERE resolved_at IS NULL;

-- Append-only: one row a change, with what explains every field (JSON).
CREATE TABLE record_history (
    id BIGSERIAL PRIMARY KEY,
    connection_id TEXT NOT NULL DEFAULT 'default',
    entity TEXT NOT NULL,
    zoho_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'revived', 'deleted')),
    zoho_modified_at TIMESTAMP,
    mapping_version INTEGER NOT NULL,
    changes TEXT NOT NULL,
    written_at TIMESTAMP NOT NULL
);
CREATE INDEX record_history_record ON record_history (entity, zoho_id, id);

CREATE TABLE sync_runs (
    id TEXT NOT NULL PRIMARY KEY,
    connection_id TEXT NOT NULL DEFAULT 'default',
    entity TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('full', 'incremental', 'record')),
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
    dry_run BOOLEAN NOT NULL,
    records_read BIGINT NOT NULL DEFAULT 0,
    records_changed BIGINT NOT NULL DEFAULT 0,
    records_failed BIGINT NOT NULL DEFAULT 0,
    watermark TIMESTAMP,
    error TEXT,
    queued_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    finished_at TIMESTAMP
);
CREATE INDEX sync_runs_queued_at ON sync_runs (queued_at);

-- Every saved version of a mapping; the highest one of an entity holds.
CREATE TABLE field_mappings (
    connection_id TEXT NOT NULL DEFAULT 'default',
    entity TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    module TEXT NOT NULL,
    rules TEXT NOT NULL,
    saved_by TEXT,
    saved_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, entity, version)
);

-- A setting is either clear or sealed, never both.
CREATE TABLE settings (
    connection_id TEXT NOT NULL DEFAULT 'default',
    name TEXT NOT NULL,
    value TEXT,
    sealed TEXT,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, name),
    CHECK ((value IS NULL) <> (sealed IS NULL))
);

-- Only hashes, never keys.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    secret_hash TEXT NOT NULL CHECK (length(secret_hash) = 64),
    role TEXT NOT NULL CHECK (role IN ('viewer', 'registrar', 'operator', 'admin')),
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    revoked_at TIMESTAMP
);

CREATE TABLE zoho_channels (
    connection_id TEXT NOT NULL DEFAULT 'default',
    channel_id TEXT NOT NULL,
    entity TEXT NOT NULL,
    module TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (connection_id, channel_id)
);
