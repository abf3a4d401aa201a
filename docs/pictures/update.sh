#!/usr/bin/env bash
# Takes the README's screenshots from the running product in a real browser.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
looks=$(mktemp -d)
trap 'rm -rf "$looks"' EXIT
dotnet build tests/Console.Tests -c Release -v quiet -nologo
ORDERWRIGHT_LOOKS=$looks dotnet tests/Console.Tests/bin/Release/net10.0/Orderwright.Console.Tests.dll \
  --no-progress --filter-class '*EmbeddedEveryPageTests'
mkdir -p docs/pictures
cp "$looks/top-light-.png" docs/pictures/overview.png
cp "$looks/top-dark-orders-INCIDENT.png" docs/pictures/incident.png
