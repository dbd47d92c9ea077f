-- Kept model-days of another configuration are counted when the job ends, from the model-days themselves.
ALTER TABLE execution.jobs DROP COLUMN config_changed;
