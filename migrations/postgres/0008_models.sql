-- Operating models, standing rules, and handovers from the team that built an agent to the
-- team that operates it.

-- Why control points of an agent lie in one hand, and until when that holds.
CREATE TABLE justification (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  words TEXT COLLATE "C" NOT NULL CHECK (words <> ''),
  made_at BIGINT NOT NULL,
  made_by TEXT COLLATE "C" NOT NULL,
  until_at BIGINT NOT NULL,
  -- When a newer one took its place.
  closed_at BIGINT,
  -- Twelve months, the longest of them.
  CHECK (until_at > made_at AND until_at - made_at <= 31622400000000)
);
CREATE UNIQUE INDEX justification_one ON justification (agent_id) WHERE closed_at IS NULL;
CREATE INDEX justification_agent ON justification (agent_id, id);
CREATE INDEX justification_event ON justification (event_id);

CREATE TABLE rule (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  made_by TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
  -- Canonical JSON of what the agents have in common.
  meant TEXT COLLATE "C" NOT NULL,
  duty TEXT COLLATE "C" NOT NULL,
  party_kind TEXT COLLATE "C" NOT NULL CHECK (party_kind IN ('person', 'team')),
  party_id BIGINT NOT NULL,
  at_import TEXT COLLATE "C" NOT NULL CHECK (at_import IN ('offer', 'record')),
  -- The rules are asked in this order.
  place BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('active', 'paused', 'removed'))
);
CREATE INDEX rule_place ON rule (place, id) WHERE state <> 'removed';
CREATE INDEX rule_party ON rule (party_kind, party_id) WHERE state <> 'removed';
CREATE INDEX rule_event ON rule (event_id);

-- The rule that made an offer; nobody's rule before.
ALTER TABLE assignment ADD COLUMN rule_id BIGINT REFERENCES rule (id);
CREATE INDEX assignment_rule ON assignment (rule_id, id) WHERE rule_id IS NOT NULL;

CREATE TABLE handover (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  from_team BIGINT NOT NULL REFERENCES team (id),
  to_team BIGINT NOT NULL REFERENCES team (id),
  offered_at BIGINT NOT NULL,
  offered_by TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  -- Empty until somebody answers.
  outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('', 'accepted', 'declined', 'withdrawn')),
  answered_at BIGINT,
  answered_by TEXT COLLATE "C" NOT NULL,
  answer TEXT COLLATE "C" NOT NULL,
  CHECK (from_team <> to_team),
  CHECK ((outcome = '') = (answered_at IS NULL)),
  CHECK ((outcome = '') = (answered_by = '')),
  CHECK (outcome <> 'declined' OR answer <> '')
);
CREATE UNIQUE INDEX handover_one ON handover (agent_id, from_team, to_team) WHERE outcome = '';
CREATE INDEX handover_agent ON handover (agent_id, id);
CREATE INDEX handover_to ON handover (to_team, id) WHERE outcome = '';
CREATE INDEX handover_from ON handover (from_team, id) WHERE outcome = '';
CREATE INDEX handover_event ON handover (event_id);

INSERT INTO sequence (noun, last) VALUES ('justification', 0), ('rule', 0), ('handover', 0);

CREATE TRIGGER justification_closed BEFORE UPDATE ON justification FOR EACH ROW WHEN (OLD.closed_at IS NOT NULL)
EXECUTE FUNCTION refuse('a justification that was replaced is never changed');
CREATE TRIGGER rule_removed BEFORE UPDATE ON rule FOR EACH ROW WHEN (OLD.state = 'removed')
EXECUTE FUNCTION refuse('a rule that was removed is never changed');
CREATE TRIGGER rule_no_delete BEFORE DELETE OR TRUNCATE ON rule
FOR EACH STATEMENT EXECUTE FUNCTION refuse('rules are never deleted');
CREATE TRIGGER handover_answered BEFORE UPDATE ON handover FOR EACH ROW WHEN (OLD.outcome <> '')
EXECUTE FUNCTION refuse('a handover that was answered is never changed');
