"""What deployments need beside themselves: queues in their order, and someone who buries dead runs."""

from datetime import timedelta
from typing import Final

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification
from prefect.exceptions import ObjectNotFound

QUEUES: Final[dict[str, int | None]] = {"schedule": None, "backfill": 1}
"""The queues of a work pool, the first served first, and how many runs of each may work at a time.

However many runs a worker may have, a backfill takes one place of them: the rest stays free for the schedule.
"""

ZOMBIES: Final = "copydesk: runs whose heartbeat stopped have crashed"
SILENCE: Final = timedelta(minutes=10)
"""How long a run may be silent: by default, Prefect's runs give a sign of life every three minutes."""

_HEARTBEAT: Final = "prefect.flow-run.heartbeat"
_ENDS: Final = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}


def prepare(pool: str) -> None:
    """Put the queues of a work pool in order, and have runs whose process died marked as crashed.

    A build step of deploy/prefect.yaml, so that `prefect deploy` does it; done again, it changes nothing.
    """
    with get_client(sync_client=True) as client:
        for priority, (queue, limit) in enumerate(QUEUES.items(), 1):
            _put_queue(client, pool, queue, priority, limit)
        bury_zombies(client)


def _put_queue(client: SyncPrefectClient, pool: str, queue: str, priority: int, limit: int | None) -> None:
    try:
        found = client.read_work_queue_by_name(queue, work_pool_name=pool)
    except ObjectNotFound:
        found = client.create_work_queue(queue, work_pool_name=pool)
    client.update_work_queue(found.id, priority=priority, concurrency_limit=limit)


def bury_zombies(client: SyncPrefectClient) -> None:
    """Have Prefect mark runs as crashed whose process died without a word, as of `kill -9` or a lost machine."""
    for known in client.read_automations_by_name(ZOMBIES):
        client.delete_automation(known.id)
    client.create_automation(zombie_automation())


def zombie_automation(silence: timedelta = SILENCE, run: str = "*") -> AutomationCore:
    """Return the rule: a run that gave a sign of life, and neither another nor its end since, has crashed."""
    return AutomationCore(
        name=ZOMBIES,
        description="Written by copydesk, again at each deployment.",
        trigger=EventTrigger(
            after={_HEARTBEAT},
            expect={_HEARTBEAT, *_ENDS},
            match=ResourceSpecification({"prefect.resource.id": [f"prefect.flow-run.{run}"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silence,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED, message=f"No sign of life for {silence.total_seconds():g} seconds."
            )
        ],
    )
