-- What pages ask again and again, answered by an index.
CREATE INDEX team_deputy ON team (deputy_id);
-- What was offered to a party and waits for its answer, oldest first.
CREATE INDEX assignment_offer ON assignment (party_kind, party_id, offered_at, id)
  WHERE role = 'A' AND accepted_at IS NULL AND valid_to IS NULL;
-- The agents that lack a duty.
CREATE INDEX finding_duty ON finding (duty, key, agent_id, from_at, until_at);
