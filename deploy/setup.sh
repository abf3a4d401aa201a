#!/bin/sh
# The one-shot set-up of compose.yaml: makes every password once, hands each service its own, and makes the first
# API key. A second run changes nothing. SECRETS and TOOL are set only to try it outside a container.
set -eu
secrets=${SECRETS:-/secrets}
tool=${TOOL:-/app/Orderwright.Cli.dll}
[ -f "$secrets/keys/keys.json" ] && { echo "The passwords and keys of an earlier start are kept."; exit 0; }

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Readable inside the volume; only the containers that mount a volume see it.
umask 022

random >"$secrets/postgres/superuser"
users= permissions=
for pair in saga-coordinator:coordinator order-service:order customer-service:customer stock-service:stock; do
  service=${pair%%:*} short=${pair##*:}
  database_password=$(random) broker_password=$(random)
  printf %s "$database_password" >"$secrets/postgres/$short"
  printf %s "postgres://orderwright_$short:$database_password@postgres:5432/orderwright_$short" >"$secrets/$service/database"
  printf %s "amqp://$service:$broker_password@rabbitmq:5672/" >"$secrets/$service/transport"
  users="$users${users:+,}{\"name\":\"$service\",\"password\":\"$broker_password\",\"tags\":[]}"
  # Whoever sends makes sure that the queue is there; only its owner may read it.
  permissions="$permissions${permissions:+,}{\"user\":\"$service\",\"vhost\":\"/\",\"configure\":\"^(orderwright|orderwright[.]dead|[a-z]+-service|saga-coordinator)\$\",\"write\":\"^(orderwright|orderwright[.]dead|[a-z]+-service|saga-coordinator)\$\",\"read\":\"^(orderwright|orderwright[.]dead|$service)\$\"}"
done
printf '{"vhosts":[{"name":"/"}],"users":[%s],"permissions":[%s]}\n' "$users" "$permissions" >"$secrets/rabbitmq/definitions.json"

echo "An API key with every right, shown this once:"
dotnet "$tool" keys add --file "$secrets/keys/keys.json" --name admin \
  --scopes orders,orders:price,stock,payments,operator
chmod 0644 "$secrets/keys/keys.json"
