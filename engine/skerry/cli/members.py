"""What `skerry hub ...` and `skerry node ...` share that let machines and people in."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from skerry.cli import words
from skerry.cli.app import App, node_command, who
from skerry.cli.exits import USAGE, Stop
from skerry.cli.group import Command
from skerry.cli.out import Cell, Column
from skerry.core.wire import SIZES

if TYPE_CHECKING:
    from skerry.security.members import Member
    from skerry.security.permissions import Kind

Whose: TypeAlias = Literal["hub", "node"]
OPTIONS = ("data", "node", "config_file", "json", "debug")
_FOLDERS = {"hub": Path("skerry-hub")}
_KINDS = {"hub": ("node", "person", "worker", "engine", "hub"), "node": ("worker", "person", "engine")}
_TENANT = click.option("--tenant", default="", metavar="NAME", help="Whose account; the server's own, unless given.")
_KEY = f"U{'A' * 55}"
_ENROLLING = {
    "hub": f"""
    skerry hub enrol edge1 --key {_KEY}
    skerry hub enrol ada --as person --key ada.key
    skerry hub enrol edge7 --key {_KEY} --tenant acme
    """,
    "node": f"""
    skerry node enrol gpu-box --as worker --size medium --key {_KEY}
    skerry node enrol ada --as person --key {_KEY}
    """,
}
_COLUMNS = (
    Column("MEMBER"),
    Column("AS"),
    Column("TENANT"),
    Column("FOR"),
    Column("SINCE"),
    Column("BY"),
    Column("KEY"),
)


def folder(app: App, whose: Whose) -> Path:
    """The data folder whose server is meant."""
    given: Path | None = app.given("data")
    return given or _FOLDERS.get(whose) or app.config.data


def open_command(whose: Whose) -> Command:
    """`hub init`, `node open`."""
    name = {"hub": "hub init", "node": "node open"}[whose]
    examples = f"""
    skerry {name} --host {whose}.example --host 10.0.0.5
    skerry {name} --host {whose}.example --certificate {whose}.pem --private-key {whose}-key.pem
    """

    @node_command(name, options=OPTIONS, examples=examples)
    @click.option("--host", "hosts", multiple=True, metavar="NAME", help="Under which others reach it; repeatable.")
    @click.option("--listen", default="0.0.0.0:4222", show_default=True, metavar="HOST:PORT", help="Where it listens.")
    @click.option("--leaf-port", default=0, type=click.IntRange(0, 65535), help="For leaf nodes; 0: none are let in.")
    @click.option("--certificate", type=_file(), help="Of another authority (PEM), with the chain.")
    @click.option("--private-key", type=_file(), help="Of that certificate (PEM).")
    @click.option("--authority", type=_file(), help="Who signed it (PEM), unless machines know that anyway.")
    def command(
        app: App,
        hosts: tuple[str, ...],
        listen: str,
        leaf_port: int,
        certificate: Path | None,
        private_key: Path | None,
        authority: Path | None,
    ) -> None:
        from skerry.security import enrolment
        from skerry.security.members import Roll

        data = folder(app, whose)
        host, _, port = listen.rpartition(":")
        if not port.isdigit():
            raise Stop(f"--listen {listen} is not understood", hint="write --listen 0.0.0.0:4222", code=USAGE)
        roll = enrolment.open_server(
            data,
            Roll(
                owner=_owner(app, whose, data),
                kind="hub" if whose == "hub" else "node",
                hosts=enrolment.host_names(hosts, socket.getfqdn()),
                host=host.strip("[]") or "0.0.0.0",
                port=int(port),
                leaf_port=leaf_port,
                certificate=_said(certificate),
                private_key=_said(private_key),
                authority=_said(authority),
            ),
        )
        app.out.record({"url": roll.url, "leaf_url": roll.leaf_url, "owner": roll.owner, "hosts": roll.hosts})
        app.out.line(Cell(f"the server of {roll.owner} will listen on {roll.host}:{roll.port}, with TLS", "green"))
        app.out.line(f"  others reach it at  {roll.url}")
        app.out.line(f"  let them in with    skerry {whose} enrol NAME --key KEY")
        app.out.note("a server that runs already has to be started again once, to listen there")

    command.help = {
        "hub": "Open a hub's server to other machines: make its key, its certificates and an empty list of members.",
        "node": "Open a node's server to workers and people on other machines, as `hub init` does a hub's.",
    }[whose] + (
        "\n\nFrom then on it speaks TLS only, and lets in who is enrolled, with no more rights than they need. The"
        " certificates are signed by an authority made for it, which members are told of, unless files are given."
        " Called again, it keeps keys and members, and renews the certificate."
    )
    return command


def enrol_command(whose: Whose) -> Command:
    """`hub enrol`, `node enrol`."""
    name, kinds = f"{whose} enrol", _KINDS[whose]

    @node_command(name, options=OPTIONS, examples=_ENROLLING[whose])
    @click.argument("member")
    @click.option("--key", required=True, metavar="KEY", help="The public half, as `node init` says it, or its file.")
    @click.option("--as", "kind", default=kinds[0], show_default=True, type=click.Choice(kinds), help="What they are.")
    @click.option(
        "--size", type=click.Choice(SIZES), help="Of a worker; cloud: a node's tasks of that size go to the hub."
    )
    @click.option(
        "--for",
        "nodes",
        multiple=True,
        metavar="NODE",
        help="Of a worker: whom it serves; of a node: whom it adopted.",
    )
    @_TENANT
    @click.option("--out", type=click.Path(path_type=Path), help="The file to write (./MEMBER.enrolment.json).")
    def command(
        app: App,
        member: str,
        key: str,
        kind: Kind,
        size: str | None,
        nodes: tuple[str, ...],
        tenant: str,
        out: Path | None,
    ) -> None:
        import msgspec

        from skerry.bus.serverconfig import write_private
        from skerry.security import enrolment
        from skerry.security.members import OWN_TENANT, Member

        if (kind == "worker") != (size is not None) and (kind, size) != ("node", "cloud"):
            wrong = "a worker has a --size, a node the size cloud at most, and nobody else has one"
            raise Stop(wrong, hint=f"one of {', '.join(SIZES)}", code=USAGE)
        asked = Member(
            name=member,
            kind=kind,
            key=enrolment.key_of(key),
            tenant=tenant or OWN_TENANT,
            size=size or "",
            nodes=nodes,
            by=who(),
        )
        told = enrolment.enrol(folder(app, whose), asked)
        path = out or Path(f"{member}.enrolment.json")
        write_private(path, msgspec.json.format(msgspec.json.encode(told)).decode() + "\n")
        app.out.record({"member": member, "kind": kind, "tenant": asked.tenant, "file": str(path)})
        app.out.line(Cell(f"{member} is let in, as {kind}", "green"))
        app.out.line(f"  give them {path}, for: skerry node join {path.name}")

    command.help = (
        "Let MEMBER in with the public half of their key, and write what they are to be told. A server that runs takes"
        " it within a second. Enrolled again, a member has the new key only."
    )
    return command


def revoke_command(whose: Whose) -> Command:
    """`hub revoke`, `node revoke`."""
    name = f"{whose} revoke"

    @node_command(name, options=OPTIONS, examples=f"skerry {name} edge1")
    @click.argument("member")
    @_TENANT
    def command(app: App, member: str, tenant: str) -> None:
        from skerry.security import enrolment
        from skerry.security.members import OWN_TENANT

        enrolment.revoke(folder(app, whose), member, tenant or OWN_TENANT)
        app.out.record({"member": member, "revoked": True})
        app.out.line(Cell(f"{member} is shut out", "yellow"))

    command.help = "Shut MEMBER out: a server that runs ends their connections within a second."
    return command


def members_command(whose: Whose) -> Command:
    """`hub members`, `node members`."""
    name = f"{whose} members"

    @node_command(name, options=OPTIONS, examples=f"skerry {name}\nskerry {name} --rights edge1")
    @click.option("--rights", default="", metavar="MEMBER", help="Only this one, with every subject they may use.")
    def command(app: App, rights: str) -> None:
        from skerry.security import natsconf
        from skerry.security.enrolment import need_roll

        roll = need_roll(folder(app, whose))
        shown = [each for each in roll.members if rights in ("", each.name)]
        if rights:
            for each in shown:
                allowed = natsconf.of(each)
                app.out.record({**_fields(each), "publish": allowed.publish, "subscribe": allowed.subscribe})
                for verb, subjects in (("publish", allowed.publish), ("subscribe", allowed.subscribe)):
                    for subject in subjects:
                        app.out.line(f"{verb:<10} {subject}")
            return
        for each in shown:
            app.out.record(_fields(each))
        if shown:
            app.out.table(_COLUMNS, [_row(each) for each in shown])
        else:
            app.out.line(f"nobody is let in yet; skerry {whose} enrol NAME --key KEY")

    command.help = "List who is let in; with --rights, what one of them may publish and hear."
    return command


def _row(member: Member) -> list[str | Cell]:
    what = " ".join(filter(None, (member.kind, member.size)))
    since = words.moment(member.at_us) if member.at_us else ""
    return [member.name, what, member.tenant, ", ".join(member.nodes), since, member.by, f"{member.key[:8]}..."]


def _fields(member: Member) -> dict[str, object]:
    import msgspec

    return dict(msgspec.structs.asdict(member))


def _owner(app: App, whose: Whose, data: Path) -> str:
    """A name for the server's owner: the node's, or the host's."""
    from skerry.journal.sqlite import default_node_name

    return own_name(app, data) if whose == "node" else f"{default_node_name(socket.gethostname())}-hub"


def own_name(app: App, data: Path) -> str:
    """The name of the node in a data folder: as it is in the journal, as the settings say, or the host's."""
    from skerry.hub.source import Source
    from skerry.journal.reader import DATABASE
    from skerry.journal.sqlite import default_node_name

    if (data / DATABASE).exists():
        source = Source(data)
        source.close()
        return source.node
    return app.config.node or default_node_name(socket.gethostname())


def _file() -> click.Path:
    return click.Path(path_type=Path, dir_okay=False)


def _said(path: Path | None) -> str:
    return str(path.absolute()) if path is not None else ""
