#!/usr/bin/env bash
# What a pipeline does with the emulator: starts it, lets a tool work against it, asks what happened, and stops it.
# The tool here is curl, so that nothing else is needed; put an SDK's program or the operator in its place.
#
# usage: check.sh [AVNM_EMULATOR]      (default: avnm-emulator on the PATH)
set -euo pipefail
emulator=${1:-avnm-emulator}
work=$(mktemp -d)
"$emulator" --listen 127.0.0.1:0 --control 127.0.0.1:0 --ca-file "$work/ca.pem" --ready-file "$work/ready.json" \
  --ledger-file "$work/ledger.jsonl" --pairing-delay-ms 100-300 >"$work/out" 2>"$work/log" &
pid=$!
# Where the check fails, the log tells why: it has a line for each call.
trap 'code=$?; kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true
  [ "$code" = 0 ] || cat "$work/log" >&2; rm -rf "$work"; exit "$code"' EXIT

for _ in $(seq 100); do [ -s "$work/ready.json" ] && break; sleep 0.1; done
[ -s "$work/ready.json" ] || { echo "the emulator did not start:" >&2; exit 1; }
# Flat JSON in one line: sed is enough.
field() { sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'; }
arm=$(field arm <"$work/ready.json") control=$(field control <"$work/ready.json")

central=24680975-1234-abcd-56ef-121314ab5643 target=12345678-12a3-4abc-5cde-678909876543
manager=/subscriptions/13579864-1234-5678-abcd-0987654321ab/resourceGroups/myAVNMResourceGroup/providers/Microsoft.Network/networkManagers/myAVNM
scope=/subscriptions/87654321-abcd-1234-1def-0987654321ab
ours=$manager/scopeConnections/fromPipeline
theirs=$scope/providers/Microsoft.Network/networkManagerConnections/fromPipeline

token() { # TENANT
  curl -sS --fail --cacert "$work/ca.pem" "$arm/$1/oauth2/v2.0/token" -d grant_type=client_credentials \
    -d client_id=a0a0a0a0-1111-2222-3333-444444444444 -d client_secret=emulator-secret-central \
    -d scope=https://management.azure.com/.default | field access_token
}
call() { # TENANT METHOD ID [BODY]
  curl -sS --fail-with-body --cacert "$work/ca.pem" -X "$2" -H "authorization: Bearer $(token "$1")" \
    -H 'content-type: application/json' ${4:+-d "$4"} "$arm$3?api-version=2024-05-01"
}

# Azure has a bad moment: the first two looks at the connection are refused. A tool must live through that.
curl -sS --fail-with-body "$control/faults" -H 'content-type: application/json' -d '{
  "match": {"method": "GET", "pathContains": "/scopeConnections/", "times": 2},
  "action": {"status": 503, "code": "ServiceUnavailable", "message": "Not now."}}' >/dev/null

call "$central" PUT "$ours" '{"properties":{"tenantId":"'$target'","resourceId":"'$scope'"}}' >/dev/null
call "$target" PUT "$theirs" '{"properties":{"networkManagerId":"'$manager'"}}' >/dev/null
for _ in $(seq 50); do
  state=$(call "$central" GET "$ours" 2>/dev/null | field connectionState) || state=unknown
  [ "$state" = Connected ] && break
  sleep 0.1
done
echo "connection: $state"
[ "$state" = Connected ]

# What the tool really did: every call is a line of the ledger. A pipeline that expects no second write counts them.
count() { grep -c "$1" "$work/ledger.jsonl" || true; }
echo "writes: $(count '"method":"PUT"'), refused: $(count '"status":503')"
[ "$(count '"method":"PUT"')" = 2 ]
