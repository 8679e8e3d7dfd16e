-- Requests: approval, change of scope, resumption, review, retirement. Each pins the version of
-- the policy and the SHA-256 of what it is about; what was decided is never changed.
CREATE TABLE request (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('approval', 'scope-change', 'resumption', 'review', 'retirement')),
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  requester_id BIGINT NOT NULL REFERENCES person (id),
  opened_at BIGINT NOT NULL,
  policy_version BIGINT NOT NULL,
  tier TEXT COLLATE "C" NOT NULL,
  subject_sha256 TEXT COLLATE "C" NOT NULL,
  -- Canonical JSON of what is decided on.
  content TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  -- Who reviews what a tool of high sensitivity does.
  reviewer_id BIGINT REFERENCES person (id),
  lapses_at BIGINT NOT NULL,
  -- Empty while it is open; whether an open one has lapsed is a question of the clock.
  outcome TEXT COLLATE "C" NOT NULL CHECK (outcome IN ('', 'approved', 'rejected', 'withdrawn', 'voided', 'lapsed', 'completed')),
  closed_at BIGINT,
  closed_by TEXT COLLATE "C" NOT NULL,
  closing TEXT COLLATE "C" NOT NULL,
  CHECK ((outcome = '') = (closed_at IS NULL)),
  CHECK (lapses_at > opened_at)
);
CREATE UNIQUE INDEX request_one_open ON request (agent_id, kind) WHERE outcome = '';
CREATE INDEX request_agent ON request (agent_id, id);
CREATE INDEX request_kind ON request (kind, id);
CREATE INDEX request_outcome ON request (outcome, id);
CREATE INDEX request_kind_outcome ON request (kind, outcome, id);
CREATE INDEX request_requester ON request (requester_id, id);
CREATE INDEX request_lapses ON request (lapses_at) WHERE outcome = '';
CREATE INDEX request_event ON request (event_id);

CREATE TABLE request_step (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  request_id BIGINT NOT NULL REFERENCES request (id),
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  requester_id BIGINT NOT NULL,
  place BIGINT NOT NULL,
  duty TEXT COLLATE "C" NOT NULL,
  -- Whether its decider may fill other technical steps too.
  technical BOOLEAN NOT NULL,
  comes_last BOOLEAN NOT NULL,
  because TEXT COLLATE "C" NOT NULL,
  due_at BIGINT NOT NULL,
  verdict TEXT COLLATE "C" NOT NULL,
  decided_at BIGINT,
  decided_by BIGINT REFERENCES person (id),
  on_behalf_of BIGINT REFERENCES person (id),
  via TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  decided_sha256 TEXT COLLATE "C" NOT NULL,
  -- A justification for several parts in one hand was in force.
  justified BOOLEAN NOT NULL,
  -- Derived: who would decide it now, and whether it is its turn. Outside the digest.
  waits_for BIGINT,
  -- Until when; an appointment ends by the clock.
  waits_until BIGINT NOT NULL,
  ready BOOLEAN NOT NULL,
  CHECK ((verdict = '') = (decided_at IS NULL)),
  CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
  -- Nobody decides their own request, nor has somebody decide it for them.
  CHECK (decided_by <> requester_id),
  CHECK (on_behalf_of <> requester_id),
  CHECK (on_behalf_of <> decided_by)
);
CREATE UNIQUE INDEX request_step_place ON request_step (request_id, place);
CREATE UNIQUE INDEX request_step_duty ON request_step (request_id, duty);
CREATE INDEX request_step_waits ON request_step (waits_for, due_at, id) WHERE verdict = '' AND ready;
CREATE INDEX request_step_vacant ON request_step (due_at, id) WHERE verdict = '' AND waits_for IS NULL AND ready;
CREATE INDEX request_step_due ON request_step (due_at, id) WHERE verdict = '' AND ready;
CREATE INDEX request_step_agent ON request_step (agent_id) WHERE verdict = '';
CREATE INDEX request_step_requester ON request_step (requester_id) WHERE verdict = '';
CREATE INDEX request_step_decided_by ON request_step (decided_by, decided_at);
CREATE INDEX request_step_event ON request_step (event_id);

-- What was asked about a request, and answered.
CREATE TABLE request_message (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  request_id BIGINT NOT NULL REFERENCES request (id),
  -- The step whose decider asks; an answer has that of the question.
  place BIGINT NOT NULL,
  question BOOLEAN NOT NULL,
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL REFERENCES person (id),
  words TEXT COLLATE "C" NOT NULL CHECK (words <> '')
);
CREATE INDEX request_message_request ON request_message (request_id, id);
CREATE INDEX request_message_event ON request_message (event_id);

-- What an approval was made to depend on: a task with an owner and a date.
CREATE TABLE condition (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  request_id BIGINT NOT NULL REFERENCES request (id),
  place BIGINT NOT NULL,
  words TEXT COLLATE "C" NOT NULL CHECK (words <> ''),
  owner_id BIGINT NOT NULL REFERENCES person (id),
  due_at BIGINT NOT NULL,
  set_at BIGINT NOT NULL,
  set_by BIGINT NOT NULL REFERENCES person (id),
  met_at BIGINT,
  met_by TEXT COLLATE "C" NOT NULL,
  note TEXT COLLATE "C" NOT NULL
);
CREATE INDEX condition_agent ON condition (agent_id, id);
CREATE INDEX condition_request ON condition (request_id, id);
CREATE INDEX condition_owner ON condition (owner_id, due_at, id) WHERE met_at IS NULL;
CREATE INDEX condition_event ON condition (event_id);

-- Who decides for a vacant capacity, appointed by security, for fourteen days at most.
CREATE TABLE acting (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  duty TEXT COLLATE "C" NOT NULL,
  person_id BIGINT NOT NULL REFERENCES person (id),
  at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  made_by TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),
  -- When another took their place.
  ended_at BIGINT,
  CHECK (until_at > at AND until_at - at <= 1209600000000)
);
CREATE UNIQUE INDEX acting_one ON acting (agent_id, duty) WHERE ended_at IS NULL;
CREATE INDEX acting_person ON acting (person_id, until_at) WHERE ended_at IS NULL;
CREATE INDEX acting_event ON acting (event_id);

-- What an import or discovery saw of an approved agent that differs from what was approved.
-- It is kept beside; what was approved is never overwritten by it.
CREATE TABLE observed (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  source TEXT COLLATE "C" NOT NULL,
  facts TEXT COLLATE "C" NOT NULL,
  boundary_sha256 TEXT COLLATE "C" NOT NULL,
  first_at BIGINT NOT NULL,
  -- When it was the approved boundary again, or was approved, or something else was seen.
  closed_at BIGINT,
  closing TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX observed_one ON observed (agent_id) WHERE closed_at IS NULL;
CREATE INDEX observed_agent ON observed (agent_id, id);
CREATE INDEX observed_event ON observed (event_id);

-- Which boundary was approved, when, by which request and for which duties; and when the
-- agent was last reviewed.
ALTER TABLE agent ADD COLUMN approved_sha256 TEXT COLLATE "C";
ALTER TABLE agent ADD COLUMN approved_at BIGINT;
ALTER TABLE agent ADD COLUMN approved_request BIGINT;
ALTER TABLE agent ADD COLUMN approved_by TEXT COLLATE "C";
ALTER TABLE agent ADD COLUMN reviewed_at BIGINT;

INSERT INTO sequence (noun, last) VALUES ('request', 0), ('request-step', 0), ('request-message', 0),
  ('condition', 0), ('acting', 0), ('observed', 0);

-- What ended is never changed; what an open request is about neither.
CREATE TRIGGER request_no_delete BEFORE DELETE OR TRUNCATE ON request
FOR EACH STATEMENT EXECUTE FUNCTION refuse('requests are never deleted');
CREATE TRIGGER request_kept BEFORE UPDATE ON request FOR EACH ROW
WHEN (OLD.closed_at IS NOT NULL OR OLD.kind <> NEW.kind OR OLD.agent_id <> NEW.agent_id
  OR OLD.requester_id <> NEW.requester_id OR OLD.subject_sha256 <> NEW.subject_sha256 OR OLD.content <> NEW.content
  OR OLD.policy_version <> NEW.policy_version OR OLD.lapses_at <> NEW.lapses_at)
EXECUTE FUNCTION refuse('what a request is about, and how it ended, is never changed');
CREATE TRIGGER request_step_no_delete BEFORE DELETE OR TRUNCATE ON request_step
FOR EACH STATEMENT EXECUTE FUNCTION refuse('steps are never deleted');
CREATE TRIGGER request_step_kept BEFORE UPDATE ON request_step FOR EACH ROW
WHEN (OLD.decided_at IS NOT NULL OR OLD.request_id <> NEW.request_id OR OLD.duty <> NEW.duty
  OR OLD.requester_id <> NEW.requester_id OR OLD.technical <> NEW.technical)
EXECUTE FUNCTION refuse('a decision is never changed');
CREATE FUNCTION request_step_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM request r WHERE r.id = NEW.request_id AND r.closed_at IS NOT NULL) THEN
    RAISE EXCEPTION 'the request has ended';
  END IF;
  IF EXISTS (SELECT 1 FROM request_step o WHERE o.request_id = NEW.request_id AND o.id <> NEW.id
  AND (o.decided_by IN (NEW.decided_by, COALESCE(NEW.on_behalf_of, NEW.decided_by))
    OR o.on_behalf_of IN (NEW.decided_by, COALESCE(NEW.on_behalf_of, NEW.decided_by)))
  AND (NOT (NEW.justified OR (o.technical AND NEW.technical))
    OR (o.duty = 'purpose' AND NEW.duty = 'regulatory') OR (o.duty = 'regulatory' AND NEW.duty = 'purpose'))) THEN
    RAISE EXCEPTION 'one person never has two parts that check each other';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER request_step_decided BEFORE UPDATE ON request_step FOR EACH ROW WHEN (NEW.decided_at IS NOT NULL)
EXECUTE FUNCTION request_step_decided();
-- A retired agent is a tombstone.
CREATE TRIGGER agent_retired BEFORE UPDATE ON agent FOR EACH ROW
WHEN (OLD.state = 'retired' AND NEW.state <> 'retired')
EXECUTE FUNCTION refuse('a retired agent stays retired');
