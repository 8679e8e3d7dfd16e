-- On call and reaching people: who takes turns, who takes over, who is away, by what a person
-- is reached, and that an owner said again that a duty is theirs.

-- When somebody changed department; NULL while they never did.
ALTER TABLE person ADD COLUMN moved_at BIGINT;
-- When the owner last said that an accepted A is still theirs; NULL while accepting is the last word.
ALTER TABLE assignment ADD COLUMN confirmed_at BIGINT CHECK (confirmed_at IS NULL OR (role = 'A' AND confirmed_at >= accepted_at));
-- What a party is Accountable for, by when they last said so.
CREATE INDEX assignment_confirm ON assignment (party_kind, party_id, (COALESCE(confirmed_at, accepted_at)), agent_id)
  WHERE role = 'A' AND valid_to IS NULL AND accepted_at IS NOT NULL AND agent_id IS NOT NULL;

-- People in their order, as numbers between blanks. What was in force at a moment is never
-- rewritten: a change closes one row and opens the next.
CREATE TABLE rotation (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  team_id BIGINT NOT NULL REFERENCES team (id),
  people TEXT NOT NULL CHECK (people <> ''),
  starts_at BIGINT NOT NULL,
  turn_seconds BIGINT NOT NULL CHECK (turn_seconds >= 3600 AND turn_seconds <= 4838400),
  valid_from BIGINT NOT NULL,
  valid_to BIGINT,
  CHECK (valid_to IS NULL OR valid_to >= valid_from)
);
CREATE UNIQUE INDEX rotation_one ON rotation (team_id) WHERE valid_to IS NULL;
CREATE INDEX rotation_team ON rotation (team_id, valid_from);
CREATE INDEX rotation_event ON rotation (event_id);

CREATE TABLE cover (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  team_id BIGINT NOT NULL REFERENCES team (id),
  person_id BIGINT NOT NULL REFERENCES person (id),
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  reason TEXT NOT NULL,
  made_by TEXT NOT NULL,
  cancelled_at BIGINT,
  CHECK (until_at > from_at)
);
CREATE INDEX cover_team ON cover (team_id, until_at);
CREATE INDEX cover_person ON cover (person_id, until_at);
CREATE INDEX cover_event ON cover (event_id);

CREATE TABLE absence (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  person_id BIGINT NOT NULL REFERENCES person (id),
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  ended_at BIGINT,
  CHECK (until_at > from_at)
);
CREATE INDEX absence_person ON absence (person_id, until_at);
CREATE INDEX absence_event ON absence (event_id);

CREATE TABLE channel (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  person_id BIGINT NOT NULL REFERENCES person (id),
  kind TEXT NOT NULL CHECK (kind IN ('phone', 'chat', 'email', 'pager')),
  address TEXT NOT NULL CHECK (address <> ''),
  added_at BIGINT NOT NULL,
  tested_at BIGINT,
  tested_with TEXT NOT NULL,
  removed_at BIGINT,
  CHECK ((tested_at IS NULL) = (tested_with = ''))
);
CREATE UNIQUE INDEX channel_once ON channel (person_id, kind, address) WHERE removed_at IS NULL;
CREATE INDEX channel_event ON channel (event_id);

-- A working fact outside the record: the code that a colleague passes on, as its hash.
CREATE TABLE channel_test (
  channel_id BIGINT PRIMARY KEY REFERENCES channel (id),
  salt TEXT NOT NULL,
  code_sha256 TEXT NOT NULL,
  begun_by BIGINT NOT NULL REFERENCES person (id),
  begun_at BIGINT NOT NULL,
  tries BIGINT NOT NULL
);

INSERT INTO sequence (noun, last) VALUES ('rotation', 0), ('cover', 0), ('absence', 0), ('channel', 0);

-- Who was on call, and who was away, is never rewritten.
CREATE TRIGGER rotation_no_delete BEFORE DELETE ON rotation
BEGIN SELECT RAISE(ABORT, 'rotations are never deleted'); END;
CREATE TRIGGER cover_no_delete BEFORE DELETE ON cover
BEGIN SELECT RAISE(ABORT, 'overrides are never deleted'); END;
CREATE TRIGGER cover_cancelled BEFORE UPDATE ON cover WHEN OLD.cancelled_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an override that was cancelled is never changed'); END;
CREATE TRIGGER absence_no_delete BEFORE DELETE ON absence
BEGIN SELECT RAISE(ABORT, 'absences are never deleted'); END;
CREATE TRIGGER absence_ended BEFORE UPDATE ON absence WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an absence that was ended is never changed'); END;
