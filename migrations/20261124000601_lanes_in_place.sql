-- A lane's row changes with every day. It can change in place only while no index has a column that changes,
-- and as long as its page has room; and its dates, which may be thousands, should not be read each time.
DROP INDEX execution.lanes_of_endpoint;
CREATE INDEX lanes_of_endpoint ON execution.lanes (endpoint) WHERE endpoint IS NOT NULL AND state = 'ready';
ALTER TABLE execution.lanes SET (fillfactor = 50);

ALTER TABLE execution.lanes
    DROP CONSTRAINT lanes_check,
    ADD COLUMN days integer NOT NULL GENERATED ALWAYS AS (cardinality(dates)) STORED,
    ADD CHECK (done >= 0 AND done <= days);
