-- Of a large body only the beginning is kept; this is the length of the whole.
ALTER TABLE status.dead_letters ADD COLUMN body_bytes integer;
UPDATE status.dead_letters SET body_bytes = octet_length(body);
ALTER TABLE status.dead_letters ALTER COLUMN body_bytes SET NOT NULL;

-- For their number, which is a metric.
CREATE INDEX dead_letters_open ON status.dead_letters (id) WHERE replayed_at IS NULL AND discarded_at IS NULL;
