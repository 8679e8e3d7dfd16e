-- The clock: what somebody is to be told at an instant, and the posture of each day. Both are
-- working facts outside the record: at its instant an alarm is taken out, and the facts are read
-- again.
CREATE TABLE alarm (
  id INTEGER PRIMARY KEY,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('decision-soon', 'decision-due', 'decision-escalates', 'request-lapses',
    'offer-unanswered', 'offer-lapses', 'exception-ending', 'exception-ended', 'exception-unmended', 'control-check',
    'exception-suspends')),
  -- The reference of what it is about.
  subject TEXT NOT NULL CHECK (subject <> ''),
  -- What else must be known, by kind: the instant of an offer, the days left of an exception.
  about BIGINT NOT NULL,
  -- Once for what it says.
  key TEXT NOT NULL CHECK (key <> '')
);
CREATE UNIQUE INDEX alarm_once ON alarm (key);
CREATE INDEX alarm_at ON alarm (at, id);

-- How many agents counted under a facet when a UTC day had ended. A day that is missing was not
-- recorded: nothing is ever filled in.
CREATE TABLE posture_day (
  day TEXT NOT NULL CHECK (length(day) = 10),
  facet TEXT NOT NULL,
  n BIGINT NOT NULL CHECK (n >= 0),
  PRIMARY KEY (day, facet)
);
-- The trend of a few facets.
CREATE INDEX posture_day_facet ON posture_day (facet, day, n);

-- One scheduler at a time, however many servers there are: each holds this row while it works.
INSERT INTO sequence (noun, last) VALUES ('alarm', 0), ('clock', 0);

-- What is open already has its alarms too: that it is due, and that it lapses in three days.
INSERT INTO alarm (id, at, kind, subject, about, key)
SELECT ROW_NUMBER() OVER (ORDER BY r.id), r.lapses_at - 259200000000, 'request-lapses', 'RQ-' || r.id, 0,
  'RQ-' || r.id || '/request-lapses/' || (r.lapses_at - 259200000000) FROM request r WHERE r.outcome = '';
INSERT INTO alarm (id, at, kind, subject, about, key)
SELECT (SELECT COUNT(*) FROM alarm) + ROW_NUMBER() OVER (ORDER BY d.request_id, d.due_at), d.due_at, 'decision-due',
  'RQ-' || d.request_id, 0, 'RQ-' || d.request_id || '/decision-due/' || d.due_at
FROM (SELECT DISTINCT s.request_id, s.due_at FROM request_step s JOIN request r ON r.id = s.request_id
  WHERE s.verdict = '' AND r.outcome = '') d;
UPDATE sequence SET last = (SELECT COUNT(*) FROM alarm) WHERE noun = 'alarm';

CREATE TRIGGER posture_day_kept BEFORE UPDATE ON posture_day
BEGIN SELECT RAISE(ABORT, 'what was recorded of a day is never changed'); END;
