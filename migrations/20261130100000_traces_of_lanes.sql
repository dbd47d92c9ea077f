-- A lane is a trace of its own, to which each of its turns belongs, whoever sends the turn's message.

ALTER TABLE execution.lanes ADD COLUMN traceparent text;
COMMENT ON COLUMN execution.lanes.traceparent IS 'W3C trace context of the span that the lane''s turns are children of';
