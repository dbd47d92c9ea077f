-- A dead letter is settled once: sent again to the queue whose consumer gave it up, or let go.
ALTER TABLE status.dead_letters
    ADD COLUMN replayed_at timestamptz,
    ADD COLUMN discarded_at timestamptz,
    ADD CONSTRAINT dead_letters_settled_once CHECK (replayed_at IS NULL OR discarded_at IS NULL);

-- Replays leave through an outbox as the others are, and a message that was published before keeps its envelope.
CREATE TABLE status.outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    job_id uuid NOT NULL,
    traceparent text,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz
);
CREATE INDEX outbox_unsent ON status.outbox (id) WHERE sent_at IS NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON status.outbox TO modelday_status;

ALTER TABLE trigger.outbox ADD COLUMN original jsonb;
ALTER TABLE market.outbox ADD COLUMN original jsonb;
ALTER TABLE execution.outbox ADD COLUMN original jsonb;
ALTER TABLE status.outbox ADD COLUMN original jsonb;
