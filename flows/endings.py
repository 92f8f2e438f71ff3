"""How a command ends: its exit codes, and whose trouble an error is."""

DONE, NOT_DONE, STOPPED = 0, 1, 130
_ROOMS = ("flows", "tasks", "storage")


def is_trouble(error: BaseException) -> bool:
    """Whether it is the operator's trouble: by house rule, those are the exceptions that our rooms define."""
    return type(error).__module__.split(".")[0] in _ROOMS


def exit_code(error: Exception) -> int:
    """Return 2 where the command or its settings are wrong (such errors say so), 1 where the job could not be done."""
    code: int = getattr(error, "exit_code", NOT_DONE)
    return code
