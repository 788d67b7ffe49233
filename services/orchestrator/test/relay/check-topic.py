"""Reads the whole audit topic by librdkafka and checks it, with no code of the project: check-topic.py BROKER TEXT...

None of the texts may stand in any record. Prints one JSON object: how much there was, each event's id with the digest of
its bytes in the order of first occurrence, and all that does not hold.
"""

import hashlib
import json
import re
import sys
from collections import defaultdict

from confluent_kafka import Consumer, TopicPartition

topic = "agent.audit"
broker, *forbidden = sys.argv[1:]

consumer = Consumer({"bootstrap.servers": broker, "group.id": "checker", "enable.auto.commit": False})
known = consumer.list_topics(topic, timeout=20).topics[topic]
partitions = sorted(known.partitions)
ends = {number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=20)[1] for number in partitions}
consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
messages = []
left = {number for number, end in ends.items() if end > 0}
while left:
    message = consumer.poll(20)
    if message is None or message.error():
        sys.exit(f"the topic could not be read to its end: {message and message.error()}")
    messages.append(message)
    if message.offset() + 1 >= ends[message.partition()]:
        left.discard(message.partition())
consumer.close()

problems = []
bytes_of = {}
digests = {}
sessions = defaultdict(list)
places = defaultdict(set)
attributes = {"specversion": "1.0", "datacontenttype": "application/json"}

for message in messages:
    where = f"{message.partition()}:{message.offset()}"
    value = message.value()
    headers = dict(message.headers() or [])
    if headers.get("content-type") != b"application/cloudevents+json":
        problems.append(f"{where}: content-type is {headers.get('content-type')}")
    for text in forbidden:
        whole = value + (message.key() or b"") + b"".join(headers.values())
        if text.encode() in whole:
            problems.append(f"{where}: holds a text that must not be there")
    event = json.loads(value)
    for name, wanted in attributes.items():
        if event.get(name) != wanted:
            problems.append(f"{where}: {name} is {event.get(name)}")
    for name in ("id", "source", "type", "subject", "time"):
        if not isinstance(event.get(name), str) or event[name] == "":
            problems.append(f"{where}: {name} is missing")
    for name in event:
        # CloudEvents 1.0.2, naming conventions: lower-case letters and digits; data is JSON's own member.
        if not re.fullmatch("[a-z0-9]+", name) or len(name) > 20:
            problems.append(f"{where}: {name} is no attribute's name")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"]):
        problems.append(f"{where}: time is {event['time']}")
    if message.key() != event["subject"].encode():
        problems.append(f"{where}: the key is not the session's id")
    places[event["subject"]].add(message.partition())
    if bytes_of.setdefault(event["id"], value) != value:
        problems.append(f"{where}: other bytes under the id {event['id']}")
    if event["id"] not in digests:
        digests[event["id"]] = hashlib.sha256(value).hexdigest()
        sessions[event["subject"]].append((event, value))

for session, events in sessions.items():
    if len(places[session]) != 1:
        problems.append(f"{session}: in several partitions")
    previous = "sha256:" + "0" * 64
    for expected, (event, value) in enumerate(events, start=1):
        if event["sequence"] != expected:
            problems.append(f"{session}: {event['sequence']} where {expected} was due")
        if event["prevhash"] != previous:
            problems.append(f"{session}: the chain is broken at {expected}")
        member = f'"hash":"{event["hash"]}",'.encode()
        if value.count(member) != 1:
            problems.append(f"{session}: no canonical hash at {expected}")
        if event["hash"] != "sha256:" + hashlib.sha256(value.replace(member, b"")).hexdigest():
            problems.append(f"{session}: the hash is wrong at {expected}")
        previous = event["hash"]

print(
    json.dumps(
        {
            "records": len(messages),
            "partitions": len(partitions),
            "sessions": len(sessions),
            "digests": digests,
            "problems": problems[:20],
        }
    )
)
