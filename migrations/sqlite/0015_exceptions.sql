-- Exceptions: rare, time-bound, each decided by a request. Whether one is in force is a question
-- of the clock; none is without an end, and what was decided on is never changed.

-- A request may be about an exception of several agents: one step a duty and agent.
-- SQLite changes no CHECK in place: the table is made anew, row by row as it was. What refers to
-- it is looked at when the migration commits.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE request_kept_rows AS SELECT * FROM request;
DROP TABLE request;
CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  kind TEXT NOT NULL CHECK (kind IN ('approval', 'scope-change', 'resumption', 'review', 'retirement', 'exception')),
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  requester_id BIGINT NOT NULL REFERENCES person (id),
  opened_at BIGINT NOT NULL,
  policy_version BIGINT NOT NULL,
  tier TEXT NOT NULL,
  subject_sha256 TEXT NOT NULL,
  -- Canonical JSON of what is decided on.
  content TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- Who reviews what a tool of high sensitivity does.
  reviewer_id BIGINT REFERENCES person (id),
  lapses_at BIGINT NOT NULL,
  -- Empty while it is open; whether an open one has lapsed is a question of the clock.
  outcome TEXT NOT NULL CHECK (outcome IN ('', 'approved', 'rejected', 'withdrawn', 'voided', 'lapsed', 'completed')),
  closed_at BIGINT,
  closed_by TEXT NOT NULL,
  closing TEXT NOT NULL,
  CHECK ((outcome = '') = (closed_at IS NULL)),
  CHECK (lapses_at > opened_at)
);
INSERT INTO request (id, event_id, kind, agent_id, requester_id, opened_at, policy_version, tier, subject_sha256, content,
  reason, reviewer_id, lapses_at, outcome, closed_at, closed_by, closing)
SELECT id, event_id, kind, agent_id, requester_id, opened_at, policy_version, tier, subject_sha256, content, reason,
  reviewer_id, lapses_at, outcome, closed_at, closed_by, closing FROM request_kept_rows;
DROP TABLE request_kept_rows;
-- Several exceptions of one agent may be asked at a time.
CREATE UNIQUE INDEX request_one_open ON request (agent_id, kind) WHERE outcome = '' AND kind <> 'exception';
CREATE INDEX request_agent ON request (agent_id, id);
CREATE INDEX request_kind ON request (kind, id);
CREATE INDEX request_outcome ON request (outcome, id);
CREATE INDEX request_kind_outcome ON request (kind, outcome, id);
CREATE INDEX request_requester ON request (requester_id, id);
CREATE INDEX request_lapses ON request (lapses_at) WHERE outcome = '';
CREATE INDEX request_event ON request (event_id);
CREATE TRIGGER request_no_delete BEFORE DELETE ON request
BEGIN SELECT RAISE(ABORT, 'requests are never deleted'); END;
CREATE TRIGGER request_kept BEFORE UPDATE ON request WHEN OLD.closed_at IS NOT NULL OR OLD.kind <> NEW.kind OR OLD.agent_id <> NEW.agent_id
  OR OLD.requester_id <> NEW.requester_id OR OLD.subject_sha256 <> NEW.subject_sha256 OR OLD.content <> NEW.content
  OR OLD.policy_version <> NEW.policy_version OR OLD.lapses_at <> NEW.lapses_at
BEGIN SELECT RAISE(ABORT, 'what a request is about, and how it ended, is never changed'); END;
CREATE TRIGGER retirement_whole BEFORE UPDATE ON request WHEN NEW.kind = 'retirement' AND NEW.outcome = 'approved' AND (
  EXISTS (SELECT 1 FROM retirement_row w WHERE w.request_id = NEW.id AND w.done_at IS NULL AND w.waived_at IS NULL)
  OR NOT EXISTS (SELECT 1 FROM retirement_row w WHERE w.request_id = NEW.id)
  OR EXISTS (SELECT 1 FROM request_step s WHERE s.request_id = NEW.id AND s.verdict <> 'approve'))
BEGIN SELECT RAISE(ABORT, 'a retirement ends once every row is closed and both have signed'); END;
DROP INDEX request_step_duty;
CREATE UNIQUE INDEX request_step_duty ON request_step (request_id, duty, agent_id);
-- Whoever decides for a duty decides for it of each agent.
DROP TRIGGER request_step_one_person;
CREATE TRIGGER request_step_one_person BEFORE UPDATE ON request_step WHEN NEW.decided_at IS NOT NULL AND EXISTS (SELECT 1 FROM request_step o WHERE o.request_id = NEW.request_id AND o.id <> NEW.id
  AND o.duty <> NEW.duty
  AND (o.decided_by IN (NEW.decided_by, COALESCE(NEW.on_behalf_of, NEW.decided_by))
    OR o.on_behalf_of IN (NEW.decided_by, COALESCE(NEW.on_behalf_of, NEW.decided_by)))
  AND (NOT (NEW.justified OR (o.technical AND NEW.technical))
    OR (o.duty = 'purpose' AND NEW.duty = 'regulatory') OR (o.duty = 'regulatory' AND NEW.duty = 'purpose')))
BEGIN SELECT RAISE(ABORT, 'one person never has two parts that check each other'); END;

CREATE TABLE exception (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  -- The request that decides it: the last one, where its controls were changed meanwhile.
  request_id BIGINT NOT NULL UNIQUE REFERENCES request (id),
  requester_id BIGINT NOT NULL REFERENCES person (id),
  title TEXT NOT NULL CHECK (title <> ''),
  -- The key of a finding, or a control of the organisation's own.
  control TEXT NOT NULL CHECK (control <> ''),
  -- The node of a framework; empty where none is named.
  node TEXT NOT NULL,
  -- Whose control it is: its owner agrees the compensating controls.
  duty TEXT NOT NULL,
  likelihood BIGINT NOT NULL CHECK (likelihood BETWEEN 1 AND 5),
  impact BIGINT NOT NULL CHECK (impact BETWEEN 1 AND 5),
  justification TEXT NOT NULL CHECK (justification <> ''),
  -- How its agents were chosen: empty where each was named, a system's reference, or `label:key=value`.
  selection TEXT NOT NULL,
  -- The tier of the riskiest of its agents when it was asked.
  tier TEXT NOT NULL,
  starts_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  -- When the request lapses; nothing is approved by silence.
  lapses_at BIGINT NOT NULL,
  -- What is still wrong at the end stops its agents then.
  suspends BOOLEAN NOT NULL,
  -- The exception that it renews, and how often it was renewed until now.
  renews BIGINT REFERENCES exception (id),
  renewals BIGINT NOT NULL CHECK (renewals >= 0),
  subject_sha256 TEXT NOT NULL,
  approved_at BIGINT,
  -- When its request ended otherwise, and how.
  rejected_at BIGINT,
  rejection TEXT NOT NULL,
  -- When it was ended before its time.
  ended_at BIGINT,
  ended TEXT NOT NULL CHECK (ended IN ('', 'closed', 'revoked')),
  ended_by TEXT NOT NULL,
  ending TEXT NOT NULL,
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
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  exception_id BIGINT NOT NULL REFERENCES exception (id),
  agent_id BIGINT NOT NULL REFERENCES agent (id)
);
CREATE UNIQUE INDEX exception_agent_once ON exception_agent (exception_id, agent_id);
CREATE INDEX exception_agent_of ON exception_agent (agent_id, exception_id);
CREATE INDEX exception_agent_event ON exception_agent (event_id);

-- What is done meanwhile instead, each with an owner and the date by which it is checked.
CREATE TABLE compensating_control (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  exception_id BIGINT NOT NULL REFERENCES exception (id),
  place BIGINT NOT NULL,
  words TEXT NOT NULL CHECK (words <> ''),
  owner_id BIGINT NOT NULL REFERENCES person (id),
  check_at BIGINT NOT NULL,
  -- When others took its place, before anything was decided.
  dropped_at BIGINT,
  checked_at BIGINT,
  checked_by TEXT NOT NULL,
  note TEXT NOT NULL,
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

CREATE TRIGGER exception_born BEFORE INSERT ON exception WHEN NEW.approved_at IS NOT NULL OR NEW.rejected_at IS NOT NULL OR NEW.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an exception is asked before it is anything else'); END;
CREATE TRIGGER exception_no_delete BEFORE DELETE ON exception
BEGIN SELECT RAISE(ABORT, 'exceptions are never deleted'); END;
CREATE TRIGGER exception_kept BEFORE UPDATE ON exception WHEN OLD.title <> NEW.title OR OLD.control <> NEW.control OR OLD.node <> NEW.node
  OR OLD.duty <> NEW.duty OR OLD.likelihood <> NEW.likelihood OR OLD.impact <> NEW.impact OR OLD.justification <> NEW.justification
  OR OLD.selection <> NEW.selection OR OLD.tier <> NEW.tier OR OLD.starts_at <> NEW.starts_at OR OLD.expires_at <> NEW.expires_at
  OR OLD.suspends <> NEW.suspends OR OLD.requester_id <> NEW.requester_id OR OLD.renews IS NOT NEW.renews OR OLD.renewals <> NEW.renewals
  OR OLD.created_at <> NEW.created_at
BEGIN SELECT RAISE(ABORT, 'what an exception allows is never changed: another is asked'); END;
CREATE TRIGGER exception_decided BEFORE UPDATE ON exception WHEN (OLD.approved_at IS NOT NULL OR OLD.rejected_at IS NOT NULL)
  AND (OLD.approved_at IS NOT NEW.approved_at OR OLD.rejected_at IS NOT NEW.rejected_at OR OLD.rejection <> NEW.rejection
    OR OLD.request_id <> NEW.request_id OR OLD.subject_sha256 <> NEW.subject_sha256 OR OLD.lapses_at <> NEW.lapses_at)
BEGIN SELECT RAISE(ABORT, 'what was decided about an exception is never changed'); END;
CREATE TRIGGER exception_over BEFORE UPDATE ON exception WHEN OLD.ended_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an exception that has ended stays as it ended'); END;
-- It is approved by its request, every step of it, and with compensating controls.
CREATE TRIGGER exception_whole BEFORE UPDATE ON exception WHEN OLD.approved_at IS NULL AND NEW.approved_at IS NOT NULL AND (
  NOT EXISTS (SELECT 1 FROM request r WHERE r.id = NEW.request_id AND r.kind = 'exception' AND r.outcome = 'approved'
    AND r.subject_sha256 = NEW.subject_sha256)
  OR NOT EXISTS (SELECT 1 FROM request_step s WHERE s.request_id = NEW.request_id)
  OR EXISTS (SELECT 1 FROM request_step s WHERE s.request_id = NEW.request_id AND s.verdict <> 'approve')
  OR NOT EXISTS (SELECT 1 FROM exception_agent x WHERE x.exception_id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM compensating_control c WHERE c.exception_id = NEW.id AND c.dropped_at IS NULL))
BEGIN SELECT RAISE(ABORT, 'an exception is approved by its request'); END;
CREATE TRIGGER exception_agent_no_delete BEFORE DELETE ON exception_agent
BEGIN SELECT RAISE(ABORT, 'exceptions are never deleted'); END;
CREATE TRIGGER exception_agent_kept BEFORE UPDATE ON exception_agent
BEGIN SELECT RAISE(ABORT, 'the agents of an exception are never changed'); END;
CREATE TRIGGER exception_agent_late BEFORE INSERT ON exception_agent WHEN EXISTS (SELECT 1 FROM exception e WHERE e.id = NEW.exception_id
  AND (e.approved_at IS NOT NULL OR e.rejected_at IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'the agents of an exception are never changed'); END;
CREATE TRIGGER compensating_control_no_delete BEFORE DELETE ON compensating_control
BEGIN SELECT RAISE(ABORT, 'compensating controls are never deleted'); END;
CREATE TRIGGER compensating_control_late BEFORE INSERT ON compensating_control WHEN EXISTS (SELECT 1 FROM exception e WHERE e.id = NEW.exception_id
  AND (e.approved_at IS NOT NULL OR e.rejected_at IS NOT NULL))
BEGIN SELECT RAISE(ABORT, 'what was decided about an exception is never changed'); END;
CREATE TRIGGER compensating_control_kept BEFORE UPDATE ON compensating_control WHEN OLD.checked_at IS NOT NULL OR OLD.dropped_at IS NOT NULL
  OR OLD.exception_id <> NEW.exception_id OR OLD.place <> NEW.place OR OLD.words <> NEW.words OR OLD.owner_id <> NEW.owner_id
  OR OLD.check_at <> NEW.check_at
  OR (NEW.dropped_at IS NOT NULL AND EXISTS (SELECT 1 FROM exception e WHERE e.id = NEW.exception_id
    AND (e.approved_at IS NOT NULL OR e.rejected_at IS NOT NULL)))
BEGIN SELECT RAISE(ABORT, 'a compensating control is checked, never changed'); END;
