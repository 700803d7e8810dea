"""How exactly the timed task shows a picture: measured in Chromium, at 100, 300 and 1,000 ms.

    python -m benchmarks.study.exposure [--rounds 40] [--busy]

Needs: giqa[humans], playwright and Chromium.
Takes: about 2 minutes.

The page's own script (`timing.js`) shows a picture for so long; a second observer, which shares nothing with it, notes
in every animation frame whether the picture's canvas is visible and when (`performance.now()`), and gives the time from
the first frame with the picture to the first without. What the screen itself adds is not measured: Chromium runs
without one. `--busy`: while two other processes keep both cores busy.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

import giqa.study
from benchmarks.shared import command, head, results, row

STATIC = Path(giqa.study.__file__).parent / "static"
PAGE = b"""<!doctype html><link rel=stylesheet href=/app.css><script src=/timing.js></script>
<div class="stage hype-time"><canvas id=seen width=512 height=512></canvas>
<canvas id=mask width=512 height=512></canvas></div>"""
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
WATCH = """milliseconds => new Promise(resolve => {
  const seen = document.getElementById('seen'), mask = document.getElementById('mask');
  for (const one of [seen, mask]) one.classList.remove('here');
  const pen = seen.getContext('2d');
  pen.fillStyle = `hsl(${360 * Math.random()} 80% 50%)`;
  pen.fillRect(0, 0, 512, 512);
  drawMask(mask, 512, 512);
  let from = null, told = null;
  function watch() {
    const now = performance.now();
    const here = getComputedStyle(seen).visibility === 'visible';
    if (here && from === null) from = now;
    if (!here && from !== null) return done(now);
    requestAnimationFrame(watch);
  }
  async function done(now) { resolve([await told, now - from]); }
  setTimeout(() => { told = expose(seen, mask, milliseconds); requestAnimationFrame(watch); }, 100);
})"""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        name = self.path.strip("/")
        body = (STATIC / name).read_bytes() if name in ("app.css", "timing.js") else PAGE
        self.send_response(200)
        kind = {"app.css": "text/css", "timing.js": "text/javascript"}.get(name, "text/html")
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def measured(browser: Any, rounds: int, asked: tuple[int, ...] = (100, 300, 1000)) -> dict[int, np.ndarray]:
    """ms asked -> (rounds, 2): what the page recorded, what the observer saw."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
    page.evaluate(WATCH, 200)  # the first time is for warming up
    found = {each: np.array([page.evaluate(WATCH, each) for _ in range(rounds)]) for each in asked}
    page.close()
    server.shutdown()
    server.server_close()
    return found


def main() -> None:
    parser = command(__file__, __doc__)
    parser.add_argument("--rounds", type=int, default=40, help="of each time (%(default)s)")
    parser.add_argument("--busy", action="store_true", help="while two other processes keep both cores busy")
    given = parser.parse_args()
    with results(given):
        measure(given)


def measure(given: argparse.Namespace) -> None:
    from playwright.sync_api import sync_playwright

    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 if given.busy else 0)]
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
            found = measured(browser, given.rounds)
            browser.close()
    finally:
        for other in others:
            other.kill()
    percentile = "95th percentile"
    head("asked, ms", "recorded: median error", percentile, "seen: median error", percentile, "apart")
    for asked, times in found.items():
        errors = np.abs(times - asked)
        apart = np.percentile(np.abs(times[:, 0] - times[:, 1]), 95)
        row(asked, *(f"{np.percentile(errors[:, i], q):.1f}" for i in (0, 1) for q in (50, 95)), f"{apart:.1f}")


if __name__ == "__main__":
    main()
