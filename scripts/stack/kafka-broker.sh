#!/bin/sh
# Runs one Kafka broker: kafka-broker.sh JARS PROPERTIES [ARGUMENT OF FORMAT...]
# Its storage is formatted at the first start only. exec makes the broker itself the process that is watched and killed.
set -eu
jars=$1
properties=$2
shift 2
data=$(sed -n 's/^log\.dirs=//p' "$properties")
logging=$(cd "$(dirname "$0")/../setup/kafka" && pwd)/log4j2.properties
# For a small machine: one thread collects garbage, and code is compiled quickly rather than well.
flags="-Xms64m -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
if [ ! -e "$data/meta.properties" ]; then
  # shellcheck disable=SC2086 # several flags
  java $flags "-Dlog4j2.configurationFile=$logging" -cp "$jars/*" kafka.tools.StorageTool \
    format --ignore-formatted --cluster-id c29tYS1kZXZlbG9wbWVudA --config "$properties" "$@"
fi
# shellcheck disable=SC2086 # several flags
exec java $flags "-Dlog4j2.configurationFile=$logging" -cp "$jars/*" kafka.Kafka "$properties"
