"""A headless Chromium, for tests and for the pictures of the documentation."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.wait import WebDriverWait

_NAMES: Final = "chromium", "chromium-browser", "google-chrome"
_DRIVER: Final = "chromedriver"
_OPTIONS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip
PATIENCE: Final = 120
"""Seconds that a page may take on a busy machine; no test depends on it."""
MISSING: Final = (
    "there is no Chromium with its driver; Debian and Ubuntu: install the packages chromium, chromium-driver"
)


def found() -> str | None:
    """The path of the browser; None if it or its driver is not installed."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    return path if shutil.which(_DRIVER) else None


class Browser:
    """One browser with one page."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome

    def show(self, width: int, height: int = 900, *, dark: bool = False, media: str = "screen") -> None:
        """Set the size of the window, and what the page is shown on."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._command("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, path: Path) -> None:
        """Open a report, and wait until its charts are drawn."""
        self.chrome.get(path.as_uri())
        WebDriverWait(self.chrome, PATIENCE).until(
            lambda _: self.run("return document.documentElement.dataset.drawn")
        )

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of a script in the page."""
        return self.chrome.execute_script(script, *arguments)

    def logged(self) -> list[str]:
        """The messages of the console since the last call."""
        return [f"{each['level']} {each['message']}" for each in _log(self.chrome, "browser")]

    def requests(self) -> list[str]:
        """The addresses that were requested since the last call."""
        messages = [each["message"] for each in _log(self.chrome, "performance")]
        begun = [each for each in messages if '"Network.requestWillBeSent"' in each]
        return [each.split('"documentURL":"', 1)[-1].split('"', 1)[0] for each in begun]

    def picture(self, top: int, height: int) -> bytes:
        """A part of the page as PNG."""
        width = self.run("return document.documentElement.clientWidth")
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        answer = self._command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(answer["data"])

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self._command("Page.printToPDF", printBackground=True)["data"])

    def main_thread_seconds(self) -> float:
        """The seconds that the page worked so far."""
        metrics = {each["name"]: each["value"] for each in self._command("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])

    def _command(self, name: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.chrome.execute_cdp_cmd(name, arguments)
        return answer


def _log(chrome: Chrome, kind: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = chrome.get_log(kind)  # type: ignore[no-untyped-call]  # of selenium
    return entries


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A new browser with a profile in the folder, which ends after it."""
    options = Options()
    options.binary_location = found() or ""
    for each in (*_OPTIONS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(shutil.which(_DRIVER)))
    try:
        chrome.set_page_load_timeout(PATIENCE)
        chrome.set_script_timeout(PATIENCE)
        chrome.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        yield Browser(chrome)
    finally:
        chrome.quit()
