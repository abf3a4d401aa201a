#!/usr/bin/env bash
# ./orderwright test Containers: builds the images, and runs compose.yaml and compose.ha.yaml on a Docker Engine.
#   tests/Containers/run.sh [compose] [ha] [suites]
# compose and ha are the default. suites runs the test suites that use servers against PostgreSQL 17 and RabbitMQ 4, inside a
# container. Takes ports 24000 to 24003, or others by ORDERWRIGHT_TEST_PORT. KEEP=1 leaves the last stack and the engine running,
# BUILT=1 takes the images of the last run.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(cd "$here/../.." && pwd)
work=${ORDERWRIGHT_CONTAINERS:-/var/tmp/orderwright-containers}
port=${ORDERWRIGHT_TEST_PORT:-24000}
export ORDERWRIGHT_COORDINATOR_PORTS=$port ORDERWRIGHT_ORDER_PORTS=$((port + 1)) ORDERWRIGHT_CUSTOMER_PORTS=$((port + 2))
export ORDERWRIGHT_STOCK_PORTS=$((port + 3))
passed=0 failed=0 since=$SECONDS step=$SECONDS engine= stack=

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
took() { printf '%4d s (%3d s)  %s\n' $((SECONDS - since)) $((SECONDS - step)) "$*"; step=$SECONDS; }
check() {
  local fact=$1
  shift
  if "$@" >"$work/check.log" 2>&1; then
    passed=$((passed + 1))
    echo "  passed  $fact"
  else
    failed=$((failed + 1))
    echo "  FAILED  $fact"
    tail -n 8 "$work/check.log" | cut -c1-300 | sed 's/^/            /'
  fi
}
refused() { ! "$@"; }

finish() {
  local code=$?
  if [ -n "${KEEP:-}" ]; then
    echo "Still running: DOCKER_HOST=$DOCKER_HOST, engine process ${engine:-not ours}."
    exit $code
  fi
  [ -z "$stack" ] || compose down -v --remove-orphans >/dev/null 2>&1 || true
  stop_engine
  exit $code
}

# shellcheck source=engine.sh
. "$here/engine.sh"

# The stack under test: its compose file, and a project name that no stack of the user has.
use() { stack=$1 project=orderwright-test-$2; }
compose() { docker compose --ansi never --project-directory "$home" -f "$home/$stack" -p "$project" "$@"; }

build_images() {
  [ -z "${BUILT:-}" ] || return 0
  compose --profile tools build >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; fail "The images were not built."; }
  took "docker compose build"
}

answers() { # STATUS CURL-ARGUMENT…
  local status
  status=$(curl -s -m 5 -o "$work/answer" -w '%{http_code}' "${@:2}") || true
  [ "$status" = "$1" ] || { echo "status $status"; cat "$work/answer"; return 1; }
}
all_ready() {
  local attempt offset count
  for attempt in $(seq "${1:-120}"); do
    count=0
    for offset in 0 1 2 3; do
      if answers 200 "http://127.0.0.1:$((port + offset))/health/ready" >/dev/null; then count=$((count + 1)); fi
    done
    [ $count -lt 4 ] || return 0
    sleep 1
  done
  compose ps -a
  compose logs --tail 3
  return 1
}
first_key() {
  key=$(compose logs --no-log-prefix setup 2>/dev/null | grep -ao 'ow_[A-Za-z0-9_-]*' | head -n 1)
  caller=(-H "Authorization: Bearer $key" -H 'Content-Type: application/json')
}
place() { # KEY
  curl -s -m 30 "${caller[@]}" -H "Idempotency-Key: $1" -H 'Prefer: wait=20' http://127.0.0.1:$((port + 1))/api/v1/orders \
    -d '{"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG-01","quantity":1}]}' >"$work/answer"
  cat "$work/answer"
  settled
}
# The order in the last answer is confirmed and paid, on a busy machine after the wait of its request.
settled() {
  local order
  order=$(sed -nE '$s/^\{"id":"([^"]+)".*/\1/p' "$work/answer")
  [ -n "$order" ] && eventually 60 confirmed "$order"
}
confirmed() { # ORDER
  answers 200 "${caller[@]}" "http://127.0.0.1:$((port + 1))/api/v1/orders/$1" &&
    grep -q '"status":"confirmed","paymentStatus":"paid"' "$work/answer"
}
eventually() { # SECONDS COMMAND…
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $until ] || return 1
    sleep 0.5
  done
}
shop() { # a product, its stock, a customer with credit
  answers 201 "${caller[@]}" -X PUT http://127.0.0.1:$((port + 3))/api/v1/products/MUG-01 \
    -d '{"name":"Mug","unitPrice":850,"currency":"GBP"}' &&
    answers 200 "${caller[@]}" -X PUT http://127.0.0.1:$((port + 3))/api/v1/stock/MUG-01 -d '{"onHand":100000}' &&
    answers 201 "${caller[@]}" -X PUT http://127.0.0.1:$((port + 2))/api/v1/customers/ada -d '{"name":"Ada"}' &&
    answers 201 "${caller[@]}" -H 'Idempotency-Key: credit' http://127.0.0.1:$((port + 2))/api/v1/customers/ada/credits \
      -d '{"currency":"GBP","amount":100000000}'
}
keys() { compose run --rm --no-deps -T keys "$@"; }
none_restarted() {
  ! docker ps -q --filter "label=com.docker.compose.project=$project" |
    xargs docker inspect -f '{{.Name}} {{.RestartCount}}' | grep -v ' 0$'
}
verified() { # DATABASE-CONTAINER
  docker run --rm --read-only --tmpfs /tmp --network "${project}_default" orderwright/tool \
    verify --settle 30 --postgres "postgres://postgres:$(compose exec -T "$1" cat /run/orderwright/superuser)@$1:5432"
}

. "$here/compose.sh"
. "$here/ha.sh"
. "$here/suites.sh"

[ $# -gt 0 ] || set -- compose ha
for part in "$@"; do
  case $part in compose | ha | suites) ;; *) fail "Unknown part \"$part\". Allowed: compose, ha, suites." ;; esac
done
mkdir -p "$work"
trap finish EXIT
start_engine
took "engine and base images"
for part in "$@"; do
  "test_$part"
  [ -z "$stack" ] || [ -n "${KEEP:-}" ] || compose down -v --remove-orphans >/dev/null 2>&1 || true
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
