"""What cannot be watched as it was asked for does not start."""

import os
import subprocess
import sys

import pytest

from tests.jobs.patience import PATIENCE_SECONDS
from tests.observed.watched import Watched
from tests.system import ROOT

EX_CONFIG = 78

WORKER = "import sys; sys.argv = ['arq', 'workers.main.WorkerSettings']; from arq.cli import cli; cli()"
API = "from service.__main__ import main; main()"
WITHOUT_SDK = "import sys; sys.modules['opentelemetry.sdk'] = None; "
"""As where `jobstream[otel]` is not installed."""


def refused(watched: Watched, program: str, **settings: str) -> str:
    """The last words of a process that ends because of its settings."""
    environment = {"PATH": os.environ["PATH"], "REDIS_URL": watched.product.store.url, "PORT": "0", **settings}
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        timeout=PATIENCE_SECONDS,
        check=False,
        text=True,
    )
    assert ended.returncode == EX_CONFIG, ended.stderr
    return ended.stderr.splitlines()[-1]


def test_a_worker_whose_port_another_has_does_not_start(watched: Watched) -> None:
    """The one that has it is the product's own."""
    taken = watched.worker_url.removeprefix("http://")

    assert "JOBSTREAM_WORKER_METRICS: Address already in use" in refused(
        watched, WORKER, JOBSTREAM_WORKER_METRICS=taken
    )


@pytest.mark.parametrize("program", [WORKER, API], ids=["worker", "API"])
def test_a_process_that_is_to_be_traced_and_cannot_be_does_not_start(program: str, watched: Watched) -> None:
    """It says what to install."""
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": watched.collector.url}

    assert "install jobstream[otel]" in refused(watched, WITHOUT_SDK + program, **traced)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JOBSTREAM_WORKER_METRICS", "9100"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_TRACES_SAMPLER", "always"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
    ],
)
def test_a_setting_that_cannot_stand_is_named(name: str, value: str, watched: Watched) -> None:
    """The SDK itself would only warn, and trace otherwise than it was told."""
    assert name.lower() in refused(watched, WORKER, **{name: value})
