"""The command line. `main` is the console script `skerry`; each command is a file in `commands`, imported when used."""

from __future__ import annotations

from skerry.cli.group import Entry, Skerry

__all__ = ["COMMANDS", "main", "skerry"]

_WORK, _RUN, _LOOK, _DECIDE, _KEEP = "Try it", "Run it", "Look", "Decide and steer", "Keep in order"
_LET_IN = "Let machines and people in"

COMMANDS: dict[str, Entry] = {
    "demo": Entry(_WORK, "Let all three workflows work on bundled examples, and show what became of each."),
    "up": Entry(_RUN, "Run everything on this machine: engine, bus and workers."),
    "engine": Entry(_RUN, "Run the engine (and its bus) without workers."),
    "worker": Entry(_RUN, "Run one worker process."),
    "watch": Entry(_RUN, "Watch folders and mailboxes for an engine that runs elsewhere."),
    "uplink": Entry(_RUN, "Hand over the journal to a hub; engine and up start it by themselves."),
    "hub": Entry(_RUN, "Take in the journals of many nodes, and look at them."),
    "publish": Entry(_RUN, "Publish an event, which starts the workflows it triggers."),
    "runs": Entry(_LOOK, "List runs, newest first."),
    "show": Entry(_LOOK, "Show what happened to a run, and why."),
    "status": Entry(_LOOK, "Show what the engine is doing."),
    "workers": Entry(_LOOK, "List the workers that are there."),
    "models": Entry(_LOOK, "Show the models: which would be asked here, and why."),
    "ledger": Entry(_LOOK, "List what the invoice workflow has posted; write it as CSV."),
    "sync": Entry(_LOOK, "Show what is at the hub, how far behind it is, and why."),
    "graph": Entry(_LOOK, "Draw a workflow, as Mermaid or SVG."),
    "approve": Entry(_DECIDE, "Say yes to what a run asks."),
    "reject": Entry(_DECIDE, "Say no to what a run asks."),
    "signal": Entry(_DECIDE, "Send a run a signal."),
    "retry": Entry(_DECIDE, "Drive a failed or parked run again."),
    "cancel": Entry(_DECIDE, "End a run."),
    "doctor": Entry(_KEEP, "Check this installation, and say how to mend it."),
    "audit": Entry(_KEEP, "Look again at a sample of the answers that were accepted without a person."),
    "calibrate": Entry(_KEEP, "Find from which confidence on a model's fields are taken."),
    "verify": Entry(_KEEP, "Check the journal: nothing edited, nothing lost."),
    "replay": Entry(_KEEP, "Drive runs again from the journal alone, and compare."),
    "export": Entry(_KEEP, "Write finished runs to a file."),
    "rotate-key": Entry(_KEEP, "Seal the journal at rest with a new key; the first time, begin to."),
    "prune": Entry(_KEEP, "Remove the bodies of runs that ended long ago."),
    "hub adopt": Entry(_KEEP, "Let another node go on with the runs of one that is lost."),
    "hub apart": Entry(_KEEP, "List what fenced nodes have done, which belongs to no chain."),
    "eval": Entry(_KEEP, "Run a workflow's extraction over a folder of known cases."),
    "hub init": Entry(_LET_IN, "Open a hub's server to other machines: keys, certificates, permissions."),
    "hub enrol": Entry(_LET_IN, "Let a node, a worker, a person or a tenant's hub in."),
    "hub revoke": Entry(_LET_IN, "Shut a member out."),
    "hub members": Entry(_LET_IN, "List who is let in, and what they may do."),
    "node init": Entry(_LET_IN, "Make this machine's key, and say its public half."),
    "node join": Entry(_LET_IN, "Take what a server has told: where it is, and whom to trust."),
    "node open": Entry(_LET_IN, "Open a node's server to workers and people on other machines."),
    "node enrol": Entry(_LET_IN, "Let a worker or a person in."),
    "node revoke": Entry(_LET_IN, "Shut a member out."),
    "node members": Entry(_LET_IN, "List who is let in, and what they may do."),
}
"""Every command, in the order in which `skerry --help` lists them. Its help is here, so that listing imports none."""

skerry = Skerry("skerry", COMMANDS)


def main() -> None:
    """Runs the command that the process's arguments name, and exits with its code."""
    skerry.main(prog_name="skerry")
