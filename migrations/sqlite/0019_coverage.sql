-- Coverage of frameworks: how every product control stands for an agent, as one number. It is derived;
-- counters hold how many agents of a business unit have it, and turns what the clock will change.
ALTER TABLE agent ADD COLUMN evidence BIGINT;
-- The rows behind a number: of a business unit, alike, in order.
CREATE INDEX agent_evidence ON agent (unit_folded, evidence, id);
-- Every agent is assessed again when a server starts: none has a number yet.
UPDATE agent SET needs = NULL;

-- What the organisation says of the crosswalk: which records evidence which nodes, for whom a node
-- counts, what is attested. Each version is a row; the newest is in force.
CREATE TABLE mapping (
  version INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- Canonical JSON of all of it.
  content TEXT NOT NULL
);
CREATE INDEX mapping_event ON mapping (event_id);
CREATE TRIGGER mapping_no_update BEFORE UPDATE ON mapping
BEGIN SELECT RAISE(ABORT, 'a version of the mapping is never changed'); END;
CREATE TRIGGER mapping_no_delete BEFORE DELETE ON mapping
BEGIN SELECT RAISE(ABORT, 'a version of the mapping is never changed'); END;
INSERT INTO sequence (noun, last) VALUES ('mapping', 0);
