-- The history of one marketplace. What was said, and what was answered, stands here only sealed.

-- Facts about this database as a whole.
CREATE TABLE facts (
    name  TEXT NOT NULL PRIMARY KEY, -- 'key_store': the id of the key store this database belongs with
    value BLOB NOT NULL
) STRICT;

CREATE TABLE devices (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16), -- random
    account    BLOB    NOT NULL,                                     -- whose it is (an account of the directory)
    name       TEXT    NOT NULL,                                     -- what its owner calls it
    key_sha256 BLOB    NOT NULL CHECK (length(key_sha256) = 32),     -- SHA-256 of its public key (SPKI)
    added_ms   INTEGER NOT NULL,                                     -- ms since 1970
    seen_ms    INTEGER,                                              -- when it was last connected
    revoked_ms INTEGER                                               -- set once: it is refused from then on
) STRICT;

CREATE INDEX devices_by_account ON devices (account, added_ms);
-- A key belongs to one device at a time; after a revocation it may be paired anew.
CREATE UNIQUE INDEX devices_by_key ON devices (key_sha256) WHERE revoked_ms IS NULL;

CREATE TABLE utterances (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16), -- random
    account    BLOB    NOT NULL,                                     -- whose it is
    at_ms      INTEGER NOT NULL,                                     -- when, by the clock of the time; ms since 1970
    -- sealed
    slot       INTEGER UNIQUE CHECK (slot > 0),                      -- where its keys are in keys.store
    device     BLOB REFERENCES devices (id),                         -- which device heard it
    details    BLOB,                                                 -- sealed under its text key: transcript, intent,
                                                                     -- slots, reply, cause, length, timings
    -- deleted
    deleted_ms INTEGER,                                              -- when its deletion was asked for
    receipt    BLOB CHECK (length(receipt) = 16),                    -- the number of the receipt
    -- Either sealed and whole, or deleted with nothing left but id, account, time and receipt.
    CHECK (
        (slot IS NOT NULL AND device IS NOT NULL AND details IS NOT NULL AND deleted_ms IS NULL AND receipt IS NULL)
        OR (slot IS NULL AND device IS NULL AND details IS NULL AND deleted_ms IS NOT NULL AND receipt IS NOT NULL)
    )
) STRICT;

CREATE INDEX utterances_by_account ON utterances (account, at_ms, id);

-- Deletions that were asked for and are not finished. A row is written before the key is destroyed and removed with
-- the last thing that remained, so that a start after a crash knows what to finish.
CREATE TABLE deletions (
    utterance    BLOB    NOT NULL PRIMARY KEY REFERENCES utterances (id),
    requested_ms INTEGER NOT NULL,                                   -- becomes utterances.deleted_ms
    receipt      BLOB    NOT NULL CHECK (length(receipt) = 16)       -- becomes utterances.receipt
) STRICT;
