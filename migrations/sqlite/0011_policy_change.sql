-- Changing the policy, deciding in somebody's place, and calendars.

-- Derived: which conditions of the policy hold for the agent, as bits; -1 once it is retired.
-- Nothing until the agent is next assessed, which a server does by itself.
ALTER TABLE agent ADD COLUMN needs BIGINT;
CREATE INDEX agent_needs ON agent (needs, id);

-- The agents that a party is to stop, by when that has to be shown again.
CREATE INDEX agent_runtime_party ON agent (runtime_party_kind, runtime_party_id, runtime_owner, runtime_owner_until, id);

-- Who confirmed a version that was weaker.
ALTER TABLE policy ADD COLUMN confirmed_by TEXT;

-- What needs a second person may be about the policy too, and then about nobody.
-- SQLite changes no CHECK in place: the table is made anew, row by row as it was.
CREATE TABLE proposal_new (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  person_id BIGINT REFERENCES person (id),
  matter TEXT NOT NULL CHECK (matter IN ('roles', 'password', 'policy')),
  roles TEXT NOT NULL,
  asked_by BIGINT NOT NULL REFERENCES person (id),
  asked_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'confirmed', 'refused', 'lapsed')),
  decided_by BIGINT REFERENCES person (id),
  decided_at BIGINT,
  -- The policy that is proposed, as canonical JSON, and the version that it would follow.
  content TEXT,
  against BIGINT,
  CHECK ((matter = 'roles') = (roles <> '')),
  CHECK ((matter = 'policy') = (person_id IS NULL)),
  CHECK ((matter = 'policy') = (content IS NOT NULL)),
  CHECK ((matter = 'policy') = (against IS NOT NULL)),
  CHECK (asked_by <> person_id),
  CHECK ((state = 'open') = (decided_at IS NULL)),
  CHECK (state IN ('open', 'lapsed') OR decided_by IS NOT NULL),
  CHECK (decided_by <> person_id),
  CHECK (state <> 'confirmed' OR decided_by <> asked_by)
);
INSERT INTO proposal_new (id, event_id, person_id, matter, roles, asked_by, asked_at, reason, state, decided_by, decided_at)
SELECT id, event_id, person_id, matter, roles, asked_by, asked_at, reason, state, decided_by, decided_at FROM proposal;
DROP TABLE proposal;
ALTER TABLE proposal_new RENAME TO proposal;
CREATE UNIQUE INDEX proposal_once ON proposal (person_id, matter) WHERE state = 'open';
CREATE UNIQUE INDEX proposal_once_policy ON proposal (matter) WHERE state = 'open' AND person_id IS NULL;
CREATE INDEX proposal_open ON proposal (asked_at, id) WHERE state = 'open';
CREATE INDEX proposal_event ON proposal (event_id);

-- Who decides in whose place, and from when until when: at most 90 days.
CREATE TABLE delegation (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  from_id BIGINT NOT NULL REFERENCES person (id),
  to_id BIGINT NOT NULL REFERENCES person (id),
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  reason TEXT NOT NULL CHECK (reason <> ''),
  -- When it was ended before its time.
  ended_at BIGINT,
  CHECK (from_id <> to_id),
  CHECK (until_at > from_at AND until_at - from_at <= 7776000000000)
);
CREATE INDEX delegation_from ON delegation (from_id, until_at, id) WHERE ended_at IS NULL;
CREATE INDEX delegation_to ON delegation (to_id, until_at, id) WHERE ended_at IS NULL;
CREATE INDEX delegation_event ON delegation (event_id);
CREATE TRIGGER delegation_kept BEFORE UPDATE ON delegation WHEN OLD.ended_at IS NOT NULL OR NEW.from_id <> OLD.from_id
  OR NEW.to_id <> OLD.to_id OR NEW.from_at <> OLD.from_at OR NEW.until_at <> OLD.until_at OR NEW.reason <> OLD.reason
BEGIN SELECT RAISE(ABORT, 'a delegation is ended, never changed'); END;
CREATE TRIGGER delegation_no_delete BEFORE DELETE ON delegation
BEGIN SELECT RAISE(ABORT, 'delegations are never deleted'); END;

-- The secret link of a person's calendar; of the secret only its SHA-256.
CREATE TABLE calendar_link (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  person_id BIGINT NOT NULL REFERENCES person (id),
  sha256 TEXT NOT NULL UNIQUE,
  made_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE UNIQUE INDEX calendar_link_one ON calendar_link (person_id) WHERE revoked_at IS NULL;
CREATE INDEX calendar_link_event ON calendar_link (event_id);
CREATE TRIGGER calendar_link_revoked BEFORE UPDATE ON calendar_link WHEN OLD.revoked_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a link that was revoked is never changed'); END;

INSERT INTO sequence (noun, last) VALUES ('delegation', 0), ('calendar', 0);
