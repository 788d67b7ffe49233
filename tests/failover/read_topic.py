"""Reads a whole topic with a client of another make: `read_topic.py BROKERS TOPIC`, one JSON line for each message."""

import json
import sys

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

SILENCE_SECONDS = 10.0


def main(brokers: str, topic: str) -> int:
    """Print every message that stands in the topic now; return the exit status."""
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": "failover", "enable.auto.commit": False, "isolation.level": "read_committed"}
    )
    partitions = sorted(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
    ends = {
        number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)[1] for number in partitions
    }
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    left = {number for number, end in ends.items() if end > 0}
    while left:
        message = consumer.poll(SILENCE_SECONDS)
        if message is None:
            sys.stderr.write(f"no message for {SILENCE_SECONDS} s, and partitions {sorted(left)} are not at their end\n")
            return 1
        if message.error():
            sys.stderr.write(f"{message.error()}\n")
            return 1
        line = {
            "partition": message.partition(),
            "offset": message.offset(),
            "key": message.key().decode(),
            "value": message.value().decode(),
        }
        sys.stdout.write(json.dumps(line) + "\n")
        if message.offset() + 1 >= ends[message.partition()]:
            left.discard(message.partition())
    consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
