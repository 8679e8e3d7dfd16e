-- Retirement: the checklist of a request of that kind, one row a credential and a tool. What is
-- done or waived is never changed, and nothing ends while a row is open.
CREATE TABLE retirement_row (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  request_id BIGINT NOT NULL REFERENCES request (id),
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  place BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('announce', 'stop-execution', 'revoke-credential', 'remove-tool',
    'delete-identity', 'handle-data', 'archive-logs', 'close-exceptions', 'watch')),
  -- Which credential, tool or identity.
  subject TEXT NOT NULL,
  duty TEXT NOT NULL,
  -- Empty while it is open. A bare link is claimed; a file or a system's answer is verified.
  evidence_kind TEXT NOT NULL CHECK (evidence_kind IN ('', 'claimed', 'verified')),
  link TEXT NOT NULL,
  -- The call of a webhook whose signed callback shows it.
  delivery TEXT REFERENCES stop_call (delivery),
  evidence_sha256 TEXT REFERENCES evidence_file (sha256),
  note TEXT NOT NULL,
  done_at BIGINT,
  done_by TEXT NOT NULL,
  waived_at BIGINT,
  waived_by BIGINT REFERENCES person (id),
  waiver TEXT NOT NULL,
  -- The retirement in which it was done, when that one ended without retiring.
  carried_from BIGINT REFERENCES request (id),
  CHECK (done_at IS NULL OR waived_at IS NULL),
  CHECK ((done_at IS NULL) = (evidence_kind = '')),
  CHECK ((waived_at IS NULL) = (waiver = '')),
  CHECK ((waived_at IS NULL) = (waived_by IS NULL)),
  CHECK (evidence_kind <> 'verified' OR evidence_sha256 IS NOT NULL OR delivery IS NOT NULL),
  CHECK (evidence_kind <> 'claimed' OR link <> '')
);
CREATE UNIQUE INDEX retirement_row_place ON retirement_row (request_id, place);
CREATE UNIQUE INDEX retirement_row_once ON retirement_row (request_id, kind, subject);
CREATE INDEX retirement_row_open ON retirement_row (request_id, place) WHERE done_at IS NULL AND waived_at IS NULL;
CREATE INDEX retirement_row_agent ON retirement_row (agent_id, kind);
CREATE INDEX retirement_row_evidence ON retirement_row (evidence_sha256) WHERE evidence_sha256 IS NOT NULL;
CREATE INDEX retirement_row_event ON retirement_row (event_id);

-- Something acts as an agent that was stopped for good.
CREATE TABLE sign_of_life (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  -- Who saw it.
  source TEXT NOT NULL CHECK (source <> ''),
  -- Where the agent was in its life when it was first seen.
  state TEXT NOT NULL CHECK (state IN ('retiring', 'retired')),
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  CHECK (last_at >= first_at)
);
CREATE UNIQUE INDEX sign_of_life_once ON sign_of_life (agent_id, source, state);
CREATE INDEX sign_of_life_newest ON sign_of_life (last_at, id);
CREATE INDEX sign_of_life_event ON sign_of_life (event_id);

INSERT INTO sequence (noun, last) VALUES ('retirement-row', 0), ('sign-of-life', 0);

CREATE TRIGGER retirement_row_no_delete BEFORE DELETE ON retirement_row
BEGIN SELECT RAISE(ABORT, 'rows of a retirement are never deleted'); END;
CREATE TRIGGER retirement_row_kept BEFORE UPDATE ON retirement_row WHEN OLD.done_at IS NOT NULL OR OLD.waived_at IS NOT NULL OR OLD.request_id <> NEW.request_id
  OR OLD.place <> NEW.place OR OLD.kind <> NEW.kind OR OLD.subject <> NEW.subject
BEGIN SELECT RAISE(ABORT, 'what was done or waived is never changed'); END;
CREATE TRIGGER retirement_row_ended BEFORE UPDATE ON retirement_row WHEN EXISTS (SELECT 1 FROM request r
  WHERE r.id = NEW.request_id AND (r.closed_at IS NOT NULL OR r.requester_id = NEW.waived_by))
BEGIN SELECT RAISE(ABORT, 'the retirement has ended, or whoever asked for it waives'); END;
CREATE TRIGGER sign_of_life_no_delete BEFORE DELETE ON sign_of_life
BEGIN SELECT RAISE(ABORT, 'signs of life are never deleted'); END;
CREATE TRIGGER sign_of_life_kept BEFORE UPDATE ON sign_of_life WHEN OLD.agent_id <> NEW.agent_id
  OR OLD.source <> NEW.source OR OLD.state <> NEW.state OR OLD.first_at <> NEW.first_at OR NEW.last_at < OLD.last_at
BEGIN SELECT RAISE(ABORT, 'what was seen is never changed'); END;
-- A retirement ends once every row is closed and both have signed.
CREATE TRIGGER retirement_whole BEFORE UPDATE ON request WHEN NEW.kind = 'retirement' AND NEW.outcome = 'approved' AND (
  EXISTS (SELECT 1 FROM retirement_row w WHERE w.request_id = NEW.id AND w.done_at IS NULL AND w.waived_at IS NULL)
  OR NOT EXISTS (SELECT 1 FROM retirement_row w WHERE w.request_id = NEW.id)
  OR EXISTS (SELECT 1 FROM request_step s WHERE s.request_id = NEW.id AND s.verdict <> 'approve'))
BEGIN SELECT RAISE(ABORT, 'a retirement ends once every row is closed and both have signed'); END;
-- Nobody leaves a retirement but as a tombstone, and nothing becomes one without it.
CREATE TRIGGER agent_retiring BEFORE UPDATE ON agent WHEN OLD.state = 'retiring' AND NEW.state NOT IN ('retiring', 'retired')
BEGIN SELECT RAISE(ABORT, 'an agent that is being retired does not come back'); END;
CREATE TRIGGER agent_retired_whole BEFORE UPDATE ON agent WHEN OLD.state <> 'retired' AND NEW.state = 'retired'
  AND NOT EXISTS (SELECT 1 FROM request r WHERE r.agent_id = NEW.id AND r.kind = 'retirement' AND r.outcome = 'approved')
BEGIN SELECT RAISE(ABORT, 'an agent is retired by a retirement'); END;
