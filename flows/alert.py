"""Somebody should know: by the log, by Prefect, and wherever a webhook leads."""

import json
from typing import Final
from urllib.error import URLError
from urllib.request import Request, urlopen

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.blocks.system import Secret
from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from flows.parameters import AlertParameters
from flows.settings import Settings

WEBHOOK_BLOCK: Final = "copydesk-alert-webhook"
PATIENCE: Final = 20.0  # seconds for the webhook to answer


class AlertNotDeliveredError(Exception):
    """The webhook did not take an alert. Its address is a secret, and not in the message."""


@flow(name="alert", flow_run_name="{parameters.subject}")
def alert(parameters: AlertParameters) -> None:
    """Say it in the log and as an artifact, and post it to the webhook, where there is one."""
    get_run_logger().error("%s. %s", parameters.subject, parameters.text)
    create_markdown_artifact(f"# {parameters.subject}\n\n{parameters.text}", key="alert")
    if webhook(parameters.settings()) is not None:
        deliver(parameters)


@task(name="deliver", cache_policy=NO_CACHE, retries=3, retry_delay_seconds=exponential_backoff(10))
def deliver(parameters: AlertParameters) -> None:
    """Post an alert as JSON to the webhook: `subject`, `text`, and both together in the `text` that chats show."""
    address = webhook(parameters.settings())
    assert address is not None
    if not address.startswith(("https://", "http://")):
        raise AlertNotDeliveredError("The address of the alert webhook begins with neither https:// nor http://.")
    text = f"{parameters.subject}\n{parameters.text}"
    body = json.dumps({"subject": parameters.subject, "text": text}).encode()
    request = Request(address, body, {"Content-Type": "application/json"})  # noqa: S310 - looked at above
    try:
        with urlopen(request, timeout=PATIENCE):  # noqa: S310
            pass
    except (URLError, OSError) as error:
        raise AlertNotDeliveredError(f"The alert webhook did not take it: {error}.") from None


def webhook(settings: Settings) -> str | None:
    """Return the address that alerts are posted to: from the settings, else from Prefect's secret of that name."""
    if settings.alert_webhook is not None:
        return settings.alert_webhook.get_secret_value()
    try:
        secret = Secret.load(WEBHOOK_BLOCK)
    except ValueError:  # there is no such block
        return None
    assert isinstance(secret, Secret)
    return str(secret.get())
