-- Each step knows of what kind its request is, so that counting the reviews that wait for somebody
-- does not walk past everything else that does.
ALTER TABLE request_step ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE request_step DISABLE TRIGGER USER;
UPDATE request_step SET kind = (SELECT r.kind FROM request r WHERE r.id = request_step.request_id);
-- And it waits no longer than its request is open, so that counting need not read that either.
UPDATE request_step SET waits_until = (SELECT r.lapses_at FROM request r WHERE r.id = request_step.request_id)
WHERE decided_at IS NULL AND waits_until > (SELECT r.lapses_at FROM request r WHERE r.id = request_step.request_id);
ALTER TABLE request_step ENABLE TRIGGER USER;
DROP TRIGGER request_step_kept ON request_step;
CREATE TRIGGER request_step_kept BEFORE UPDATE ON request_step FOR EACH ROW
WHEN (OLD.decided_at IS NOT NULL OR OLD.request_id <> NEW.request_id OR OLD.duty <> NEW.duty
  OR OLD.requester_id <> NEW.requester_id OR OLD.technical <> NEW.technical OR OLD.kind <> NEW.kind)
EXECUTE FUNCTION refuse('a decision is never changed');
CREATE INDEX request_step_kind ON request_step (waits_for, kind, waits_until) WHERE verdict = '' AND ready;
