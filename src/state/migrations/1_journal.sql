-- Every run, and what it did. Times are UTC in ISO 8601, before and after are JSON objects.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice
    command TEXT NOT NULL,                -- plan, apply, undo 12
    started TEXT NOT NULL,
    ended TEXT,                           -- null while it runs, and where it was killed until a later run notes that
    seconds REAL,
    tool_version TEXT NOT NULL,
    config TEXT NOT NULL,                 -- SHA-256 of the config file
    okta TEXT NOT NULL,                   -- the org's host
    activepieces TEXT NOT NULL,           -- the platform's host
    outcome TEXT,                         -- done, partial, refused, failed or interrupted; null like ended
    reason TEXT,                          -- why it isn't done
    changes INTEGER,                      -- how many steps its plan had; null where it never came to one
    problems INTEGER,                     -- how many users and projects its plan left alone
    requests INTEGER,                     -- to both servers
    hash TEXT,                            -- the plan's, as it was looked at and approved
    plan TEXT                             -- the whole plan as JSON; both from where it began to write
) STRICT;

CREATE TABLE operations (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,                   -- user, project, add members, remove members
    okta_id TEXT NOT NULL,                -- of the user or the group
    subject TEXT NOT NULL,                -- the user name or the project's name
    action TEXT NOT NULL,                 -- create, reactivate, adopt, update, deactivate, rename, delete, add, remove
    before TEXT,                          -- what stood; null where nothing did
    after TEXT,                           -- what was to stand
    outcome TEXT NOT NULL,                -- planned, begun, done, failed or skipped
    reason TEXT,                          -- why it failed or was skipped
    begun TEXT,                           -- set before the request is sent
    ended TEXT,
    PRIMARY KEY (run, kind, okta_id)
) STRICT;

CREATE INDEX operations_by_okta_id ON operations (okta_id, run);

-- Small values by name, as JSON.
CREATE TABLE kept (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
