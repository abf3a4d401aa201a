#!/bin/sh
# The one-shot setup service of compose.yaml: generates every password, hands each service its own, and creates the
# first API key. A second run changes nothing. SECRETS and TOOL are overridden only to test outside a container.
set -eu
secrets=${SECRETS:-/secrets}
tool=${TOOL:-/app/Orderwright.Cli.dll}
[ -f "$secrets/keys/keys.json" ] && { echo "Keeping the passwords and keys of an earlier start."; exit 0; }

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Readable inside the volume: only containers mounting the volume see the files.
umask 022

random >"$secrets/postgres/superuser"
for pair in saga-coordinator:coordinator order-service:order customer-service:customer stock-service:stock; do
  service=${pair%%:*} short=${pair##*:}
  database_password=$(random) broker_password=$(random)
  printf %s "$database_password" >"$secrets/postgres/$short"
  printf %s "postgres://orderwright_$short:$database_password@postgres:5432/orderwright_$short" >"$secrets/$service/database"
  printf %s "amqp://$service:$broker_password@rabbitmq:5672/" >"$secrets/$service/transport"
  printf '%s %s\n' "$service" "$broker_password"
done | dotnet "$tool" broker-rights >"$secrets/rabbitmq/definitions.json"

echo "An API key with all scopes, shown only once:"
dotnet "$tool" keys add --file "$secrets/keys/keys.json" --name admin \
  --scopes orders,orders:price,stock,payments,operator
chmod 0644 "$secrets/keys/keys.json"
