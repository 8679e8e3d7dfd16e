-- Blocking requests and isolating are steps of a stop too, where a way to do it is recorded.
ALTER TABLE stop_step DROP CONSTRAINT stop_step_step_check;
ALTER TABLE stop_step ADD CONSTRAINT stop_step_step_check
CHECK (step IN ('pause', 'revoke', 'rotate', 'block', 'isolate', 'sessions'));
