-- Each step knows of what kind its request is, so that counting the reviews that wait for somebody
-- does not walk past everything else that does.
ALTER TABLE request_step ADD COLUMN kind TEXT NOT NULL DEFAULT '';
DROP TRIGGER request_step_kept;
UPDATE request_step SET kind = (SELECT r.kind FROM request r WHERE r.id = request_step.request_id);
CREATE TRIGGER request_step_kept BEFORE UPDATE ON request_step WHEN OLD.decided_at IS NOT NULL OR OLD.request_id <> NEW.request_id OR OLD.duty <> NEW.duty
  OR OLD.requester_id <> NEW.requester_id OR OLD.technical <> NEW.technical OR OLD.kind <> NEW.kind
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;
CREATE INDEX request_step_kind ON request_step (waits_for, kind) WHERE verdict = '' AND ready;
