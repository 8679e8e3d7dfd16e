-- Each step knows of what kind its request is, so that counting the reviews that wait for somebody
-- does not walk past everything else that does.
ALTER TABLE request_step ADD COLUMN kind TEXT NOT NULL DEFAULT '';
-- What was decided is kept as it was, its kind apart: the triggers come back below.
DROP TRIGGER request_step_kept;
DROP TRIGGER request_step_ended;
DROP TRIGGER request_step_one_person;
DROP TRIGGER request_step_deferred;
UPDATE request_step SET kind = (SELECT r.kind FROM request r WHERE r.id = request_step.request_id);
-- And it waits no longer than its request is open, so that counting need not read that either.
UPDATE request_step SET waits_until = (SELECT r.lapses_at FROM request r WHERE r.id = request_step.request_id)
WHERE decided_at IS NULL AND waits_until > (SELECT r.lapses_at FROM request r WHERE r.id = request_step.request_id);
CREATE TRIGGER request_step_kept BEFORE UPDATE ON request_step WHEN OLD.decided_at IS NOT NULL OR OLD.request_id <> NEW.request_id OR OLD.duty <> NEW.duty
  OR OLD.requester_id <> NEW.requester_id OR OLD.technical <> NEW.technical OR OLD.kind <> NEW.kind
BEGIN SELECT RAISE(ABORT, 'a decision is never changed'); END;
CREATE TRIGGER request_step_ended BEFORE UPDATE ON request_step WHEN NEW.decided_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM request r WHERE r.id = NEW.request_id AND r.closed_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'the request has ended'); END;
CREATE TRIGGER request_step_one_person BEFORE UPDATE ON request_step WHEN NEW.decided_at IS NOT NULL AND EXISTS (SELECT 1 FROM request_step o WHERE o.request_id = NEW.request_id AND o.id <> NEW.id
  AND (o.decided_by IN (NEW.decided_by, COALESCE(NEW.on_behalf_of, NEW.decided_by))
    OR o.on_behalf_of IN (NEW.decided_by, COALESCE(NEW.on_behalf_of, NEW.decided_by)))
  AND (NOT (NEW.justified OR (o.technical AND NEW.technical))
    OR (o.duty = 'purpose' AND NEW.duty = 'regulatory') OR (o.duty = 'regulatory' AND NEW.duty = 'purpose')))
BEGIN SELECT RAISE(ABORT, 'one person never has two parts that check each other'); END;
CREATE TRIGGER request_step_deferred BEFORE UPDATE ON request_step WHEN OLD.deferred_at IS NOT NULL
  AND (NEW.deferred_at IS NULL OR NEW.deferred_at <> OLD.deferred_at OR NEW.due_at <> OLD.due_at)
BEGIN SELECT RAISE(ABORT, 'a review is put off once'); END;
CREATE INDEX request_step_kind ON request_step (waits_for, kind, waits_until) WHERE verdict = '' AND ready;
