"""Load on a running server: latencies, refusals, memory, callers that hang up, damaged images.

    unveil serve --port 8000 &
    python benchmarks/load.py http://127.0.0.1:8000 --requests 2000 --clients 16 -o load.json

At last as many damaged images, of every kind, three times. Exit status 1 if an answer to a good
image was neither good nor 503, or one to a damaged image none that the service tells of, or if
memory grew by over a tenth after the first hundred requests, or by the same damaged images sent
again. Needs the extra `dev` (httpx).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import socket
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "server")]

from spoilt import EXPECTED, FACES, WAYS, damage  # noqa: E402

FACE = ROOT / "examples" / "astronaut_occluded.png"
GROWTH = 1.10
ROLES = ("face", "mask", "prior", "align", "detector")


def memory(client: httpx.Client) -> float:
    """Resident megabytes of the server, by its own metrics."""
    for line in client.get("/metrics").text.splitlines():
        if line.startswith("process_resident_memory_bytes"):
            return float(line.split()[1]) / 1e6
    raise SystemExit("the server tells no memory")


def gauge(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def weights(client: httpx.Client) -> dict[str, Any]:
    """The server's model, as `unveil.evaluation.parts` notes it: from what it gives out itself."""
    name = client.get("/v1/models").json()["default"]
    answers = {role: client.get(f"/v1/models/{name}/{role}") for role in ROLES}
    sha256 = {r: hashlib.sha256(a.content).hexdigest() for r, a in answers.items() if a.is_success}
    return {"model": name, "sha256": sha256}


def hang_up(url: httpx.URL, times: int) -> None:
    """Callers that go away in the middle of their upload or of their wait."""
    request = httpx.Request("POST", url.join("/v1/restore"), files={"photo": FACE.read_bytes()})
    body = request.read()
    head = f"POST /v1/restore HTTP/1.1\r\nHost: {url.host}\r\n" + "".join(
        f"{k}: {v}\r\n" for k, v in request.headers.items() if k != "host"
    )
    for i in range(times):
        with socket.create_connection((url.host, url.port or 80)) as line:
            line.sendall(head.encode() + b"\r\n" + (body if i % 2 else body[: len(body) // 2]))
            time.sleep(0.01)


def case(place: int) -> tuple[str, str, str]:
    """An image's kind, how it is damaged and what it is sent as; each case comes in its turn."""
    rest, kind = divmod(place, len(FACES))
    rest, how = divmod(rest, len(WAYS))
    return list(FACES)[kind], WAYS[how], ("photo", "mask")[rest % 2]


def send_damaged(client: httpx.Client, times: int, clients: int) -> Counter[int]:
    """The statuses of answers to damaged images; a server that hangs or ends raises."""

    def one(place: int) -> int:
        rng = np.random.default_rng([2025, place])
        kind, how, field = case(place)
        files = {"photo": FACES["PNG"], field: damage(FACES[kind], how, rng)}
        answer = client.post("/v1/restore", files=files, data={"aligned": "true"})
        while answer.status_code == 503:
            time.sleep(float(answer.headers["retry-after"]))
            answer = client.post("/v1/restore", files=files, data={"aligned": "true"})
        return answer.status_code

    with ThreadPoolExecutor(clients) as pool:
        return Counter(pool.map(one, range(times)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--hang-ups", type=int, default=32)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()

    photo = FACE.read_bytes()
    client = httpx.Client(
        base_url=given.url, timeout=120, limits=httpx.Limits(max_connections=given.clients + 4)
    )
    seconds: list[float] = []
    statuses: Counter[int] = Counter()
    lock = threading.Lock()
    first: list[float] = []

    def one(_: int) -> None:
        started = time.perf_counter()
        answer = client.post("/v1/restore", files={"photo": photo}, data={"format": "png"})
        took = time.perf_counter() - started
        with lock:
            statuses[answer.status_code] += 1
            if answer.status_code == 200:
                seconds.append(took)
            if sum(statuses.values()) == min(100, given.requests // 2):
                first.append(memory(client))
        if answer.status_code == 503:
            time.sleep(float(answer.headers["retry-after"]))

    began = time.perf_counter()
    with ThreadPoolExecutor(given.clients) as pool:
        list(pool.map(one, range(given.requests)))
    wall = time.perf_counter() - began
    hang_up(httpx.URL(given.url), given.hang_ups)
    end = time.monotonic() + 120
    while gauge(client, "unveil_inside") + gauge(client, "unveil_running") > 0:
        if time.monotonic() > end:
            raise SystemExit("who hung up has left something behind")
        time.sleep(0.2)
    last = memory(client)
    # A header that lies about its size makes the largest pictures; after the second time as many of
    # them as can be have been decoded at once, and the third must take no more.
    for _ in range(2):
        damaged = send_damaged(client, given.requests, given.clients)
    once = memory(client)
    send_damaged(client, given.requests, given.clients)
    twice = memory(client)
    result = {
        "protocol": "load",
        "data": {"name": f"{FACE.parent.name}/{FACE.name}", "cores": os.cpu_count()},
        "parts": {"all": weights(client) | {"date": date.today().isoformat()}},
        "requests": given.requests,
        "clients": given.clients,
        "statuses": {str(k): v for k, v in sorted(statuses.items())},
        "seconds": {
            name: round(float(np.percentile(seconds, at)), 4)
            for name, at in (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100))
        },
        "restorations_per_second": round(statuses[200] / wall, 3),
        "megabytes": {
            "after the first hundred": round(first[0], 1),
            "at the end": round(last, 1),
            "after the damaged images": round(once, 1),
            "after the same again": round(twice, 1),
        },
        "hung_up": given.hang_ups,
        "damaged": {str(k): v for k, v in sorted(damaged.items())},
    }
    text = json.dumps(result, indent=2)
    print(text)
    if given.output:
        given.output.write_text(text + "\n", encoding="utf-8")
    wrong = (set(statuses) - {200, 503}) | (set(damaged) - EXPECTED)
    return 1 if wrong or last > GROWTH * first[0] or twice > GROWTH * once else 0


if __name__ == "__main__":
    sys.exit(main())
