#!/usr/bin/env python3
"""Operates the page of `run --plot html` in a browser, as a reader would.

    python3 tests/browser.py [PROGRAM]

It draws two of the examples and opens the pages in Chromium. There it zooms by dragging and with the
wheel, moves, reads a value, hides a curve, saves a picture, turns the page dark, and checks the
effect of each action. It also checks that all panels keep the same range of time, that the page
requests nothing from the network, and that its script never fails. Without Chromium, it prints a
message and checks nothing.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import struct
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
PAGES = [
    EXAMPLES / "hodgkin-huxley/LEMS_hodgkin_huxley.xml",
    EXAMPLES / "izhikevich-network/LEMS_izhikevich_network.xml",
]
WATCHED = ("Network.requestWillBeSent", "Runtime.exceptionThrown", "Log.entryAdded")


class Browser:
    """Chromium, controlled through its debugging pipe."""

    def __init__(self, program, profile):
        to_browser, self.output = os.pipe()
        self.input, from_browser = os.pipe()

        def as_it_expects():
            # Move the descriptors away from 3 and 4 first, because the pipes may have these numbers.
            ends = os.dup(to_browser), os.dup(from_browser)
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
             "--no-first-run", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--remote-debugging-pipe", f"--user-data-dir={profile}",
             "about:blank"],
            close_fds=False, preexec_fn=as_it_expects,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.pending, self.number, self.events = b"", 0, []

    def receive(self):
        while b"\0" not in self.pending:
            part = os.read(self.input, 1 << 16)
            if not part:
                raise SystemExit("the browser ended")
            self.pending += part
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def close(self):
        self.call("Browser.close")
        self.process.wait(20)


class Page:
    def __init__(self, browser, path):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in browser.events):
            browser.events.append(browser.receive())

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def value(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def pictures(self):
        """The image of each panel, as a URL."""
        return self.value("[...document.querySelectorAll('canvas')].map(c => c.toDataURL())")

    def picture(self):
        return self.pictures()[0]

    def times(self):
        """The range of time of each panel, in seconds."""
        return self.value("panels.map(panel => panel.seconds())")

    def brightness(self):
        """Brightness of the background of the page, from 0 to 255."""
        return self.value("""(() => {
            const paper = getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g);
            return paper.slice(0, 3).map(Number).reduce((a, b) => a + b) / 3;
        })()""")

    def prefer(self, scheme):
        """Sets the reader's colour scheme; the page is notified with its next frame."""
        self.call("Page.bringToFront")
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Runtime.evaluate", awaitPromise=True, expression="""
            new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))""")

    def edges(self):
        return self.value("(({left, top, width, height}) => [left, top, width, height])"
                          "(document.querySelector('canvas').getBoundingClientRect())")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def drag(self, start, end, modifiers=0):
        held = {"button": "left", "buttons": 1, "clickCount": 1, "modifiers": modifiers}
        self.mouse("mousePressed", *start, **held)
        self.mouse("mouseMoved", *end, **held)
        self.mouse("mouseReleased", *end, **held)

    def complaints(self):
        for event in self.browser.events:
            if event.get("method") not in WATCHED or event.get("sessionId") != self.session:
                continue
            told = event["params"]
            url = told.get("request", {}).get("url", "")
            if not url.startswith(("file://", "blob:")):
                yield json.dumps(told)[:300]


def is_close(times, other):
    pairs = zip(times, other)
    return all(abs(a - b) < 1e-9 * max(abs(a), abs(b), 1e-3) for a, b in pairs)


def check_links(page):
    """All panels show the same time when one is zoomed or moved."""
    left, top, width, height = page.edges()
    middle = left + width / 2, top + height / 2
    home, pictures = page.times(), page.pictures()
    assert len(home) > 1, "a page of one panel has nothing to link"

    def all_follow(what):
        times = page.times()
        assert all(is_close(times[0], other) for other in times), f"{what}: {times}"
        changed = [a != b for a, b in zip(pictures, page.pictures())]
        assert all(changed), f"{what} redraws {changed}"
        return times[0]

    page.drag((left + width * 0.3, top + height * 0.5), (left + width * 0.5, top + height * 0.5))
    begin, end = all_follow("dragging")
    wanted = 0.2 * width / (width - page.value("left") - page.value("RIGHT"))
    length = home[0][1] - home[0][0]
    assert abs((end - begin) / length - wanted) < 0.02, f"{begin} to {end} of {home[0]}"
    page.mouse("mouseWheel", *middle, deltaX=0, deltaY=-120)
    closer = all_follow("the wheel")
    assert closer[1] - closer[0] < 0.9 * (end - begin)
    page.drag(middle, (middle[0] + 80, middle[1]), modifiers=8)
    moved = all_follow("dragging with shift")
    assert moved[0] < closer[0] and abs((moved[1] - moved[0]) - (closer[1] - closer[0])) < 1e-9
    page.value("document.querySelector('canvas').dispatchEvent(new MouseEvent('dblclick'))")
    assert page.times() == home and page.pictures() == pictures, "all is not as it was"


def check_saved(page, folder):
    """The button gives a PNG with the panels of its figure."""
    page.browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    before = set(folder.glob("*.png"))
    page.value("document.querySelector('.save').click()")
    for _ in range(100):
        saved = set(folder.glob("*.png")) - before
        if saved:
            break
        time.sleep(0.1)
    assert saved, "nothing is saved"
    data = saved.pop().read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), data[:20]
    width, height = struct.unpack(">II", data[16:24])
    inner = page.value("""[...document.querySelector('figure').querySelectorAll('canvas')]
        .map(canvas => [canvas.width, canvas.height])""")
    assert width == inner[0][0], f"{width} for {inner}"
    assert height > sum(size[1] for size in inner), f"{height} for {inner}"
    first = base64.b64decode(page.picture().split(",")[1])
    assert len(data) > 0.5 * len(first), "an empty picture is saved"


def check_dark(page):
    """The page follows the reader's setting until the button is pressed."""
    page.prefer("light")
    light, picture = page.brightness(), page.picture()
    page.prefer("dark")
    assert light > 200 and page.brightness() < 60
    dark = page.picture()
    assert dark != picture, "the panels stay light"
    page.value("document.querySelector('#theme').click()")
    assert page.brightness() > 200 and page.picture() == picture
    page.value("document.querySelector('#theme').click()")
    assert page.brightness() < 60 and page.picture() == dark
    page.prefer("light")
    assert page.brightness() < 60, "the button has the last word"
    page.value("document.querySelector('#theme').click()")
    assert page.picture() == picture


def check(page, folder):
    left, top, width, height = page.edges()
    middle = left + width / 2, top + height / 2
    seen = [page.picture()]

    def changed(what):
        picture = page.picture()
        assert picture != seen[-1], f"{what} changed nothing"
        seen.append(picture)

    page.drag((left + width * 0.3, top + height * 0.1), (left + width * 0.5, top + height * 0.8))
    changed("dragging")
    page.mouse("mouseWheel", *middle, deltaX=0, deltaY=-120)
    changed("the wheel")
    page.drag(middle, (middle[0] + 80, middle[1] + 20), modifiers=8)
    changed("dragging with shift")
    page.mouse("mousePressed", *middle, button="left", clickCount=1)
    page.mouse("mouseReleased", *middle, button="left", clickCount=1)
    page.mouse("mousePressed", *middle, button="left", clickCount=2)
    page.mouse("mouseReleased", *middle, button="left", clickCount=2)
    assert page.picture() == seen[0], "a double click does not show all again"
    seen.append(seen[0])

    read = set()
    for at in range(20):
        page.mouse("mouseMoved", left + width * (0.1 + 0.04 * at), top + height * (0.8 - 0.03 * at))
        read.add(page.value("document.querySelector('.value').textContent"))
    values = [text for text in read if ": " in text and " at " in text]
    assert len(values) > 1, f"no values are read: {read}"

    button = "document.querySelector('.legend button')"
    for pressed in ("false", "true"):
        page.value(f"{button}.click()")
        assert page.value(f"{button}.getAttribute('aria-pressed')") == pressed
        changed("a click on a name")
    assert seen[-1] == seen[0], "a curve does not come back as it was"
    check_links(page)
    check_dark(page)
    check_saved(page, folder)
    complaints = list(page.complaints())
    assert not complaints, "\n".join(complaints)


def main():
    names = ("chromium", "chromium-browser", "google-chrome")
    browser_program = next(filter(None, map(shutil.which, names)), None)
    if not browser_program:
        print("skipped: there is no Chromium")
        return
    program = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/jlems-rs")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(browser_program, f"{folder}/profile")
        for model in PAGES:
            subprocess.run([program, "run", model, "--plot", "html", "--out-dir", folder, "-q"],
                           check=True)
            browser.events.clear()
            check(Page(browser, Path(folder) / model.with_suffix(".html").name), Path(folder))
            print(f"{model.name}: zooms, moves, reads, hides, links, saves, turns dark; "
                  "no requests, no errors")
        browser.close()


if __name__ == "__main__":
    main()
