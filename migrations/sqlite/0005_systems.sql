-- Who holds what of a system is unique as of an agent.
CREATE UNIQUE INDEX assignment_once_system ON assignment (system_id, duty, role, party_kind, party_id)
  WHERE valid_to IS NULL AND system_id IS NOT NULL;
CREATE INDEX assignment_party_system ON assignment (party_kind, party_id, system_id)
  WHERE valid_to IS NULL AND system_id IS NOT NULL;

-- Which platform an agent runs on, and ran on: dated, never overwritten, so that who was
-- accountable at a moment has an answer for inherited duties too.
CREATE TABLE platform_stay (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  system_id BIGINT NOT NULL REFERENCES system (id),
  valid_from BIGINT NOT NULL,
  valid_to BIGINT,
  CHECK (valid_to IS NULL OR valid_to >= valid_from)
);
CREATE UNIQUE INDEX platform_stay_one ON platform_stay (agent_id) WHERE valid_to IS NULL;
CREATE INDEX platform_stay_system ON platform_stay (system_id, agent_id) WHERE valid_to IS NULL;
CREATE INDEX platform_stay_agent ON platform_stay (agent_id, valid_from);
CREATE INDEX platform_stay_event ON platform_stay (event_id);
INSERT INTO sequence (noun, last) VALUES ('stay', 0);
