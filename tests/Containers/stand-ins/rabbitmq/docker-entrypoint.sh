#!/usr/bin/env bash
# The documented behaviour of the official image. As root: hand the data to the user rabbitmq, and continue as that user.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
  chown -R rabbitmq /var/lib/rabbitmq
  exec gosu rabbitmq "$0" "$@"
fi
exec "$@"
