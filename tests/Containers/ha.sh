# Sourced by run.sh: the facts about compose.ha.yaml. Clients place orders throughout; none may be lost.

on_database() { # SERVER DATABASE STATEMENT
  compose exec -T "$1" gosu postgres psql -qtAX -d "$2" -c "$3"
}
two_standbys_are_synchronous() {
  [ "$(on_database db1 postgres "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum' AND state = 'streaming'")" = 2 ]
}
queues_are_quorum() {
  compose exec -T mq1 rabbitmqctl -q list_queues name type members >"$work/answer" || return 1
  cat "$work/answer"
  ! grep -q classic "$work/answer" && [ "$(grep -c 'quorum.*mq1.*mq2.*mq3\|quorum.*mq.*mq.*mq' "$work/answer")" -ge 5 ]
}
two_instances() {
  local service
  for service in saga-coordinator order-service customer-service stock-service; do
    [ "$(compose ps -q "$service" | wc -l)" = 2 ] || return 1
  done
}
# Places orders until the file disappears; notes each order that was acknowledged, and the time of its acknowledgement.
buyer() { # NUMBER
  local number=0
  while [ -e "$work/buying" ]; do
    number=$((number + 1))
    until curl -s -m 20 -f "${caller[@]}" -H "Idempotency-Key: buyer-$1-$number" http://127.0.0.1:$((port + 1))/api/v1/orders \
        -d '{"customerId":"ada","currency":"GBP","lines":[{"sku":"MUG-01","quantity":1}]}' -o "$work/buyer-$1"; do
      [ -e "$work/buying" ] || return 0
      sleep 0.2
    done
    printf '%s %s\n' "$(date +%s%3N)" "$(sed -E 's/^\{"id":"([^"]+)".*/\1/' "$work/buyer-$1")" >>"$work/orders-$1"
  done
}
# Longest time without an acknowledgement after a moment, in milliseconds.
gap_after() { # MILLISECONDS
  sort -n "$work"/orders-* | awk -v since="$1" '$1 >= since - 1000 { if (last && $1 - last > gap) gap = $1 - last; last = $1 } END { print gap + 0 }'
}
all_orders_exist() { # SERVER
  sort -u <(awk '{ print $2 }' "$work"/orders-*) >"$work/acknowledged"
  sort -u <(on_database "$1" orderwright_order 'SELECT id FROM orders') >"$work/stored"
  echo "$(wc -l <"$work/acknowledged") acknowledged"
  [ -s "$work/acknowledged" ] && [ -z "$(comm -23 "$work/acknowledged" "$work/stored")" ]
}
rejoined() { [ "$(on_database db1 postgres 'SELECT pg_is_in_recovery()')" = t ]; }
promoted() { # SERVER
  compose exec -T "$1" promote
}
promoted_best() { promoted db2 || promoted db3; }
primary() {
  local server
  for server in db1 db2 db3; do
    if [ "$(on_database "$server" postgres 'SELECT pg_is_in_recovery()' 2>/dev/null)" = f ]; then echo "$server" && return; fi
  done
  return 1
}

test_ha() {
  use compose.ha.yaml ha
  compose down -v >/dev/null 2>&1 || true
  build_images
  compose up -d --no-build --wait --wait-timeout 600 >"$work/up.log" 2>&1 ||
    { tail -n 30 "$work/up.log" >&2; compose logs --tail 20 >&2; fail "The replicated stack did not become healthy."; }
  took "docker compose -f compose.ha.yaml up --wait"
  check "all services are ready behind the gateway" all_ready 30
  first_key
  check "two instances of each service run" two_instances
  check "two standbys replicate synchronously" eventually 30 two_standbys_are_synchronous
  check "every queue is a quorum queue with three members" eventually 60 queues_are_quorum
  check "a shop opens" shop
  check "an order is paid and confirmed" place first

  rm -f "$work"/orders-* "$work"/buyer-*
  touch "$work/buying"
  local buyers=() number at
  for number in 1 2 3 4; do buyer $number & buyers+=($!); done
  sleep 5
  at=$(date +%s%3N)
  docker kill "$project-mq1-1" >/dev/null
  sleep 15
  check "orders go on within 10 s of the death of a broker node ($(gap_after "$at") ms)" test "$(gap_after "$at")" -lt 10000
  docker start "$project-mq1-1" >/dev/null

  at=$(date +%s%3N)
  docker kill "$project-order-service-1" "$project-saga-coordinator-2" "$project-customer-service-1" "$project-stock-service-2" >/dev/null
  sleep 10
  check "orders go on within 5 s of the death of an instance of each service ($(gap_after "$at") ms)" \
    test "$(gap_after "$at")" -lt 5000
  docker start "$project-order-service-1" "$project-saga-coordinator-2" "$project-customer-service-1" "$project-stock-service-2" >/dev/null

  # The dead primary restarts by itself, unless the operator stops it.
  docker update --restart=no "$project-db1-1" >/dev/null
  docker kill "$project-db1-1" >/dev/null
  at=$(date +%s%3N)
  check "a standby is promoted" promoted_best
  sleep 20
  check "orders go on within 15 s of the loss of the primary, promotion included ($(gap_after "$at") ms)" \
    test "$(gap_after "$at")" -lt 15000
  rm "$work/buying"
  wait "${buyers[@]}" || true
  local now
  now=$(primary)
  check "every acknowledged order exists on the promoted server" all_orders_exist "$now"
  docker start "$project-db1-1" >/dev/null
  check "the former primary comes back as a standby" eventually 60 rejoined
  check "verify finds nothing" verified "$now"
  took "failovers"
}
