-- Commands are published to another exchange, on which the broker checks routing keys. Those that are waiting go there
-- too; nobody may publish to the former exchange any more.
UPDATE trigger.outbox SET exchange = 'modelday.commands.v2' WHERE sent_at IS NULL AND exchange = 'modelday.commands';
UPDATE market.outbox SET exchange = 'modelday.commands.v2' WHERE sent_at IS NULL AND exchange = 'modelday.commands';
UPDATE execution.outbox SET exchange = 'modelday.commands.v2' WHERE sent_at IS NULL AND exchange = 'modelday.commands';
UPDATE status.outbox SET exchange = 'modelday.commands.v2' WHERE sent_at IS NULL AND exchange = 'modelday.commands';
