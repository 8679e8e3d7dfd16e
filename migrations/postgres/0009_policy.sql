-- The policy: who approves what. Each version is a row; the newest is in force.
CREATE TABLE policy (
  version BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  at BIGINT NOT NULL,
  made_by TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  -- Canonical JSON of all of it.
  content TEXT COLLATE "C" NOT NULL
);
CREATE INDEX policy_event ON policy (event_id);
CREATE TRIGGER policy_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON policy
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a version of the policy is never changed');
INSERT INTO sequence (noun, last) VALUES ('policy', 0);
