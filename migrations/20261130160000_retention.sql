-- Old rows are found without looking at those that stay, and what is deleted is used again soon.

-- An attempt that has ended needs its journal for replays only, if at all. When the journal is deleted, the attempt stays,
-- and says whether it still has its journal.
ALTER TABLE execution.attempts ADD COLUMN has_journal boolean NOT NULL DEFAULT true;
CREATE INDEX attempts_with_journal ON execution.attempts (ended_at) WHERE has_journal AND ended_at IS NOT NULL;

-- Of earlier rows, when this was recorded first.
ALTER TABLE execution.transcripts ADD COLUMN written_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX transcripts_written_at ON execution.transcripts (written_at);

-- Tables whose rows leave at the rate at which they come. By default a fifth of a table has to be dead before its space
-- can be used again.
ALTER TABLE trigger.outbox SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE market.outbox SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE execution.outbox SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE status.outbox SET (autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE execution.journal SET (autovacuum_vacuum_scale_factor = 0.05);
