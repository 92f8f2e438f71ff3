"""Prefect's settings for a run without a server of its own; to be called before Prefect is imported."""

import os
from pathlib import Path

# What the embedded server is told unless the environment already says otherwise.
_QUIET = {
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    # Its start takes 5 to 20 s, and longer on a busy machine; the default limit of 20 s was exceeded.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # The console is copydesk's, which says what went wrong itself; the run's whole log is kept in Prefect.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_LEVEL": "INFO",
    "PREFECT_CLI_PROMPT": "false",
}
_CHOSEN_BY_USER = ("PREFECT_API_URL", "PREFECT_HOME", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH")


def uses_a_server() -> bool:
    """Whether `PREFECT_API_URL` names a server that is already there."""
    return bool(os.environ.get("PREFECT_API_URL"))


def prepare_prefect(data: Path) -> None:
    """Keep the embedded server's database under the dataset's `state/`, unless the user has chosen a Prefect home."""
    if not any(os.environ.get(name) for name in _CHOSEN_BY_USER):
        os.environ["PREFECT_HOME"] = str((data / "state" / "prefect").resolve())
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
