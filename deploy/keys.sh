#!/bin/sh
# Makes the keys and certificates of a hub and of its nodes, and lets the nodes in. Called again, it keeps what is there.
# Each secret half lies in the folder of whom it belongs to (mode 0600), and goes nowhere else.
set -eu

: "${HUB_HOSTS:?names of the hub's servers, for their certificate}"
: "${HUB_URL:?how nodes reach them}"
: "${NODES:?names of the nodes}"
umask 077

hosts=
for host in $HUB_HOSTS; do hosts="$hosts --host $host"; done
# shellcheck disable=SC2086 # several words on purpose
skerry hub init --data /hub $hosts

if [ ! -e /hub/skerry.toml ]; then
  prefix=$(python -c 'import json; print("_INBOX_" + json.load(open("/hub/security/roll.json"))["owner"])')
  cat >/hub/skerry.toml <<END
[nats]
url = "$HUB_URL"
replicas = 3
nkey = "security/key.nk"
tls_ca = "security/ca.pem"
inbox_prefix = "$prefix"
END
fi

for node in $NODES; do
  key=$(skerry node init --data "/$node" --node "$node" --json | python -c 'import json, sys; print(json.load(sys.stdin)["key"])')
  skerry hub enrol "$node" --data /hub --key "$key" --out "/$node/enrolment.json"
  if [ ! -e "/$node/skerry.toml" ]; then
    cp /etc/skerry/edge.toml "/$node/skerry.toml"
    skerry node join "/$node/enrolment.json" --data "/$node" --config "/$node/skerry.toml"
  fi
done

# The servers get what is theirs, and not the hub's own key.
for file in accounts.conf server.pem server-key.pem; do cp "/hub/security/$file" "/nats/$file"; done
