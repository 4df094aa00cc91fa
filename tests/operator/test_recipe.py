"""The operator's recipe works as it is printed, its stream cut off after a while."""

import asyncio
from pathlib import Path

from tests.deploy.test_documents import FENCE, run
from tests.jobs.doors import Doors
from tests.operator.asking import failed
from tests.service.edge import OPERATOR_SECRET, Edge
from tests.system import ROOT

RECIPES = (ROOT / "docs" / "RECIPES.md").read_text()
CUT_OFF = 28
STRICT = f'curl() {{ command curl --fail-with-body --max-time 3 "$@" || [ $? = {CUT_OFF} ]; }}\n'


async def test_the_recipe_of_the_operator_works(operated: Edge, doors: Doors, tmp_path: Path) -> None:
    """Each line is one that the service takes, in the order in which they stand."""
    job_id = await failed(doors, code="provider-failed")
    (tmp_path / ".jobstream").mkdir()
    (tmp_path / ".jobstream" / "demo-operator-secret").write_text(OPERATOR_SECRET)
    section = RECIPES.partition("## Look at it as the operator\n")[2].partition("\n## ")[0]
    script = STRICT + "\n".join(fence["lines"] for fence in FENCE.finditer(section))

    shown = await asyncio.to_thread(run, script, tmp_path, JOBSTREAM_URL=operated.url, ID=job_id)

    for told in (
        "event: figures",
        f'"id":"{job_id}"',
        '"paused":true',
        '"paused":false',
        '"done":1',
        '"job_id"',
        '"act"',
    ):
        assert told in shown, told
