"""Make docs/report.png: the report of `giqa demo` with one picture opened, in headless Chromium.

python docs/picture.py
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["giqa", "demo", "-o", folder, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 980})
        page.goto((Path(folder) / "report.html").as_uri())
        page.locator("[data-row]").nth(12).click()
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=Path(__file__).with_name("report.png"))
        browser.close()
