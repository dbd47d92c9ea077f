"""Prints every event of every job once. Needs pika (Debian and Ubuntu: python3-pika) and AMQP_URL."""

import os

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.spec import Basic, BasicProperties

QUEUE = "ext.example.pika"
LIMITS = {
    "x-queue-type": "quorum",
    "x-max-length": 100_000,
    "x-message-ttl": 7 * 24 * 3600 * 1000,
    "x-overflow": "drop-head",
}

# For a program that must not miss or repeat an event when it starts again, consumer.py keeps this in a database.
seen: set[tuple[str, str]] = set()


def handle(channel: BlockingChannel, method: Basic.Deliver, properties: BasicProperties, body: bytes) -> None:
    headers = properties.headers
    key = (headers["cloudEvents_source"], headers["cloudEvents_id"])
    if key not in seen:
        seen.add(key)
        print(headers["cloudEvents_id"], headers["cloudEvents_type"], headers["cloudEvents_time"], flush=True)
    channel.basic_ack(method.delivery_tag)


connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.queue_declare(QUEUE, durable=True, arguments=LIMITS)
channel.queue_bind(QUEUE, "modelday.events", "modelday.#")
channel.basic_qos(prefetch_count=50)
channel.basic_consume(QUEUE, handle)
channel.start_consuming()
