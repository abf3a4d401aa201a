# Sourced by run.sh: the facts about compose.yaml.

services=(saga-coordinator order-service customer-service stock-service)

# The container's process, seen from outside: the image has no shell to look from within.
confined() {
  local id process
  id=$(compose ps -q order-service)
  process=$(docker inspect -f '{{.State.Pid}}' "$id")
  [ "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.Memory}}' "$id")" = "true 536870912" ] || return 1
  if [ -r "/proc/$process/status" ]; then
    grep -Eq '^Uid:\s+1654\s' "/proc/$process/status" && grep -Eq '^CapEff:\s0+$' "/proc/$process/status" &&
      grep -Eq '^NoNewPrivs:\s1' "/proc/$process/status"
  fi
}
has_no_shell() { ! docker run --rm --entrypoint /bin/sh orderwright/order-service -c true; }
is_small() { # MEGABYTES
  local service size total=0
  for service in "${services[@]}" tool; do
    size=$(docker image inspect -f '{{.Size}}' "orderwright/$service")
    echo "$service $((size / 1000000)) MB"
    [ "$size" -lt $(($1 * 1000000)) ] || return 1
  done
}
as_customer() { # DATABASE STATEMENT
  compose exec -T postgres sh -c \
    "PGPASSWORD=\$(cat /run/orderwright/customer) psql -v ON_ERROR_STOP=1 -h 127.0.0.1 -U orderwright_customer -d $1 -c '$2'"
}
users_of_broker() {
  compose exec -T rabbitmq rabbitmqctl -q list_users >"$work/answer" || return 1
  cat "$work/answer"
  ! grep -q guest "$work/answer" && [ "$(grep -cE '^(saga-coordinator|(order|customer|stock)-service)\b' "$work/answer")" = 4 ]
}
may_not_bind_others() {
  compose exec -T rabbitmq rabbitmqctl -q list_user_permissions order-service >"$work/answer" &&
    cat "$work/answer" && ! grep -q stock-service "$work/answer"
}
stops_by_itself() {
  compose stop -t 60
  ! docker ps -a --filter "label=com.docker.compose.project=$project" --format '{{.Names}} {{.Status}}' | grep -v 'Exited (0)'
}
down_and_up() { compose down && compose up -d --no-build --wait --wait-timeout 300; }
has_own_name() {
  [ "$(docker compose -f "$home/compose.yaml" config --format json | sed -nE 's/^  "name": "(.*)",$/\1/p')" = orderwright ]
}
probe() { # VERB
  docker exec "$(compose ps -q order-service)" dotnet Orderwright.OrderService.dll "$1"
}
probe_fails_without_database() {
  compose stop postgres
  eventually 30 refused probe health || return 1
  compose start postgres && all_ready
}
doctor_is_content() {
  compose run --rm --no-deps -T -e "ORDERWRIGHT_KEY=$key" tool doctor --data /tmp >"$work/answer" 2>&1 || true
  cat "$work/answer"
  grep -q 'in a container' "$work/answer" && ! grep -q 'SDK' "$work/answer"
}
readme_order() {
  # The container lines of the README, as they are printed there.
  local lines
  lines=$(sed -n '/^docker compose up --build --wait/,/^```/p' "$home/README.md" | sed '/^```/d; /^docker compose up/d')
  # On the ports of this test.
  lines=$(sed -E "s/localhost:400([0-9])/localhost:$((port / 10))\1/g" <<<"$lines")
  [ -n "$lines" ] || { echo "The README has no lines after docker compose up."; return 1; }
  (cd "$home" && export COMPOSE_PROJECT_NAME=$project && bash -euc "$lines") >"$work/answer" 2>&1
  tail -n 5 "$work/answer"
  settled
}
scaled() {
  ORDERWRIGHT_ORDER_PORTS=$((port + 11))-$((port + 14)) compose up -d --no-build --no-deps --scale order-service=2 --wait order-service &&
    [ "$(compose ps -q order-service | wc -l)" = 2 ]
}

test_compose() {
  use compose.yaml plain
  compose down -v >/dev/null 2>&1 || true
  build_images
  local image
  for image in "${services[@]}" tool; do
    docker image inspect -f "          {{.Size}} bytes: $image" "orderwright/$image"
  done
  check "no image is larger than 200 MB" is_small 200
  check "the project is named orderwright wherever its folder lies" has_own_name
  compose up -d --no-build --wait --wait-timeout 300 >"$work/up.log" 2>&1 ||
    { tail -n 30 "$work/up.log" >&2; compose logs --tail 30 >&2; fail "The stack did not become healthy."; }
  took "docker compose up --wait"
  check "up --wait returns when all services are ready" all_ready 1
  first_key
  check "setup prints a key" test -n "$key"
  check "without a key every request is refused" answers 401 http://127.0.0.1:$((port + 1))/api/v1/orders
  check "the README's lines place an order that is paid and confirmed" readme_order
  check "an order is paid and confirmed" place first
  check "a service is not root, has no capabilities, a read-only root and a memory limit" confined
  check "the image has no shell" has_no_shell
  check "customer-service reads the journal" as_customer orderwright_customer "SELECT count(*) FROM journal"
  check "customer-service cannot delete from the journal" refused as_customer orderwright_customer "DELETE FROM journal"
  check "no service enters the database of another" refused as_customer orderwright_order "SELECT 1"
  check "the broker has a user per service and no guest" users_of_broker
  check "a service's user has no rights on the queue of another" may_not_bind_others
  check "verify finds nothing" verified postgres
  check "doctor has no complaint about the image" doctor_is_content
  check "the ready line names the address that is listened on" grep -q 'is ready: http://0.0.0.0:4001' <(compose logs order-service)
  check "health succeeds while the service is ready" probe health
  check "health fails without a database" probe_fails_without_database
  took "orders"

  check "down, and up again" down_and_up
  check "the key of the first start still places orders" place second
  check "everything stops by itself, with exit code 0" stops_by_itself
  # After a power cut an engine starts containers in any order, whatever depends_on says.
  local service
  for service in "${services[@]}"; do docker start "$project-$service-1" >/dev/null; done
  sleep 5
  docker start "$project-postgres-1" "$project-rabbitmq-1" >/dev/null
  check "services that start before their database wait for it" all_ready
  check "no container was restarted" none_restarted
  check "an order is placed afterwards" place third
  took "restarts"

  local second
  second=$(keys add --name second --scopes orders 2>/dev/null | grep -ao 'ow_[A-Za-z0-9_-]*' | head -n 1 || true)
  check "an added key is accepted while everything runs" \
    eventually 5 answers 200 -H "Authorization: Bearer $second" http://127.0.0.1:$((port + 1))/api/v1/orders
  check "keys revoke succeeds" keys revoke "$(sed -E 's/^ow_([0-9a-f]{8}).*/\1/' <<<"$second")"
  check "a revoked key is refused while everything runs" \
    eventually 5 answers 401 -H "Authorization: Bearer $second" http://127.0.0.1:$((port + 1))/api/v1/orders
  compose restart "${services[@]}" >/dev/null 2>&1
  check "services start again after changes of keys" all_ready
  check "two instances of a service run on a range of ports" scaled
  took "keys"
}
