"""Prints every completed model-day once. Needs pika (Debian and Ubuntu: python3-pika) and AMQP_URL."""

import json
import os
import sqlite3
from decimal import Decimal

import pika

QUEUE = "ext.example.results"

seen = sqlite3.connect("seen.db")
seen.execute("CREATE TABLE IF NOT EXISTS seen (source TEXT, id TEXT, PRIMARY KEY (source, id))")


def handle(channel, method, properties, body):
    headers = properties.headers
    key = (headers["cloudEvents_source"], headers["cloudEvents_id"])
    with seen:  # the effect and its key in one transaction
        new = seen.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", key).rowcount == 1
        if new:
            day = json.loads(body)
            print(
                day["key"]["trading_date"],
                day["key"]["model"],
                Decimal(day["value_at_close"]),
                len(day.get("trades", [])),
                "trades",
                flush=True,
            )
    channel.basic_ack(method.delivery_tag)


connection = pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"]))
channel = connection.channel()
channel.queue_declare(
    QUEUE,
    durable=True,
    arguments={
        "x-queue-type": "quorum",
        "x-max-length": 100_000,
        "x-message-ttl": 7 * 24 * 3600 * 1000,
        "x-overflow": "drop-head",
    },
)
channel.queue_bind(QUEUE, "modelday.events", "modelday.model_day.completed.v1")
channel.basic_qos(prefetch_count=50)
channel.basic_consume(QUEUE, handle)
channel.start_consuming()
