-- Review campaigns: a selection frozen on the day it was made, a review for each agent of it.
CREATE TABLE campaign (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  name TEXT NOT NULL CHECK (name <> ''),
  made_at BIGINT NOT NULL,
  made_by BIGINT NOT NULL REFERENCES person (id),
  due_at BIGINT NOT NULL,
  -- The filter of the inventory that chose the agents; empty where each was picked.
  selection TEXT NOT NULL,
  reason TEXT NOT NULL,
  agents BIGINT NOT NULL,
  closed_at BIGINT,
  closed_by TEXT NOT NULL,
  closing TEXT NOT NULL,
  CHECK (due_at > made_at),
  CHECK ((closed_at IS NULL) = (closed_by = ''))
);
CREATE INDEX campaign_event ON campaign (event_id);

CREATE TABLE campaign_agent (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  campaign_id BIGINT NOT NULL REFERENCES campaign (id),
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  -- Its review; none where none could be asked, which skipped says why.
  request_id BIGINT REFERENCES request (id),
  -- The review was open already.
  joined BOOLEAN NOT NULL,
  skipped TEXT NOT NULL,
  CHECK ((request_id IS NULL) = (skipped <> ''))
);
CREATE UNIQUE INDEX campaign_agent_once ON campaign_agent (campaign_id, agent_id);
CREATE INDEX campaign_agent_page ON campaign_agent (campaign_id, id);
CREATE INDEX campaign_agent_request ON campaign_agent (request_id, campaign_id);
CREATE INDEX campaign_agent_event ON campaign_agent (event_id);

INSERT INTO sequence (noun, last) VALUES ('campaign', 0), ('campaign-agent', 0);

-- A review is put off once, with a reason.
ALTER TABLE request_step ADD COLUMN deferred_at BIGINT;
ALTER TABLE request_step ADD COLUMN deferral TEXT;
-- What is overdue and what soon will be, soonest first.
CREATE INDEX finding_from ON finding (key, from_at, agent_id);

CREATE TRIGGER request_step_deferred BEFORE UPDATE ON request_step WHEN OLD.deferred_at IS NOT NULL
  AND (NEW.deferred_at IS NULL OR NEW.deferred_at <> OLD.deferred_at OR NEW.due_at <> OLD.due_at)
BEGIN SELECT RAISE(ABORT, 'a review is put off once'); END;
CREATE TRIGGER campaign_no_delete BEFORE DELETE ON campaign
BEGIN SELECT RAISE(ABORT, 'campaigns are never deleted'); END;
CREATE TRIGGER campaign_agent_no_delete BEFORE DELETE ON campaign_agent
BEGIN SELECT RAISE(ABORT, 'campaigns are never deleted'); END;
CREATE TRIGGER campaign_kept BEFORE UPDATE ON campaign WHEN OLD.closed_at IS NOT NULL OR OLD.agents <> NEW.agents
  OR OLD.made_by <> NEW.made_by OR OLD.selection <> NEW.selection OR OLD.due_at <> NEW.due_at
BEGIN SELECT RAISE(ABORT, 'what a campaign is about is never changed'); END;
CREATE TRIGGER campaign_agent_kept BEFORE UPDATE ON campaign_agent
BEGIN SELECT RAISE(ABORT, 'what a campaign is about is never changed'); END;
