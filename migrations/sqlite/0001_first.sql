-- Times are Unix milliseconds. `v` is the layout version of the record in that row.

-- One counter per kind of record, moved by triggers, so that any writer (also another process, also the sqlite3 shell)
-- is noticed by whoever polls it.
CREATE TABLE revisions (
    kind  TEXT    NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO revisions (kind, value) VALUES ('keys', 0), ('config', 0);

CREATE TABLE keys (
    id             TEXT    NOT NULL PRIMARY KEY,
    v              INTEGER NOT NULL,
    name           TEXT    NOT NULL UNIQUE,
    hash           BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    hint           TEXT    NOT NULL,
    enabled        INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    expires_at_ms  INTEGER,
    allowed_models TEXT, -- JSON array of names; NULL means all
    created_at_ms  INTEGER NOT NULL,
    updated_at_ms  INTEGER NOT NULL
) STRICT;

CREATE TRIGGER keys_inserted AFTER INSERT ON keys BEGIN
    UPDATE revisions SET value = value + 1 WHERE kind = 'keys';
END;
CREATE TRIGGER keys_updated AFTER UPDATE ON keys BEGIN
    UPDATE revisions SET value = value + 1 WHERE kind = 'keys';
END;
CREATE TRIGGER keys_deleted AFTER DELETE ON keys BEGIN
    UPDATE revisions SET value = value + 1 WHERE kind = 'keys';
END;

CREATE TABLE config_documents (
    name          TEXT    NOT NULL PRIMARY KEY,
    body          TEXT    NOT NULL,
    revision      INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT;

CREATE TRIGGER config_inserted AFTER INSERT ON config_documents BEGIN
    UPDATE revisions SET value = value + 1 WHERE kind = 'config';
END;
CREATE TRIGGER config_updated AFTER UPDATE ON config_documents BEGIN
    UPDATE revisions SET value = value + 1 WHERE kind = 'config';
END;
CREATE TRIGGER config_deleted AFTER DELETE ON config_documents BEGIN
    UPDATE revisions SET value = value + 1 WHERE kind = 'config';
END;

-- One row per attempt. `attempt_id` makes settlement happen once; there are few indexes because every one is paid for
-- by every request.
CREATE TABLE usage_records (
    attempt_id          TEXT    NOT NULL UNIQUE,
    v                   INTEGER NOT NULL,
    request_id          TEXT    NOT NULL,
    key_id              TEXT    NOT NULL,
    key_name            TEXT    NOT NULL,
    at_ms               INTEGER NOT NULL,
    duration_ms         INTEGER NOT NULL,
    first_byte_ms       INTEGER,
    ingress             TEXT    NOT NULL,
    operation           TEXT    NOT NULL,
    requested_model     TEXT    NOT NULL,
    provider            TEXT    NOT NULL,
    upstream_model      TEXT    NOT NULL,
    streaming           INTEGER NOT NULL CHECK (streaming IN (0, 1)),
    status              INTEGER NOT NULL,
    upstream_status     INTEGER,
    end_reason          TEXT    NOT NULL,
    usage_provenance    TEXT    NOT NULL,
    error_code          TEXT,
    losses              TEXT, -- JSON array of field names; NULL means none
    events_delivered    INTEGER NOT NULL,
    bytes_delivered     INTEGER NOT NULL,
    input_uncached      INTEGER NOT NULL,
    cache_read          INTEGER NOT NULL,
    cache_write_5m      INTEGER NOT NULL,
    cache_write_1h      INTEGER NOT NULL,
    cache_write_other   INTEGER NOT NULL,
    tool_prompt         INTEGER NOT NULL,
    output_text         INTEGER NOT NULL,
    output_reasoning    INTEGER NOT NULL,
    audio_in            INTEGER NOT NULL,
    audio_out           INTEGER NOT NULL,
    image_in            INTEGER NOT NULL,
    image_out           INTEGER NOT NULL,
    prediction_accepted INTEGER NOT NULL,
    prediction_rejected INTEGER NOT NULL,
    web_searches        INTEGER NOT NULL,
    requests            INTEGER NOT NULL
) STRICT;

CREATE INDEX usage_records_by_time ON usage_records (at_ms, attempt_id);
