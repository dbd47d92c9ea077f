-- Conversations of recorded models, as another project wrote them down: why an agent ordered what is only run again here.
CREATE TABLE execution.recorded_conversations (
    experiment text NOT NULL,
    model text NOT NULL,
    trial integer NOT NULL CHECK (trial >= 0),
    trading_date date NOT NULL,
    -- As the turns of `transcripts.body`.
    turns jsonb NOT NULL,
    sent_by text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (experiment, model, trial, trading_date)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON execution.recorded_conversations TO modelday_executor;
