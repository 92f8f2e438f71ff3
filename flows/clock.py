"""The clock: read here, and passed down as an argument."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the present in UTC."""
    return datetime.now(UTC)
