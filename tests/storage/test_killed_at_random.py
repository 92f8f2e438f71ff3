"""A few of the deaths of benchmarks/storage_kill.py, by SIGKILL, at random moments."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_store_survives_sigkill_at_random_moments(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/storage_kill.py", "--kills", "4", "--data", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["kills"], told["wrong"]) == (4, [])
    assert told["runs"] >= 4
