// Prints every event of every job once. Needs amqplib, the SDK of CloudEvents (cloudevents) and AMQP_URL.

import { connect } from "amqplib";
import { CloudEvent } from "cloudevents";

const QUEUE = "ext.example.amqplib";
const PREFIX = "cloudEvents_";

function eventOf({ properties, content }) {
  const named = Object.entries(properties.headers).filter(([name]) => name.startsWith(PREFIX));
  const attributes = Object.fromEntries(named.map(([name, value]) => [name.slice(PREFIX.length), value]));
  return new CloudEvent({ ...attributes, datacontenttype: properties.contentType, data: JSON.parse(content) });
}

// For a program that must not miss or repeat an event when it starts again, consumer.py keeps this in a database.
const seen = new Set();

const connection = await connect(process.env.AMQP_URL);
const channel = await connection.createChannel();
await channel.prefetch(50);
await channel.assertQueue(QUEUE, {
  durable: true,
  arguments: { "x-queue-type": "quorum", "x-max-length": 100_000, "x-message-ttl": 7 * 24 * 3600 * 1000, "x-overflow": "drop-head" },
});
await channel.bindQueue(QUEUE, "modelday.events", "modelday.#");
await channel.consume(QUEUE, (message) => {
  const event = eventOf(message);
  const key = `${event.source} ${event.id}`;
  if (!seen.has(key)) {
    seen.add(key);
    console.log(event.id, event.type, event.time);
  }
  channel.ack(message);
});
