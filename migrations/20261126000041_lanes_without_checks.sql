-- A table's CHECKs are read anew by every statement that writes it: for lanes a quarter of what the end of a day took,
-- for the journal as much of a step. Domains are looked at only when a value of theirs is given; that `done` stays
-- within `dates` is a condition of the statement that moves it.
CREATE DOMAIN execution.lane_state AS text CHECK (VALUE IN ('waiting', 'ready', 'finished'));
CREATE DOMAIN execution.limit_of_calls AS integer CHECK (VALUE > 0);
ALTER TABLE execution.lanes
    DROP CONSTRAINT lanes_check,
    DROP CONSTRAINT lanes_state_check,
    DROP CONSTRAINT lanes_endpoint_limit_check,
    ALTER COLUMN state TYPE execution.lane_state,
    ALTER COLUMN endpoint_limit TYPE execution.limit_of_calls;

CREATE DOMAIN execution.place AS integer CHECK (VALUE >= 0);
CREATE DOMAIN execution.entry_kind AS text CHECK (VALUE IN ('call', 'search', 'tool', 'stop'));
CREATE DOMAIN execution.dollars AS numeric CHECK (VALUE >= 0);
ALTER TABLE execution.journal
    DROP CONSTRAINT journal_step_check,
    DROP CONSTRAINT journal_index_check,
    DROP CONSTRAINT journal_kind_check,
    DROP CONSTRAINT journal_reserved_check,
    DROP CONSTRAINT journal_cost_check,
    ALTER COLUMN step TYPE execution.place,
    ALTER COLUMN index TYPE execution.place,
    ALTER COLUMN kind TYPE execution.entry_kind,
    ALTER COLUMN reserved TYPE execution.dollars,
    ALTER COLUMN cost TYPE execution.dollars;
