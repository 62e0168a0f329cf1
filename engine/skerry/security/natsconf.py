"""The configuration of a NATS server, made of its roll: accounts and users with their permissions, and what listens.

`accounts` is a file without secrets that any nats-server can `include`: the one that Skerry starts does, and so may the
servers of a cluster. Tenants are accounts: nothing crosses from one to the other, neither messages nor streams.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from skerry.bus.serverconfig import Key
from skerry.core.ids import check_token
from skerry.security.members import OWN_TENANT, Member, Roll
from skerry.security.permissions import Rights, inbox, rights

DOMAIN = "hub"
"""The JetStream domain of a hub's server, for nodes that reach it through a leaf."""
_ANSWER_WITHIN = "2m"
"""An engine that is asked for news answers within 20 seconds; one that is busy, later."""


def accounts(roll: Roll, own: Key) -> str:
    """The accounts: one for each tenant, with its members; that of the server's owner has the owner's key, too.

    A hub's own key has a hub's rights; a node's own may do everything in its account, for it is used by whoever may
    read the node's folder: engine, workers and commands of one user of one machine.
    """
    tenants = [OWN_TENANT, *sorted({each.tenant for each in roll.members} - {OWN_TENANT})]
    lines = ["# Made of the roll by Skerry: `skerry hub enrol` and `revoke` write it anew. It holds no secret.", ""]
    lines.append("accounts {")
    for tenant in tenants:
        lines.append(f"  {check_token('the tenant', tenant)}: {{ jetstream: enabled, users: [")
        if tenant == OWN_TENANT:
            lines += _user(own.public, rights("hub", roll.owner) if roll.kind == "hub" else None)
        for member in roll.members:
            if member.tenant == tenant:
                lines += _user(member.key, of(member))
        lines.append("  ] }")
    lines += ["  SYS: { users: [] }", "}", "system_account: SYS", ""]
    return "\n".join(lines)


def of(member: Member) -> Rights:
    """What a member may do."""
    return rights(member.kind, member.name, size=member.size, nodes=member.nodes, domain=DOMAIN)


def leaf(member: str, url: str, seed: str, authority: Path | None) -> str:
    """What a node's own nats-server includes to be a leaf of the hub's. It holds the seed: for a file of mode 0600.

    Its uplink says `inbox_prefix` and the `domain` "hub" in its `[hub]`, and connects to that server.
    """
    tls = f"tls {{ ca_file: {_quoted(authority)} }}" if authority is not None else "tls {}"
    return f"""\
# Include it into the configuration of the nats-server of {member}. Keep it to yourself: it has the key in it.
leafnodes {{
  reconnect: "1s"
  remotes: [ {{
    url: "{url}"
    nkey: "{seed}"
    account: {OWN_TENANT}
    ignore_discovered_servers: true
    first_info_timeout: "10s"
    {tls}
  }} ]
}}
"""


def _user(key: str, allowed: Rights | None) -> Iterator[str]:
    if allowed is None:
        yield f"    {{ nkey: {key} }}"
        return
    yield f"    {{ nkey: {key}, permissions: {{"
    yield f"      publish: {{ allow: {json.dumps(allowed.publish)} }}"
    yield f"      subscribe: {{ allow: {json.dumps(allowed.subscribe)} }}"
    if allowed.answers:
        yield f'      allow_responses: {{ max: 1, expires: "{_ANSWER_WITHIN}" }}'
    yield "    } }"


def _quoted(path: Path) -> str:
    return json.dumps(str(path))


__all__ = ["DOMAIN", "accounts", "inbox", "leaf", "of"]
