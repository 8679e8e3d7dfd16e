-- What one person alone may not do: one asks, another confirms. Whether an open one has
-- lapsed is a question of the clock.
CREATE TABLE proposal (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  person_id BIGINT NOT NULL REFERENCES person (id),
  matter TEXT COLLATE "C" NOT NULL CHECK (matter IN ('roles', 'password')),
  roles TEXT COLLATE "C" NOT NULL,
  asked_by BIGINT NOT NULL REFERENCES person (id),
  asked_at BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'confirmed', 'refused', 'lapsed')),
  decided_by BIGINT REFERENCES person (id),
  decided_at BIGINT,
  CHECK ((matter = 'roles') = (roles <> '')),
  CHECK (asked_by <> person_id),
  CHECK ((state = 'open') = (decided_at IS NULL)),
  CHECK (state IN ('open', 'lapsed') OR decided_by IS NOT NULL),
  CHECK (decided_by <> person_id),
  CHECK (state <> 'confirmed' OR decided_by <> asked_by)
);
CREATE UNIQUE INDEX proposal_once ON proposal (person_id, matter) WHERE state = 'open';
CREATE INDEX proposal_open ON proposal (asked_at, id) WHERE state = 'open';
CREATE INDEX proposal_event ON proposal (event_id);
INSERT INTO sequence (noun, last) VALUES ('proposal', 0);
