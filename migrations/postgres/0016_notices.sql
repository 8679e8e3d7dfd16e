-- Notices: what people are told, what goes out of it, where to and when.

-- Where the organisation is told: a webhook, or an incoming webhook of a chat.
CREATE TABLE outlet (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('webhook', 'slack', 'teams')),
  name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
  url TEXT COLLATE "C" NOT NULL CHECK (url <> ''),
  -- The kinds of notices that go there, with blanks between.
  kinds TEXT COLLATE "C" NOT NULL CHECK (kinds <> ''),
  made_at BIGINT NOT NULL,
  removed_at BIGINT
);
CREATE INDEX outlet_event ON outlet (event_id);
CREATE INDEX outlet_open ON outlet (id) WHERE removed_at IS NULL;

-- A secret, so outside the digest.
CREATE TABLE outlet_secret (
  outlet_id BIGINT PRIMARY KEY REFERENCES outlet (id),
  secret TEXT COLLATE "C" NOT NULL,
  made_at BIGINT NOT NULL
);

CREATE TABLE notice_preference (
  person_id BIGINT PRIMARY KEY REFERENCES person (id),
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  -- Minutes east of UTC.
  offset_minutes BIGINT NOT NULL CHECK (offset_minutes BETWEEN -840 AND 840),
  -- Minutes of the person's own day.
  quiet_from BIGINT CHECK (quiet_from BETWEEN 0 AND 1439),
  quiet_until BIGINT CHECK (quiet_until BETWEEN 0 AND 1439),
  digest_at BIGINT NOT NULL CHECK (digest_at BETWEEN 0 AND 1439),
  -- What differs from the usual, as kind=how with blanks between.
  hows TEXT COLLATE "C" NOT NULL,
  CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)),
  CHECK (quiet_from <> quiet_until)
);
CREATE INDEX notice_preference_event ON notice_preference (event_id);

-- Outside the record from here on: working facts that come and go.

-- A message on its way: by e-mail to a person, or to an outlet.
CREATE TABLE delivery (
  id TEXT COLLATE "C" PRIMARY KEY,
  person_id BIGINT REFERENCES person (id),
  outlet_id BIGINT REFERENCES outlet (id),
  critical BOOLEAN NOT NULL,
  state TEXT COLLATE "C" NOT NULL CHECK (state IN ('waits', 'sent', 'dead')),
  made_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  -- When it was first taken to be sent: from then on nothing joins it.
  first_at BIGINT,
  attempts BIGINT NOT NULL,
  last_error TEXT COLLATE "C" NOT NULL,
  -- Who is sending it, and until when that counts.
  lease_owner TEXT COLLATE "C" NOT NULL,
  lease_until BIGINT,
  ended_at BIGINT,
  CHECK ((person_id IS NULL) <> (outlet_id IS NULL)),
  CHECK ((lease_owner = '') = (lease_until IS NULL)),
  CHECK ((state = 'waits') = (ended_at IS NULL))
);
CREATE INDEX delivery_due ON delivery (next_at, id) WHERE state = 'waits';
CREATE INDEX delivery_urgent ON delivery (next_at, id) WHERE state = 'waits' AND critical;
CREATE INDEX delivery_leased ON delivery (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX delivery_fresh ON delivery (person_id, next_at) WHERE state = 'waits' AND first_at IS NULL;
CREATE INDEX delivery_dead ON delivery (id) WHERE state = 'dead';
CREATE INDEX delivery_sent ON delivery (ended_at) WHERE state = 'sent';

-- What somebody is told; without a person, the organisation's copy for its outlets.
CREATE TABLE notice (
  id TEXT COLLATE "C" PRIMARY KEY,
  person_id BIGINT REFERENCES person (id),
  kind TEXT COLLATE "C" NOT NULL,
  critical BOOLEAN NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  what TEXT COLLATE "C" NOT NULL CHECK (what <> ''),
  why TEXT COLLATE "C" NOT NULL,
  todo TEXT COLLATE "C" NOT NULL,
  link TEXT COLLATE "C" NOT NULL CHECK (link LIKE '/%'),
  -- Once for a person and a key.
  key TEXT COLLATE "C" NOT NULL CHECK (key <> ''),
  at BIGINT NOT NULL,
  read_at BIGINT,
  -- When it was decided what goes out of it.
  planned_at BIGINT,
  delivery_id TEXT COLLATE "C" REFERENCES delivery (id)
);
CREATE UNIQUE INDEX notice_once ON notice (person_id, key);
CREATE UNIQUE INDEX notice_of_all_once ON notice (key) WHERE person_id IS NULL;
CREATE INDEX notice_page ON notice (person_id, id);
CREATE INDEX notice_unread ON notice (person_id, id) WHERE read_at IS NULL;
CREATE INDEX notice_unplanned ON notice (id) WHERE planned_at IS NULL;
CREATE INDEX notice_delivery ON notice (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX notice_at ON notice (at);

-- The messages to outlets: one notice goes to several.
CREATE TABLE delivery_notice (
  delivery_id TEXT COLLATE "C" PRIMARY KEY REFERENCES delivery (id),
  notice_id TEXT COLLATE "C" NOT NULL REFERENCES notice (id)
);
CREATE INDEX delivery_notice_notice ON delivery_notice (notice_id);

INSERT INTO sequence (noun, last) VALUES ('outlet', 0);

CREATE TRIGGER outlet_no_delete BEFORE DELETE OR TRUNCATE ON outlet
FOR EACH STATEMENT EXECUTE FUNCTION refuse('outlets are never deleted');
CREATE TRIGGER outlet_removed BEFORE UPDATE ON outlet FOR EACH ROW WHEN (OLD.removed_at IS NOT NULL)
EXECUTE FUNCTION refuse('an outlet that was removed is never changed');
-- What people were told is never told otherwise afterwards.
CREATE TRIGGER notice_kept BEFORE UPDATE ON notice FOR EACH ROW WHEN (OLD.what <> NEW.what OR OLD.why <> NEW.why
  OR OLD.todo <> NEW.todo OR OLD.link <> NEW.link OR OLD.key <> NEW.key OR OLD.at <> NEW.at
  OR OLD.person_id IS DISTINCT FROM NEW.person_id)
EXECUTE FUNCTION refuse('what was told is never changed');
-- What arrived is not sent again.
CREATE TRIGGER delivery_sent_kept BEFORE UPDATE ON delivery FOR EACH ROW WHEN (OLD.state = 'sent')
EXECUTE FUNCTION refuse('what was sent is not sent again');
