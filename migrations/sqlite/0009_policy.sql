-- The policy: who approves what. Each version is a row; the newest is in force.
CREATE TABLE policy (
  version INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- Canonical JSON of all of it.
  content TEXT NOT NULL
);
CREATE INDEX policy_event ON policy (event_id);
CREATE TRIGGER policy_no_update BEFORE UPDATE ON policy
BEGIN SELECT RAISE(ABORT, 'a version of the policy is never changed'); END;
CREATE TRIGGER policy_no_delete BEFORE DELETE ON policy
BEGIN SELECT RAISE(ABORT, 'a version of the policy is never changed'); END;
INSERT INTO sequence (noun, last) VALUES ('policy', 0);
