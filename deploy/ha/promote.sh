#!/usr/bin/env bash
# Makes this standby the primary, after the primary is gone for good or was stopped:
#   docker compose -f compose.ha.yaml exec db2 promote
# Refuses while another server accepts writes, or while the other standby has received more.
set -euo pipefail
peers=${PEERS:?"names of all servers, separated by commas"}
ask() { PGPASSWORD=$(cat /run/orderwright/replication) PGCONNECT_TIMEOUT=3 psql -qtAX -h "$1" -U replication -d postgres -c "$2" 2>/dev/null; }
received='SELECT pg_wal_lsn_diff(COALESCE(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), '"'0/0')"
mine=$(ask 127.0.0.1 "$received")
for peer in ${peers//,/ }; do
  [ "$peer" = "$(hostname)" ] && continue
  case $(ask "$peer" 'SELECT pg_is_in_recovery()') in
    f) echo "$peer accepts writes. Stop it first: docker compose -f compose.ha.yaml stop $peer" >&2; exit 1 ;;
    t)
      if [ "$(ask "$peer" "$received")" -gt "$mine" ]; then
        echo "$peer has received more than this server; promote $peer instead." >&2; exit 1
      fi ;;
  esac
done
gosu postgres psql -qtAX -c 'SELECT pg_promote(true, 60)' | grep -qx t && echo "$(hostname) accepts writes."
