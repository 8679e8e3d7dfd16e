-- The register of exceptions: indexes of its filters, counters of its figures, and what is still
-- wrong after an exception has ended. All of it is derived.

CREATE INDEX exception_node ON exception (node, expires_at, id);
CREATE INDEX exception_tier ON exception (tier, expires_at, id);
CREATE INDEX exception_rule ON exception (control, expires_at, id);
CREATE INDEX exception_renewed ON exception (expires_at, id) WHERE renewals > 0;
CREATE INDEX exception_undecided ON exception (expires_at, id) WHERE approved_at IS NULL;
CREATE INDEX exception_early ON exception (ended, expires_at, id) WHERE ended_at IS NOT NULL;
-- How many end within some days is read from the index alone.
CREATE INDEX exception_ends ON exception (expires_at, starts_at) WHERE approved_at IS NOT NULL AND ended_at IS NULL;
-- Whoever does something instead sees the exception, checked or not.
CREATE INDEX compensating_control_whose ON compensating_control (owner_id, exception_id) WHERE dropped_at IS NULL;

-- What the clock alone will change of the counters of exceptions: a read adds what has turned
-- since they were last folded.
CREATE TABLE exception_turn (
  at BIGINT NOT NULL,
  exception_id BIGINT NOT NULL,
  facet TEXT NOT NULL,
  delta BIGINT NOT NULL,
  PRIMARY KEY (at, exception_id, facet)
);
CREATE INDEX exception_turn_of ON exception_turn (exception_id);

-- Over which span a rule is broken by an agent from the very end of an exception on: known in
-- advance, while the exception is still in force, and gone once the rule is kept or excepted anew.
CREATE TABLE exception_breach (
  exception_id BIGINT NOT NULL,
  agent_id BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  PRIMARY KEY (exception_id, agent_id)
);
CREATE INDEX exception_breach_agent ON exception_breach (agent_id);
CREATE INDEX exception_breach_from ON exception_breach (from_at, until_at, exception_id);
