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
  version BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  at BIGINT NOT NULL,
  made_by TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  -- Canonical JSON of all of it.
  content TEXT COLLATE "C" NOT NULL
);
CREATE INDEX mapping_event ON mapping (event_id);
CREATE TRIGGER mapping_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON mapping
FOR EACH STATEMENT EXECUTE FUNCTION refuse('a version of the mapping is never changed');
INSERT INTO sequence (noun, last) VALUES ('mapping', 0);
