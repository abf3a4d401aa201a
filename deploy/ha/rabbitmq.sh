#!/usr/bin/env bash
# Entry point of a broker node of compose.ha.yaml: the nodes of a cluster share a secret, in a file that only they can read.
set -euo pipefail
install -o rabbitmq -g rabbitmq -m 400 /run/orderwright/cookie /var/lib/rabbitmq/.erlang.cookie
exec docker-entrypoint.sh rabbitmq-server
