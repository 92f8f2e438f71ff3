"""What changed outside: documents in the inbox, a new rule book, a source that fell silent. Each is told once."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Final

from prefect import flow, get_run_logger

from flows.clock import utc_now
from flows.desks import desk_of
from flows.events import INBOX_LANDED, SOURCE_SILENT, VERSIONS_CHANGED, absolute, tell
from flows.inbox import Inbox, look
from flows.parameters import WatchParameters, configured_sources
from flows.places import place_of
from flows.settings import Settings
from storage.store import Store
from tasks.edit import versions
from tasks.standing import silent_sources

TOLD_TOGETHER: Final = 200
"""Files that one event names: for each of them alone there would be a run, which costs seconds."""

# Notes in the ledger.
_INBOX: Final = "watch.inbox"
_VERSIONS: Final = "watch.versions"
_SILENT: Final = "watch.silent"


@flow(name="watch", flow_run_name="watch")
def watch(parameters: WatchParameters) -> None:
    """Look what changed since the last look, and tell it in events that other deployments are triggered by."""
    settings = parameters.settings()
    with place_of(settings).open() as store, store.files.try_lock("watch") as is_ours:
        if is_ours:
            look_at_inbox(store, settings)
            look_at_versions(store, settings)
            look_at_sources(store, settings)


def look_at_inbox(store: Store, settings: Settings) -> None:
    """Tell which documents have landed in the inbox and are complete."""
    inbox = Inbox(Path(settings.inbox))
    note = store.ledger.note(_INBOX)
    found = look(inbox, note, utc_now())
    for start in range(0, len(found.landed), TOLD_TOGETHER):
        paths = list(found.landed[start : start + TOLD_TOGETHER])
        tell(INBOX_LANDED, "inbox", inbox.folder.name, {"paths": paths, "folder": str(inbox.folder.absolute())})
    if found.landed:
        get_run_logger().info("%d files have landed in %s.", len(found.landed), inbox.folder)
    store.ledger.put_note(_INBOX, found.note)


def look_at_versions(store: Store, settings: Settings) -> None:
    """Tell that rows made until now are stale, where the rule book, the taxonomy or the models have changed.

    The first look at a dataset that has rows tells it too: nobody knows what made them.
    """
    note, today = store.ledger.note(_VERSIONS), asdict(versions(desk_of(settings)))
    before = json.loads(note) if note else {}
    changed = sorted(name for name, version in today.items() if version != before.get(name))
    if changed and (before or any(store.files.list("articles"))):
        tell(VERSIONS_CHANGED, "versions", "versions", {"changed": changed, "root": absolute(settings.data)})
        get_run_logger().info("Rows made until now are stale: %s changed.", ", ".join(changed))
    store.ledger.put_note(_VERSIONS, json.dumps(today))


def look_at_sources(store: Store, settings: Settings) -> None:
    """Tell which sources have fallen silent. One that spoke since is told again when it falls silent again."""
    remote = [source for source in configured_sources(settings) if "://" in source.location]
    silences = silent_sources(store.ledger, remote)
    told = json.loads(store.ledger.note(_SILENT) or "{}")
    for silence in silences:
        if told.get(silence.source) != silence.since.isoformat():
            payload = {"source": silence.source, "since": silence.since.isoformat(), "text": str(silence)}
            tell(SOURCE_SILENT, f"source.{silence.source}", silence.source, payload)
            get_run_logger().warning("%s", silence)
    store.ledger.put_note(_SILENT, json.dumps({silence.source: silence.since.isoformat() for silence in silences}))
