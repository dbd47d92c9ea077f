"""Prints every event of every job once. Needs aio-pika, the SDK of CloudEvents (cloudevents) and AMQP_URL."""

import asyncio
import os

import aio_pika
from cloudevents.core.bindings.amqp import AMQPMessage, from_amqp
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

QUEUE = "ext.example.aio-pika"
LIMITS = {
    "x-queue-type": "quorum",
    "x-max-length": 100_000,
    "x-message-ttl": 7 * 24 * 3600 * 1000,
    "x-overflow": "drop-head",
}


async def main() -> None:
    # For a program that must not miss or repeat an event when it starts again, consumer.py keeps this in a database.
    seen: set[tuple[str, str]] = set()
    connection = await aio_pika.connect_robust(os.environ["AMQP_URL"])
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=50)
        queue = await channel.declare_queue(QUEUE, durable=True, arguments=LIMITS)
        await queue.bind("modelday.events", "modelday.#")
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process():
                    received = AMQPMessage({"content-type": message.content_type}, message.headers, message.body)
                    event = from_amqp(received, JSONFormat(), CloudEvent)
                    key = (event.get_source(), event.get_id())
                    if key not in seen:
                        seen.add(key)
                        print(event.get_id(), event.get_type(), event.get_time().isoformat(), flush=True)


asyncio.run(main())
