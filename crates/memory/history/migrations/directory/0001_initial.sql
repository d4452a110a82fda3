-- The one thing marketplaces share: who has an account, how they sign in, and which marketplaces they use.
-- Nothing here says anything about a device, a request or a recording.

CREATE TABLE accounts (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16), -- random
    name       TEXT    NOT NULL UNIQUE,                              -- what its owner signs in with, in lower case
    password   TEXT    NOT NULL,                                     -- argon2id, PHC string; never the password
    made_ms    INTEGER NOT NULL                                      -- ms since 1970, as the clock stood then
) STRICT;

CREATE TABLE account_marketplaces (
    account     BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    marketplace TEXT    NOT NULL CHECK (length(marketplace) = 2),    -- names the folder: us, uk, de, …
    home        INTEGER NOT NULL CHECK (home IN (0, 1)),             -- 1 in exactly one row of an account
    PRIMARY KEY (account, marketplace)
) STRICT;

CREATE UNIQUE INDEX account_home ON account_marketplaces (account) WHERE home = 1;

CREATE TABLE sessions (
    token_hash BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32), -- SHA-256 of the token; never the token
    account    BLOB    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    opened_ms  INTEGER NOT NULL,                                             -- ms since 1970
    expires_ms INTEGER NOT NULL                                              -- ms since 1970; not good from then on
) STRICT;

CREATE INDEX sessions_by_account ON sessions (account, opened_ms);
