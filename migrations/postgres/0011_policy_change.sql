-- Changing the policy, deciding in somebody's place, and calendars.

-- Derived: which conditions of the policy hold for the agent, as bits; -1 once it is retired.
-- Nothing until the agent is next assessed, which a server does by itself.
ALTER TABLE agent ADD COLUMN needs BIGINT;
CREATE INDEX agent_needs ON agent (needs, id);

-- The agents that a party is to stop, by when that has to be shown again.
CREATE INDEX agent_runtime_party ON agent (runtime_party_kind, runtime_party_id, runtime_owner, runtime_owner_until, id);

-- Who confirmed a version that was weaker.
ALTER TABLE policy ADD COLUMN confirmed_by TEXT COLLATE "C";

-- What needs a second person may be about the policy too, and then about nobody.
ALTER TABLE proposal DROP CONSTRAINT proposal_matter_check;
ALTER TABLE proposal ALTER COLUMN person_id DROP NOT NULL;
-- The policy that is proposed, as canonical JSON, and the version that it would follow.
ALTER TABLE proposal ADD COLUMN content TEXT COLLATE "C";
ALTER TABLE proposal ADD COLUMN against BIGINT;
ALTER TABLE proposal ADD CHECK (matter IN ('roles', 'password', 'policy'));
ALTER TABLE proposal ADD CHECK ((matter = 'policy') = (person_id IS NULL));
ALTER TABLE proposal ADD CHECK ((matter = 'policy') = (content IS NOT NULL));
ALTER TABLE proposal ADD CHECK ((matter = 'policy') = (against IS NOT NULL));
CREATE UNIQUE INDEX proposal_once_policy ON proposal (matter) WHERE state = 'open' AND person_id IS NULL;

-- Who decides in whose place, and from when until when: at most 90 days.
CREATE TABLE delegation (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  from_id BIGINT NOT NULL REFERENCES person (id),
  to_id BIGINT NOT NULL REFERENCES person (id),
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  reason TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),
  -- When it was ended before its time.
  ended_at BIGINT,
  CHECK (from_id <> to_id),
  CHECK (until_at > from_at AND until_at - from_at <= 7776000000000)
);
CREATE INDEX delegation_from ON delegation (from_id, until_at, id) WHERE ended_at IS NULL;
CREATE INDEX delegation_to ON delegation (to_id, until_at, id) WHERE ended_at IS NULL;
CREATE INDEX delegation_event ON delegation (event_id);
CREATE TRIGGER delegation_kept BEFORE UPDATE ON delegation FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL
  OR NEW.from_id <> OLD.from_id OR NEW.to_id <> OLD.to_id OR NEW.from_at <> OLD.from_at OR NEW.until_at <> OLD.until_at
  OR NEW.reason <> OLD.reason)
EXECUTE FUNCTION refuse('a delegation is ended, never changed');
CREATE TRIGGER delegation_no_delete BEFORE DELETE OR TRUNCATE ON delegation
FOR EACH STATEMENT EXECUTE FUNCTION refuse('delegations are never deleted');

-- The secret link of a person's calendar; of the secret only its SHA-256.
CREATE TABLE calendar_link (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  person_id BIGINT NOT NULL REFERENCES person (id),
  sha256 TEXT COLLATE "C" NOT NULL UNIQUE,
  made_at BIGINT NOT NULL,
  revoked_at BIGINT
);
CREATE UNIQUE INDEX calendar_link_one ON calendar_link (person_id) WHERE revoked_at IS NULL;
CREATE INDEX calendar_link_event ON calendar_link (event_id);
CREATE TRIGGER calendar_link_revoked BEFORE UPDATE ON calendar_link FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL)
EXECUTE FUNCTION refuse('a link that was revoked is never changed');

INSERT INTO sequence (noun, last) VALUES ('delegation', 0), ('calendar', 0);
