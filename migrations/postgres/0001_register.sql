-- The register. Times are microseconds since the epoch (UTC). Every row of an audited
-- table carries the id of the event that last wrote it; the event carries the row's digest.

CREATE TABLE chain_head (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  seq BIGINT NOT NULL,
  hash TEXT COLLATE "C" NOT NULL
);
INSERT INTO chain_head (id, seq, hash) VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TABLE audit_event (
  seq BIGINT PRIMARY KEY,
  id TEXT COLLATE "C" NOT NULL UNIQUE,
  at BIGINT NOT NULL,
  actor TEXT COLLATE "C" NOT NULL,
  capacity TEXT COLLATE "C" NOT NULL,
  action TEXT COLLATE "C" NOT NULL,
  subject TEXT COLLATE "C" NOT NULL,
  before TEXT COLLATE "C" NOT NULL,
  after TEXT COLLATE "C" NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  prev TEXT COLLATE "C" NOT NULL,
  hash TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_event_subject ON audit_event (subject, seq);
CREATE INDEX audit_event_actor ON audit_event (actor, seq);
CREATE INDEX audit_event_action ON audit_event (action, seq);
CREATE INDEX audit_event_at ON audit_event (at, seq);

CREATE TABLE sequence (noun TEXT COLLATE "C" PRIMARY KEY, last BIGINT NOT NULL);
INSERT INTO sequence (noun, last) VALUES ('agent', 0), ('person', 0), ('team', 0), ('system', 0), ('wave', 0),
  ('token', 0), ('assignment', 0), ('member', 0), ('vendor', 0), ('tool', 0), ('credential', 0), ('stop', 0), ('drill', 0);

CREATE TABLE person (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  name_folded TEXT COLLATE "C" NOT NULL,
  email TEXT COLLATE "C" NOT NULL UNIQUE,
  title TEXT COLLATE "C" NOT NULL,
  business_unit TEXT COLLATE "C" NOT NULL,
  status TEXT COLLATE "C" NOT NULL CHECK (status IN ('active', 'left')),
  left_at BIGINT,
  manager_id BIGINT REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
  deputy_id BIGINT REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
  roles TEXT COLLATE "C" NOT NULL,
  CHECK ((status = 'left') = (left_at IS NOT NULL)),
  CHECK (manager_id <> id),
  CHECK (deputy_id <> id)
);
CREATE INDEX person_name ON person (name_folded, id);
CREATE INDEX person_status ON person (status, name_folded, id);
CREATE INDEX person_manager ON person (manager_id);
CREATE INDEX person_deputy ON person (deputy_id);

-- A secret, so outside the digest; that it changed is an event.
CREATE TABLE login (
  person_id BIGINT PRIMARY KEY REFERENCES person (id),
  password_hash TEXT COLLATE "C" NOT NULL,
  changed_at BIGINT NOT NULL
);

CREATE TABLE team (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  name_folded TEXT COLLATE "C" NOT NULL UNIQUE,
  kind TEXT COLLATE "C" NOT NULL,
  lead_id BIGINT REFERENCES person (id),
  lead_since BIGINT,
  deputy_id BIGINT REFERENCES person (id)
);
CREATE INDEX team_name ON team (name_folded, id);
CREATE INDEX team_lead ON team (lead_id);

-- Membership is dated and never overwritten.
CREATE TABLE team_member (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  team_id BIGINT NOT NULL REFERENCES team (id),
  person_id BIGINT NOT NULL REFERENCES person (id),
  since BIGINT NOT NULL,
  until BIGINT
);
CREATE UNIQUE INDEX team_member_once ON team_member (team_id, person_id) WHERE until IS NULL;
CREATE INDEX team_member_person ON team_member (person_id) WHERE until IS NULL;

CREATE TABLE system (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  name_folded TEXT COLLATE "C" NOT NULL UNIQUE,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('multi-agent', 'platform')),
  purpose TEXT COLLATE "C" NOT NULL
);

CREATE TABLE vendor (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  name TEXT COLLATE "C" NOT NULL,
  name_folded TEXT COLLATE "C" NOT NULL UNIQUE
);

CREATE TABLE tool (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  name TEXT COLLATE "C" NOT NULL,
  name_folded TEXT COLLATE "C" NOT NULL UNIQUE,
  kind TEXT COLLATE "C" NOT NULL,
  sensitivity TEXT COLLATE "C" NOT NULL
);

-- Never the secret itself: what it is, how long it lives, where it is kept.
CREATE TABLE credential (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  name TEXT COLLATE "C" NOT NULL,
  name_folded TEXT COLLATE "C" NOT NULL UNIQUE,
  kind TEXT COLLATE "C" NOT NULL,
  ttl_seconds BIGINT,
  kept_in TEXT COLLATE "C" NOT NULL,
  last_rotated TEXT COLLATE "C" NOT NULL
);

CREATE TABLE wave (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  title TEXT COLLATE "C" NOT NULL,
  source TEXT COLLATE "C" NOT NULL,
  file_sha256 TEXT COLLATE "C" NOT NULL,
  owner_id BIGINT REFERENCES person (id),
  target_at BIGINT NOT NULL,
  at BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  created BIGINT NOT NULL,
  changed BIGINT NOT NULL,
  unchanged BIGINT NOT NULL,
  refused BIGINT NOT NULL
);
CREATE INDEX wave_target ON wave (target_at, id);

CREATE TABLE agent (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  state_at BIGINT NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  purpose TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  business_unit TEXT COLLATE "C" NOT NULL,
  environment TEXT COLLATE "C" NOT NULL,
  hosting TEXT COLLATE "C" NOT NULL,
  vendor_id BIGINT REFERENCES vendor (id),
  contract TEXT COLLATE "C" NOT NULL,
  built_by BIGINT REFERENCES team (id),
  operated_by BIGINT REFERENCES team (id),
  parent_id BIGINT REFERENCES system (id),
  external_ids TEXT COLLATE "C" NOT NULL,
  labels TEXT COLLATE "C" NOT NULL,
  workload_identity TEXT COLLATE "C" NOT NULL,
  models TEXT COLLATE "C" NOT NULL,
  autonomy TEXT COLLATE "C" NOT NULL,
  exposure TEXT COLLATE "C" NOT NULL,
  data_class TEXT COLLATE "C" NOT NULL,
  regulated BOOLEAN NOT NULL,
  tools TEXT COLLATE "C" NOT NULL,
  credentials TEXT COLLATE "C" NOT NULL,
  running TEXT COLLATE "C" NOT NULL,
  confidential BOOLEAN NOT NULL,
  boundary_sha256 TEXT COLLATE "C" NOT NULL,
  wave_id BIGINT REFERENCES wave (id),
  name_missing BOOLEAN NOT NULL,
  duplicate_of TEXT COLLATE "C" NOT NULL,
  -- Derived from the rest, outside the digest, rebuilt by every assessment.
  name_folded TEXT COLLATE "C" NOT NULL,
  unit_folded TEXT COLLATE "C" NOT NULL,
  tier TEXT COLLATE "C" NOT NULL,
  tier_points BIGINT NOT NULL,
  runs BOOLEAN NOT NULL,
  runtime_owner TEXT COLLATE "C" NOT NULL,
  runtime_owner_rank BIGINT NOT NULL,
  runtime_owner_until BIGINT NOT NULL,
  runtime_party_kind TEXT COLLATE "C" NOT NULL,
  runtime_party_id BIGINT NOT NULL
);
CREATE INDEX agent_name ON agent (name_folded, id);
CREATE INDEX agent_updated ON agent (updated_at, id);
CREATE INDEX agent_points ON agent (tier_points, id);
CREATE INDEX agent_owner_rank ON agent (runtime_owner_rank, id);
CREATE INDEX agent_unit ON agent (unit_folded, id);
CREATE INDEX agent_state ON agent (state, id);
CREATE INDEX agent_environment ON agent (environment, id);
CREATE INDEX agent_tier ON agent (tier, id);
CREATE INDEX agent_runtime_owner ON agent (runtime_owner, id);
CREATE INDEX agent_running ON agent (running, id);
CREATE INDEX agent_confidential ON agent (id) WHERE confidential;
CREATE INDEX agent_wave ON agent (wave_id, id);
CREATE INDEX agent_vendor ON agent (vendor_id, id);
CREATE INDEX agent_parent ON agent (parent_id, id);
CREATE INDEX agent_operated_by ON agent (operated_by, id);
CREATE INDEX agent_built_by ON agent (built_by, id);
CREATE INDEX agent_created_by ON agent (created_by, id);
CREATE INDEX agent_workload_identity ON agent (workload_identity, id);

-- The one table of ownership. An A with accepted_at is an owner; without, it is an offer.
CREATE TABLE assignment (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT REFERENCES agent (id),
  system_id BIGINT REFERENCES system (id),
  duty TEXT COLLATE "C" NOT NULL,
  role TEXT COLLATE "C" NOT NULL CHECK (role IN ('R', 'A', 'C', 'I')),
  party_kind TEXT COLLATE "C" NOT NULL CHECK (party_kind IN ('person', 'team')),
  party_id BIGINT NOT NULL,
  offered_at BIGINT NOT NULL,
  offered_by TEXT COLLATE "C" NOT NULL,
  accepted_at BIGINT,
  accepted_by TEXT COLLATE "C" NOT NULL,
  recorded BOOLEAN NOT NULL,
  reason TEXT COLLATE "C" NOT NULL,
  valid_from BIGINT,
  valid_to BIGINT,
  ended TEXT COLLATE "C" NOT NULL,
  CHECK ((agent_id IS NULL) <> (system_id IS NULL)),
  CHECK ((accepted_at IS NULL) = (valid_from IS NULL)),
  CHECK (accepted_at IS NOT NULL OR role = 'A'),
  CHECK ((valid_to IS NULL) = (ended = '')),
  CHECK (valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from)
);
CREATE UNIQUE INDEX assignment_one_accountable ON assignment (agent_id, duty)
  WHERE role = 'A' AND accepted_at IS NOT NULL AND valid_to IS NULL AND agent_id IS NOT NULL;
CREATE UNIQUE INDEX assignment_one_accountable_system ON assignment (system_id, duty)
  WHERE role = 'A' AND accepted_at IS NOT NULL AND valid_to IS NULL AND system_id IS NOT NULL;
CREATE UNIQUE INDEX assignment_one_offer ON assignment (agent_id, duty)
  WHERE role = 'A' AND accepted_at IS NULL AND valid_to IS NULL AND agent_id IS NOT NULL;
CREATE UNIQUE INDEX assignment_one_offer_system ON assignment (system_id, duty)
  WHERE role = 'A' AND accepted_at IS NULL AND valid_to IS NULL AND system_id IS NOT NULL;
CREATE UNIQUE INDEX assignment_once ON assignment (agent_id, duty, role, party_kind, party_id)
  WHERE valid_to IS NULL AND agent_id IS NOT NULL;
CREATE INDEX assignment_agent ON assignment (agent_id, valid_to);
CREATE INDEX assignment_system ON assignment (system_id, valid_to);
CREATE INDEX assignment_party ON assignment (party_kind, party_id, role, agent_id) WHERE valid_to IS NULL;
CREATE INDEX assignment_former ON assignment (party_kind, party_id, agent_id) WHERE valid_to IS NOT NULL;

CREATE TABLE stop_method (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  version BIGINT NOT NULL,
  kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('manual', 'webhook')),
  procedure_text TEXT COLLATE "C" NOT NULL,
  valid_from BIGINT NOT NULL,
  valid_to BIGINT
);
CREATE UNIQUE INDEX stop_method_one ON stop_method (agent_id) WHERE valid_to IS NULL;
CREATE INDEX stop_method_agent ON stop_method (agent_id, version);

CREATE TABLE stop_drill (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  agent_id BIGINT NOT NULL REFERENCES agent (id),
  method_version BIGINT NOT NULL,
  party_kind TEXT COLLATE "C" NOT NULL,
  party_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  seconds BIGINT NOT NULL,
  passed BOOLEAN NOT NULL,
  note TEXT COLLATE "C" NOT NULL
);
CREATE INDEX stop_drill_agent ON stop_drill (agent_id, at);

-- Derived: where to find what. Rebuilt with the row it describes.
CREATE TABLE agent_external (source TEXT COLLATE "C" NOT NULL, external_id TEXT COLLATE "C" NOT NULL, agent_id BIGINT NOT NULL REFERENCES agent (id),
  PRIMARY KEY (source, external_id));
CREATE INDEX agent_external_agent ON agent_external (agent_id);
CREATE TABLE agent_tool (tool_id BIGINT NOT NULL REFERENCES tool (id), agent_id BIGINT NOT NULL REFERENCES agent (id),
  PRIMARY KEY (tool_id, agent_id));
CREATE INDEX agent_tool_agent ON agent_tool (agent_id);
CREATE TABLE agent_credential (credential_id BIGINT NOT NULL REFERENCES credential (id), agent_id BIGINT NOT NULL REFERENCES agent (id),
  PRIMARY KEY (credential_id, agent_id));
CREATE INDEX agent_credential_agent ON agent_credential (agent_id);
CREATE TABLE search_word (word TEXT COLLATE "C" NOT NULL, agent_id BIGINT NOT NULL, PRIMARY KEY (word, agent_id));
CREATE INDEX search_word_agent ON search_word (agent_id, word);

-- Derived: what is wrong, over the span in which it holds.
CREATE TABLE finding (
  agent_id BIGINT NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  duty TEXT COLLATE "C" NOT NULL,
  severity TEXT COLLATE "C" NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  detail TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (agent_id, key, duty, from_at)
);
CREATE INDEX finding_key ON finding (key, agent_id, from_at, until_at);

-- Derived: counts, each kept in the transaction of the change. agent_index holds what an
-- agent was counted under, so that a change subtracts exactly that; turn holds what the
-- clock alone will change, so that a read adds what has turned since.
CREATE TABLE tally (facet TEXT COLLATE "C" PRIMARY KEY, n BIGINT NOT NULL);
CREATE TABLE agent_index (agent_id BIGINT PRIMARY KEY, facets TEXT COLLATE "C" NOT NULL, words TEXT COLLATE "C" NOT NULL);
CREATE TABLE turn (at BIGINT NOT NULL, agent_id BIGINT NOT NULL, facet TEXT COLLATE "C" NOT NULL, delta BIGINT NOT NULL,
  PRIMARY KEY (at, agent_id, facet));
CREATE INDEX turn_agent ON turn (agent_id);

CREATE TABLE setting (
  key TEXT COLLATE "C" PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE import_mapping (
  source TEXT COLLATE "C" PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  toml TEXT COLLATE "C" NOT NULL
);

CREATE TABLE token (
  id BIGINT PRIMARY KEY,
  event_id TEXT COLLATE "C" NOT NULL REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED,
  name TEXT COLLATE "C" NOT NULL,
  sha256 TEXT COLLATE "C" NOT NULL UNIQUE,
  scopes TEXT COLLATE "C" NOT NULL,
  owner_id BIGINT REFERENCES person (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT,
  last_used_at BIGINT
);

-- An event that is appended is looked for in every table that may refer to it.
CREATE INDEX person_event ON person (event_id);
CREATE INDEX team_event ON team (event_id);
CREATE INDEX team_member_event ON team_member (event_id);
CREATE INDEX system_event ON system (event_id);
CREATE INDEX vendor_event ON vendor (event_id);
CREATE INDEX tool_event ON tool (event_id);
CREATE INDEX credential_event ON credential (event_id);
CREATE INDEX wave_event ON wave (event_id);
CREATE INDEX agent_event ON agent (event_id);
CREATE INDEX assignment_event ON assignment (event_id);
CREATE INDEX stop_method_event ON stop_method (event_id);
CREATE INDEX stop_drill_event ON stop_drill (event_id);
CREATE INDEX setting_event ON setting (event_id);
CREATE INDEX import_mapping_event ON import_mapping (event_id);
CREATE INDEX token_event ON token (event_id);

-- Outside the record: working facts that come and go.
CREATE TABLE session (
  id_sha256 TEXT COLLATE "C" PRIMARY KEY,
  public_id TEXT COLLATE "C" NOT NULL UNIQUE,
  person_id BIGINT REFERENCES person (id),
  data TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  user_agent TEXT COLLATE "C" NOT NULL,
  address TEXT COLLATE "C" NOT NULL
);
CREATE INDEX session_person ON session (person_id, seen_at);
CREATE INDEX session_expires ON session (expires_at);

CREATE TABLE throttle (key TEXT COLLATE "C" PRIMARY KEY, failures BIGINT NOT NULL, last_at BIGINT NOT NULL);
CREATE INDEX throttle_last ON throttle (last_at);

CREATE TABLE idempotency (
  actor TEXT COLLATE "C" NOT NULL,
  key TEXT COLLATE "C" NOT NULL,
  request_sha256 TEXT COLLATE "C" NOT NULL,
  status BIGINT NOT NULL,
  headers TEXT COLLATE "C" NOT NULL,
  body TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (actor, key)
);
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE upload (
  id TEXT COLLATE "C" PRIMARY KEY,
  person_id BIGINT NOT NULL REFERENCES person (id),
  name TEXT COLLATE "C" NOT NULL,
  sha256 TEXT COLLATE "C" NOT NULL,
  content BYTEA NOT NULL,
  form TEXT COLLATE "C" NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX upload_at ON upload (at);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse('the record is append-only');
-- An assignment that ended, and one's own past, is never rewritten.
CREATE TRIGGER assignment_no_delete BEFORE DELETE OR TRUNCATE ON assignment
FOR EACH STATEMENT EXECUTE FUNCTION refuse('assignments are never deleted');
CREATE TRIGGER assignment_closed BEFORE UPDATE ON assignment FOR EACH ROW WHEN (OLD.valid_to IS NOT NULL)
EXECUTE FUNCTION refuse('an assignment that ended is never changed');
