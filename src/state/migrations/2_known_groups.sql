-- The members of groups as they were last read from Okta. Only makes runs faster; may be emptied at any time.
CREATE TABLE known_groups (
    id TEXT PRIMARY KEY,                  -- the group's, in Okta
    updated TEXT NOT NULL,                -- its lastMembershipUpdated, as Okta wrote it before the members were read
    read TEXT NOT NULL,                   -- when they were read
    members TEXT NOT NULL                 -- their ids, with a space between
) STRICT;
