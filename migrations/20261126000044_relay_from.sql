-- A message that the process that wrote it sends itself, as soon as it is committed: the relay leaves it alone until
-- then, and sends it afterwards should it still be unsent.
ALTER TABLE trigger.outbox ADD COLUMN relay_from timestamptz;
ALTER TABLE market.outbox ADD COLUMN relay_from timestamptz;
ALTER TABLE execution.outbox ADD COLUMN relay_from timestamptz;
ALTER TABLE status.outbox ADD COLUMN relay_from timestamptz;
