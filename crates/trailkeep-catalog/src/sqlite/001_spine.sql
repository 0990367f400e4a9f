-- Version 1. Only what SQLite and Postgres share: BIGINT and TEXT, bytes in lower case
-- hexadecimal, times in microseconds since 1970, truth values 0 and 1.

CREATE TABLE store_identity (
    only_row   BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
    store_id   TEXT   NOT NULL,
    id_key     TEXT   NOT NULL,
    source_key TEXT   NOT NULL,
    cursor_key TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- A released lease keeps its row, without an owner, so that its epoch is never given out again.
CREATE TABLE leases (
    resource TEXT   NOT NULL PRIMARY KEY,
    owner    TEXT,
    epoch    BIGINT NOT NULL CHECK (epoch > 0),
    until_at BIGINT NOT NULL
);

-- A row for each partition: the first frame that is not sealed.
CREATE TABLE cuts (
    partition_no BIGINT NOT NULL PRIMARY KEY CHECK (partition_no BETWEEN 0 AND 15),
    frame        BIGINT NOT NULL CHECK (frame >= 0)
);

INSERT INTO cuts (partition_no, frame)
VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0),
       (8, 0), (9, 0), (10, 0), (11, 0), (12, 0), (13, 0), (14, 0), (15, 0);

-- A replaced file keeps its row until the file is removed, so that no id is used twice.
CREATE TABLE segments (
    id         TEXT   NOT NULL PRIMARY KEY,
    cut_from   TEXT   NOT NULL,
    cut_to     TEXT   NOT NULL,
    n_rows     BIGINT NOT NULL CHECK (n_rows >= 0),
    n_bytes    BIGINT NOT NULL CHECK (n_bytes >= 0),
    min_at     BIGINT NOT NULL,
    max_at     BIGINT NOT NULL,
    meta       TEXT   NOT NULL,
    removed_at BIGINT
);

CREATE TABLE runs (
    id         TEXT   NOT NULL PRIMARY KEY,
    n_entries  BIGINT NOT NULL CHECK (n_entries >= 0),
    n_bytes    BIGINT NOT NULL CHECK (n_bytes >= 0),
    meta       TEXT   NOT NULL,
    removed_at BIGINT
);

CREATE TABLE heads (
    account_id TEXT   NOT NULL PRIMARY KEY,
    n_entries  BIGINT NOT NULL CHECK (n_entries >= 0),
    created_at BIGINT NOT NULL
);

CREATE TABLE accounts (
    account_id TEXT   NOT NULL PRIMARY KEY,
    slug       TEXT   NOT NULL UNIQUE,
    name       TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    key_id      TEXT   NOT NULL PRIMARY KEY,
    name        TEXT   NOT NULL,
    token_hash  TEXT   NOT NULL UNIQUE,
    masked      TEXT   NOT NULL,
    read_scope  TEXT,
    write_scope TEXT,
    operates    BIGINT NOT NULL CHECK (operates IN (0, 1)),
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT
);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
