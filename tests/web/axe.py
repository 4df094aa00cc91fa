"""What axe-core finds on the page as it stands: what would keep somebody from reading, hearing or working it."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
OPTIONS = {"resultTypes": ["violations"], "preload": False}
LONGEST = 160

STAND_STILL = """async () => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('*, *::before, *::after { animation: none !important; transition: none !important; }');
  document.adoptedStyleSheets.push(sheet);
  await new Promise(requestAnimationFrame);
}"""


async def check_accessible(page: Page, place: str = "the page") -> None:
    """Fail with a readable list if anything serious or critical stands in the way of somebody; `place` names it."""
    found = await findings(page)
    assert not found, "\n".join([f"{place}:", *found])


async def findings(page: Page) -> list[str]:
    """What is serious or critical, a line for each element; animations are stopped first, they blur colours."""
    await page.evaluate(STAND_STILL)
    await page.evaluate(AXE.read_text())
    results = await page.evaluate("options => axe.run(document, options)", OPTIONS)
    grave = [each for each in results["violations"] if each["impact"] in GRAVE]
    return [_line(violation, node) for violation in grave for node in violation["nodes"]]


def _line(violation: dict[str, Any], node: dict[str, Any]) -> str:
    why = " ".join(node["failureSummary"].split())
    return f"- {violation['id']} ({violation['impact']}): {' '.join(map(str, node['target']))}: {why[:LONGEST]}"
