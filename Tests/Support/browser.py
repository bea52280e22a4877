#!/usr/bin/env python3
"""Drives a headless Chromium by its DevTools protocol, as a person would use a page: open, click, type, look.

Reads one JSON command per line and answers each with one JSON line: {"value": ...} or {"error": text}.

Commands (optional parts are in brackets):
    open        url [width 1280, height 900, scheme "light"]: loads the page, and forgets the problems of the last one
    evaluate    expression: its value
    wait        expression [timeout 30]: waits until it is true in the page, and answers its value
    click       selector: a click of the mouse in the middle of the first element that matches
    type        text: types it where the focus is
    press       key: Tab, Enter, Escape or Space
    screenshot  path [full false]: writes a PNG
    problems    what the page did wrong since `open`: errors and warnings on the console, exceptions, violations of the
                Content-Security-Policy, requests to other origins
    memory      bytes of the JavaScript heap, after collecting the garbage

The first line of output is {"value": "ready"}. Without a Chromium it is {"error": ...}, and the exit code is 77.
The browser talks through two pipes (--remote-debugging-pipe), so no port is opened and no package is needed.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any
from urllib.parse import urlsplit

#: Debian's packages chromium-headless-shell and chromium; the first is smaller and all that is needed.
BROWSERS = ("chromium-headless-shell", "chromium")
#: How many seconds a command may take. The browser itself may be stuck, and whoever asks waits for the answer.
PATIENCE = 120
KEYS = {"Tab": (9, ""), "Enter": (13, "\r"), "Escape": (27, ""), "Space": (32, " ")}
#: Runs before the page's own script.
WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content-Security-Policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


class Failure(Exception):
    """What the caller is told."""


class Browser:
    """One Chromium with one page."""

    def __init__(self, program: str, profile: str) -> None:
        arguments = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--disable-dev-shm-usage", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
        ]
        to_browser, self.writing = os.pipe()
        self.reading, from_browser = os.pipe()

        def take_pipes() -> None:
            # Copies with high numbers first: one of the pipes may have the number of the other one's place.
            incoming, outgoing = os.dup(to_browser), os.dup(from_browser)
            os.dup2(incoming, 3)
            os.dup2(outgoing, 4)

        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *arguments], preexec_fn=take_pipes, close_fds=False,
            start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.numbers = itertools.count(1)
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.loaded = asyncio.Event()
        self.problems: list[str] = []
        self.origin = ""
        self.session: str | None = None

    async def start(self) -> None:
        # The pipe may stay open after the browser's end, and nothing may wait for this thread then.
        threading.Thread(target=self._read, args=[asyncio.get_running_loop()], daemon=True).start()
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """Reads messages, each of which ends with a zero byte, in a thread of its own."""
        rest = b""
        while chunk := os.read(self.reading, 1 << 16):
            *messages, rest = (rest + chunk).split(b"\0")
            for message in messages:
                loop.call_soon_threadsafe(self._take, json.loads(message))
        loop.call_soon_threadsafe(self._fail)

    def _fail(self) -> None:
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_exception(Failure("the browser has ended"))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            waiting = self.waiting.pop(message["id"], None)
            if waiting and not waiting.done():
                waiting.set_result(message)
            return
        parameters = message.get("params", {})
        match message["method"]:
            case "Page.loadEventFired":
                self.loaded.set()
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                words = [str(part.get("value", part.get("description"))) for part in parameters["args"]]
                self.problems.append(f"console: {' '.join(words)}")
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                text = details.get("exception", {}).get("description", details["text"])
                self.problems.append(f"exception: {text}")
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                entry = parameters["entry"]
                self.problems.append(f"log: {entry['source']}: {entry['text']} {entry.get('url', '')}")
            case "Network.requestWillBeSent":
                url = urlsplit(parameters["request"]["url"])
                if url.scheme != "data" and f"{url.scheme}://{url.netloc}" != self.origin:
                    self.problems.append(f"request to another origin: {parameters['request']['url']}")

    def end(self) -> None:
        """Ends the browser with all its processes."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.waiting[number] = asyncio.get_running_loop().create_future()
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writing, data):]
        answer = await self.waiting[number]
        if "error" in answer:
            raise Failure(f"{method}: {answer['error']['message']}")
        return answer["result"]

    async def evaluate(self, expression: str) -> Any:
        answer = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        if details := answer.get("exceptionDetails"):
            raise Failure(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    async def open(self, url: str, width: int = 1280, height: int = 900, scheme: str = "light") -> None:
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                        mobile=width < 600)
        await self.call("Emulation.setEmulatedMedia",
                        features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.loaded.clear()
        address = urlsplit(url)
        self.origin = f"{address.scheme}://{address.netloc}"
        self.problems.clear()
        if failure := (await self.call("Page.navigate", url=url)).get("errorText"):
            raise Failure(f"{url}: {failure}")
        await self.loaded.wait()

    async def wait(self, expression: str, timeout: float = 30) -> Any:
        polled = f"""new Promise((resolve) => {{
            const look = () => {{
                let value;
                try {{ value = ({expression}); }} catch {{ value = undefined; }}
                if (value) resolve(value); else setTimeout(look, 50);
            }};
            look();
        }})"""
        try:
            return await asyncio.wait_for(self.evaluate(polled), timeout)
        except TimeoutError as late:
            text = await self.evaluate("document.body.innerText")
            raise Failure(f"not true within {timeout} s: {expression}\nThe page shows:\n{text}") from late

    async def click(self, selector: str) -> None:
        place = await self.evaluate(f"""(() => {{
            const node = document.querySelector({json.dumps(selector)});
            if (!node) return null;
            node.scrollIntoView({{block: "center"}});
            const box = node.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        if place is None:
            raise Failure(f"nothing matches {selector}")
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left",
                            clickCount=1)

    async def type(self, text: str) -> None:
        await self.call("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        code, text = KEYS[key]
        name = " " if key == "Space" else key
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=name, code=key, windowsVirtualKeyCode=code,
                            **({"text": text} if text and kind == "keyDown" else {}))

    async def screenshot(self, path: str, full: bool = False) -> None:
        answer = await self.call("Page.captureScreenshot", captureBeyondViewport=full)
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

    async def memory(self) -> int:
        await self.call("HeapProfiler.collectGarbage")
        return int((await self.call("Runtime.getHeapUsage"))["usedSize"])


async def answer_commands(browser: Browser) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        try:
            name = command.pop("do")
            if name == "problems":
                value: Any = list(browser.problems)
            else:
                value = await asyncio.wait_for(getattr(browser, name)(**command), PATIENCE)
            emit(value=value)
        except TimeoutError:
            emit(error=f"the browser has not done this within {PATIENCE} s: {name}")
        except (Failure, TypeError, AttributeError, KeyError, OSError) as failure:
            emit(error=f"{type(failure).__name__}: {failure}")


def emit(**fields: Any) -> None:
    print(json.dumps(fields), flush=True)


async def main() -> int:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        emit(error=f"no Chromium is installed: one of {', '.join(BROWSERS)}")
        return 77
    with tempfile.TemporaryDirectory(prefix="mqtt-quic-bridge-browser-", ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            await asyncio.wait_for(browser.start(), PATIENCE)
            emit(value="ready")
            await answer_commands(browser)
        except TimeoutError:
            emit(error=f"the browser has not started within {PATIENCE} s")
            return 1
        finally:
            browser.end()
    return 0


if __name__ == "__main__":
    status = asyncio.run(main())
    sys.stdout.flush()
    # A thread may still wait for input.
    os._exit(status)
