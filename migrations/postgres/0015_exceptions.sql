-- Exceptions: rare, time-bound, each decided by a request. Whether one is in force is a question
-- of the clock; none is without an end, and what was decided on is never changed.

-- A request may be about an exception of several agents: one step a duty and agent.
ALTER TABLE request DROP CONSTRAINT request_kind_check;
ALTER TABLE request ADD CONSTRAINT request_kind_check
  CHECK (kind IN ('approval', 'scope-change', 'resumption', 'review', 'retirement', 'exception'));
-- Several exceptions of one agent may be asked at a time.
DROP INDEX request_one_open;
CREATE UNIQUE INDEX request_one_open ON request (agent_id, kind) WHERE outcome = '' AND kind <> 'exception';
DROP INDEX request_step_duty;
CREATE UNIQUE INDEX request_step_duty ON request_step (request_id, duty, agent_id);
-- Whoever decides for a duty decides for it of each agent.
CREATE OR REPLACE FUNCTION request_step_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM request r WHERE r.id = NEW.request_id AND r.closed_at IS NOT NULL) THEN
    RAISE EXCEPTION 'the request has ended';
  END IF;
  IF EXISTS (SELECT 1 FROM request_step o WHERE o.request_id = NEW.request_id AND o.id <> NEW.id
  AND o.duty <> NEW.duty
  AND (o.decided_by IN (NEW.decided_by, COALESCE(NEW.on_behalf_of, NEW.decided_by))
    OR o.on_behalf_of IN (NEW.decided_by, COALESCE(NEW.on_behalf_of, NEW.decided_by)))
  AND (NOT (NEW.justified OR (o.technical AND NEW.technical))
    OR (o.duty = 'purpose' AND NEW.duty = 'regulatory') OR (o.duty = 'regulatory' AND NEW.duty = 'purpose'))) THEN
    RAISE EXCEPTION 'one person never has two parts that check each other';
  END IF;
  RETURN NEW;
END $$;

CREATE TABLE exception (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  -- The request that decides it: the last one, where its controls were changed meanwhile.
  request_id BIGINT NOT NULL UNIQUE REFERENCES request (id),
  requester_id BIGINT NOT NULL REFERENCES person (id),
  title TEXT COLLATE "C" NOT NULL CHECK (title <> ''),
  -- The key of a finding, or a control of the organisation's own.
  control TEXT COLLATE "C" NOT NULL CHECK (control <> ''),
  -- The node of a framework; empty where none is named.
  node TEXT COLLATE "C" NOT NULL,
  -- Whose control it is: its owner agrees the compensating controls.
  duty TEXT COLLATE "C" NOT NULL,
  likelihood BIGINT NOT NULL CHECK (likelihood BETWEEN 1 AND 5),
  impact BIGINT NOT NULL CHECK (impact BETWEEN 1 AND 5),
  justification TEXT COLLATE "C" NOT NULL CHECK (justification <> ''),
  -- How its agents were chosen: empty where each was named, a system's reference, or `label:key=value`.
  selection TEXT COLLATE "C" NOT NULL,
  -- The tier of the riskiest of its agents when it was asked.
  tier TEXT COLLATE "C" NOT NULL,
  starts_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  -- When the request lapses; nothing is approved by silence.
  lapses_at BIGINT NOT NULL,
  -- What is still wrong at the end stops its agents then.
  suspends BOOLEAN NOT NULL,
  -- The exception that it renews, and how often it was renewed until now.
  renews BIGINT REFERENCES exception (id),
  renewals BIGINT NOT NULL CHECK (renewals >= 0),
  subject_sha256 TEXT COLLATE "C" NOT NULL,
  approved_at BIGINT,
  -- When its request ended otherwise, and how.
  rejected_at BIGINT,
  rejection TEXT COLLATE "C" NOT NULL,
  -- When it was ended before its time.
  ended_at BIGINT,
  ended TEXT COLLATE "C" NOT NULL CHECK (ended IN ('', 'closed', 'revoked')),
  ended_by TEXT COLLATE "C" NOT NULL,
  ending TEXT COLLATE "C" NOT NULL,
  CHECK (expires_at > starts_at AND expires_at > created_at),
  -- No policy allows more.
  CHECK (expires_at - starts_at <= 31622400000000),
  CHECK (lapses_at <= expires_at),
  CHECK (approved_at IS NULL OR rejected_at IS NULL),
  CHECK (approved_at IS NULL OR approved_at < expires_at),
  CHECK ((rejected_at IS NULL) = (rejection = '')),
  CHECK ((ended_at IS NULL) = (ended = '')),
  CHECK (ended_at IS NULL OR (approved_at IS NOT NULL AND ended_at >= approved_at AND ended_at <= expires_at AND ending <> '')),
  CHECK ((renews IS NULL) = (renewals = 0)),
  CHECK (renews <> id)
);
CREATE INDEX exception_event ON exception (event_id);
CREATE INDEX exception_control ON exception (control, id);
CREATE INDEX exception_expires ON exception (expires_at, id);
CREATE INDEX exception_requester ON exception (requester_id, id);
CREATE INDEX exception_renews ON exception (renews);
-- Those that are asked; those in force, or about to be, or over; those ended before their time; those refused.
CREATE INDEX exception_asked ON exception (lapses_at, id) WHERE approved_at IS NULL AND rejected_at IS NULL;
CREATE INDEX exception_approved ON exception (expires_at, id) WHERE approved_at IS NOT NULL AND ended_at IS NULL;
CREATE INDEX exception_ended ON exception (ended, id) WHERE ended_at IS NOT NULL;
CREATE INDEX exception_rejected ON exception (id) WHERE rejected_at IS NOT NULL;

-- Its agents, frozen.
CREATE TABLE exception_agent (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  exception_id BIGINT NOT NULL REFERENCES exception (id),
  agent_id BIGINT NOT NULL REFERENCES agent (id)
);
CREATE UNIQUE INDEX exception_agent_once ON exception_agent (exception_id, agent_id);
CREATE INDEX exception_agent_of ON exception_agent (agent_id, exception_id);
CREATE INDEX exception_agent_event ON exception_agent (event_id);

-- What is done meanwhile instead, each with an owner and the date by which it is checked.
CREATE TABLE compensating_control (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  exception_id BIGINT NOT NULL REFERENCES exception (id),
  place BIGINT NOT NULL,
  words TEXT COLLATE "C" NOT NULL CHECK (words <> ''),
  owner_id BIGINT NOT NULL REFERENCES person (id),
  check_at BIGINT NOT NULL,
  -- When others took its place, before anything was decided.
  dropped_at BIGINT,
  checked_at BIGINT,
  checked_by TEXT COLLATE "C" NOT NULL,
  note TEXT COLLATE "C" NOT NULL,
  CHECK ((checked_at IS NULL) = (checked_by = '')),
  CHECK (checked_at IS NULL OR (dropped_at IS NULL AND note <> ''))
);
CREATE UNIQUE INDEX compensating_control_place ON compensating_control (exception_id, place) WHERE dropped_at IS NULL;
CREATE INDEX compensating_control_owner ON compensating_control (owner_id, check_at, id) WHERE dropped_at IS NULL AND checked_at IS NULL;
CREATE INDEX compensating_control_event ON compensating_control (event_id);

INSERT INTO sequence (noun, last) VALUES ('exception', 0), ('exception-agent', 0), ('compensating-control', 0);

-- Under which exception a finding does not count; derived.
ALTER TABLE finding ADD COLUMN excepted BIGINT;
CREATE INDEX finding_excepted ON finding (excepted, agent_id) WHERE excepted IS NOT NULL;

CREATE TRIGGER exception_born BEFORE INSERT ON exception FOR EACH ROW
WHEN (NEW.approved_at IS NOT NULL OR NEW.rejected_at IS NOT NULL OR NEW.ended_at IS NOT NULL)
EXECUTE FUNCTION refuse('an exception is asked before it is anything else');
CREATE TRIGGER exception_no_delete BEFORE DELETE OR TRUNCATE ON exception
FOR EACH STATEMENT EXECUTE FUNCTION refuse('exceptions are never deleted');
CREATE TRIGGER exception_kept BEFORE UPDATE ON exception FOR EACH ROW
WHEN (OLD.title <> NEW.title OR OLD.control <> NEW.control OR OLD.node <> NEW.node
  OR OLD.duty <> NEW.duty OR OLD.likelihood <> NEW.likelihood OR OLD.impact <> NEW.impact OR OLD.justification <> NEW.justification
  OR OLD.selection <> NEW.selection OR OLD.tier <> NEW.tier OR OLD.starts_at <> NEW.starts_at OR OLD.expires_at <> NEW.expires_at
  OR OLD.suspends <> NEW.suspends OR OLD.requester_id <> NEW.requester_id OR OLD.renews IS DISTINCT FROM NEW.renews
  OR OLD.renewals <> NEW.renewals OR OLD.created_at <> NEW.created_at)
EXECUTE FUNCTION refuse('what an exception allows is never changed: another is asked');
CREATE TRIGGER exception_decided BEFORE UPDATE ON exception FOR EACH ROW
WHEN ((OLD.approved_at IS NOT NULL OR OLD.rejected_at IS NOT NULL)
  AND (OLD.approved_at IS DISTINCT FROM NEW.approved_at OR OLD.rejected_at IS DISTINCT FROM NEW.rejected_at
    OR OLD.rejection <> NEW.rejection OR OLD.request_id <> NEW.request_id OR OLD.subject_sha256 <> NEW.subject_sha256
    OR OLD.lapses_at <> NEW.lapses_at))
EXECUTE FUNCTION refuse('what was decided about an exception is never changed');
CREATE TRIGGER exception_over BEFORE UPDATE ON exception FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL)
EXECUTE FUNCTION refuse('an exception that has ended stays as it ended');
-- It is approved by its request, every step of it, and with compensating controls.
CREATE FUNCTION exception_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM request r WHERE r.id = NEW.request_id AND r.kind = 'exception' AND r.outcome = 'approved'
    AND r.subject_sha256 = NEW.subject_sha256)
  OR NOT EXISTS (SELECT 1 FROM request_step s WHERE s.request_id = NEW.request_id)
  OR EXISTS (SELECT 1 FROM request_step s WHERE s.request_id = NEW.request_id AND s.verdict <> 'approve')
  OR NOT EXISTS (SELECT 1 FROM exception_agent x WHERE x.exception_id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM compensating_control c WHERE c.exception_id = NEW.id AND c.dropped_at IS NULL) THEN
    RAISE EXCEPTION 'an exception is approved by its request';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER exception_whole BEFORE UPDATE ON exception FOR EACH ROW
WHEN (OLD.approved_at IS NULL AND NEW.approved_at IS NOT NULL) EXECUTE FUNCTION exception_whole();
CREATE TRIGGER exception_agent_no_delete BEFORE DELETE OR TRUNCATE ON exception_agent
FOR EACH STATEMENT EXECUTE FUNCTION refuse('exceptions are never deleted');
CREATE TRIGGER exception_agent_kept BEFORE UPDATE ON exception_agent
FOR EACH ROW EXECUTE FUNCTION refuse('the agents of an exception are never changed');
CREATE FUNCTION exception_part_late() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM exception e WHERE e.id = NEW.exception_id
    AND (e.approved_at IS NOT NULL OR e.rejected_at IS NOT NULL)) THEN
    RAISE EXCEPTION 'what was decided about an exception is never changed';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER exception_agent_late BEFORE INSERT ON exception_agent FOR EACH ROW EXECUTE FUNCTION exception_part_late();
CREATE TRIGGER compensating_control_no_delete BEFORE DELETE OR TRUNCATE ON compensating_control
FOR EACH STATEMENT EXECUTE FUNCTION refuse('compensating controls are never deleted');
CREATE TRIGGER compensating_control_late BEFORE INSERT ON compensating_control FOR EACH ROW
EXECUTE FUNCTION exception_part_late();
CREATE TRIGGER compensating_control_dropped BEFORE UPDATE ON compensating_control FOR EACH ROW
WHEN (NEW.dropped_at IS NOT NULL) EXECUTE FUNCTION exception_part_late();
CREATE TRIGGER compensating_control_kept BEFORE UPDATE ON compensating_control FOR EACH ROW
WHEN (OLD.checked_at IS NOT NULL OR OLD.dropped_at IS NOT NULL
  OR OLD.exception_id <> NEW.exception_id OR OLD.place <> NEW.place OR OLD.words <> NEW.words OR OLD.owner_id <> NEW.owner_id
  OR OLD.check_at <> NEW.check_at)
EXECUTE FUNCTION refuse('a compensating control is checked, never changed');
