-- The environment variables that hold keys of endpoints, as the executor that started last has them: whether each is set,
-- never its value. Without a row, no executor has told yet.
CREATE TABLE execution.key_variables (
    variable text PRIMARY KEY,
    is_set boolean NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON execution.key_variables TO modelday_executor;
GRANT SELECT ON execution.key_variables TO modelday_trigger;
