-- Blocking requests and isolating are steps of a stop too, where a way to do it is recorded.
-- SQLite changes no CHECK in place: the table is made anew, row by row as it was.
CREATE TABLE stop_step_new (
  id INTEGER PRIMARY KEY,
  event_id TEXT NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  stopping_id BIGINT NOT NULL REFERENCES stopping (id),
  step TEXT NOT NULL CHECK (step IN ('pause', 'revoke', 'rotate', 'block', 'isolate', 'sessions')),
  subject TEXT NOT NULL,
  credential_kind TEXT NOT NULL,
  ttl_seconds BIGINT,
  done_at BIGINT,
  done_by TEXT NOT NULL,
  UNIQUE (stopping_id, step, subject),
  CHECK ((done_at IS NULL) = (done_by = ''))
);
INSERT INTO stop_step_new (id, event_id, stopping_id, step, subject, credential_kind, ttl_seconds, done_at, done_by)
SELECT id, event_id, stopping_id, step, subject, credential_kind, ttl_seconds, done_at, done_by FROM stop_step;
DROP TABLE stop_step;
ALTER TABLE stop_step_new RENAME TO stop_step;
CREATE INDEX stop_step_event ON stop_step (event_id);
CREATE TRIGGER stop_step_done BEFORE UPDATE ON stop_step WHEN OLD.done_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a step that is done is never changed'); END;
