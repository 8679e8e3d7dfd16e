-- Stop authority for each control surface, calls of webhooks, drills with evidence, and stops.
-- Columns added to audited tables are nullable, and left out of the digest while NULL.

ALTER TABLE stop_method ADD COLUMN surface TEXT CHECK (surface IN ('pause', 'revoke', 'block', 'isolate'));
ALTER TABLE stop_method ADD COLUMN url TEXT CHECK ((url IS NOT NULL) = (kind = 'webhook'));
ALTER TABLE stop_method ADD COLUMN timeout_ms BIGINT CHECK ((timeout_ms IS NOT NULL) = (kind = 'webhook'));
DROP INDEX stop_method_one;
CREATE UNIQUE INDEX stop_method_one ON stop_method (agent_id, (COALESCE(surface, 'pause'))) WHERE valid_to IS NULL;

-- A secret, so outside the digest; that there is a new one is an event.
CREATE TABLE stop_secret (
  method_id BIGINT PRIMARY KEY REFERENCES stop_method (id),
  secret TEXT NOT NULL,
  made_at BIGINT NOT NULL
);

ALTER TABLE stop_drill ADD COLUMN surface TEXT CHECK (surface IN ('pause', 'revoke', 'block', 'isolate'));
ALTER TABLE stop_drill ADD COLUMN acted_by TEXT;
ALTER TABLE stop_drill ADD COLUMN call_id BIGINT;

-- Stored once under its hash; its content never changes.
CREATE TABLE evidence_file (
  sha256 TEXT PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  name TEXT NOT NULL,
  size BIGINT NOT NULL CHECK (size > 0 AND size <= 10485760),
  stored_at BIGINT NOT NULL,
  content BLOB NOT NULL,
  CHECK (length(content) = size)
);
CREATE INDEX evidence_file_event ON evidence_file (event_id);

-- Somebody broke the glass.
CREATE TABLE stopping (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  at BIGINT NOT NULL,
  stopped_by TEXT NOT NULL,
  capacity TEXT NOT NULL,
  reason TEXT NOT NULL CHECK (reason <> ''),
  was TEXT NOT NULL,
  review_due BIGINT NOT NULL,
  reviewed_at BIGINT,
  reviewed_by TEXT NOT NULL,
  review TEXT NOT NULL,
  CHECK ((reviewed_at IS NULL) = (reviewed_by = '')),
  CHECK (reviewed_by <> stopped_by)
);
CREATE INDEX stopping_agent ON stopping (agent_id, id);
CREATE INDEX stopping_unreviewed ON stopping (agent_id, review_due) WHERE reviewed_at IS NULL;
CREATE INDEX stopping_event ON stopping (event_id);

-- What is to be done of it, and who did it.
CREATE TABLE stop_step (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  stopping_id BIGINT NOT NULL REFERENCES stopping (id),
  step TEXT NOT NULL CHECK (step IN ('pause', 'revoke', 'rotate', 'sessions')),
  subject TEXT NOT NULL,
  credential_kind TEXT NOT NULL,
  ttl_seconds BIGINT,
  done_at BIGINT,
  done_by TEXT NOT NULL,
  UNIQUE (stopping_id, step, subject),
  CHECK ((done_at IS NULL) = (done_by = ''))
);
CREATE INDEX stop_step_event ON stop_step (event_id);

-- One call of a method: a webhook called, or a procedure rehearsed before a witness.
CREATE TABLE stop_call (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  method_id BIGINT NOT NULL REFERENCES stop_method (id),
  stopping_id BIGINT REFERENCES stopping (id),
  delivery TEXT NOT NULL UNIQUE,
  surface TEXT NOT NULL CHECK (surface IN ('pause', 'revoke', 'block', 'isolate')),
  method_version BIGINT NOT NULL,
  party_kind TEXT NOT NULL,
  party_id BIGINT,
  begun_by TEXT NOT NULL,
  begun_at BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  outcome TEXT,
  detail TEXT NOT NULL,
  answered_at BIGINT,
  stopped_at BIGINT,
  denied_at BIGINT,
  evidence_sha256 TEXT REFERENCES evidence_file (sha256),
  witness_id BIGINT REFERENCES person (id),
  seconds BIGINT,
  note TEXT NOT NULL,
  CHECK (stopped_at IS NULL OR denied_at IS NULL),
  CHECK ((evidence_sha256 IS NULL) = (witness_id IS NULL)),
  CHECK ((outcome IS NULL) = (answered_at IS NULL)),
  CHECK (due_at > begun_at)
);
CREATE INDEX stop_call_agent ON stop_call (agent_id, id);
CREATE INDEX stop_call_stopping ON stop_call (stopping_id) WHERE stopping_id IS NOT NULL;
CREATE INDEX stop_call_witness ON stop_call (witness_id, due_at) WHERE stopped_at IS NULL AND denied_at IS NULL;
CREATE INDEX stop_call_event ON stop_call (event_id);

INSERT INTO sequence (noun, last) VALUES ('stopping', 0), ('stop-step', 0), ('stop-call', 0);

CREATE TRIGGER evidence_file_no_update BEFORE UPDATE ON evidence_file
BEGIN SELECT RAISE(ABORT, 'evidence never changes'); END;
CREATE TRIGGER evidence_file_no_delete BEFORE DELETE ON evidence_file
BEGIN SELECT RAISE(ABORT, 'evidence never changes'); END;
-- What a call has shown is shown once.
CREATE TRIGGER stop_call_over BEFORE UPDATE ON stop_call WHEN OLD.stopped_at IS NOT NULL OR OLD.denied_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a call that is over is never changed'); END;
CREATE TRIGGER stop_step_done BEFORE UPDATE ON stop_step WHEN OLD.done_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a step that is done is never changed'); END;
CREATE TRIGGER stopping_reviewed BEFORE UPDATE ON stopping WHEN OLD.reviewed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a stop that was reviewed is never changed'); END;
