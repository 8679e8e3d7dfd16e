-- What is needed and what is vacant is counted by business unit too: every agent is assessed again
-- when the server starts. All of it is derived.
UPDATE agent SET needs = NULL WHERE needs IS NOT NULL;

-- An evidence pack has every compensating control of an exception, those that were dropped too.
CREATE INDEX compensating_control_exception ON compensating_control (exception_id, id);
