"""What Prometheus is told: counts and seconds, never what is in a photo."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)


class Metrics:
    """The counters of one server, in a registry of its own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.registry = registry
        self.requests = Counter(
            "unveil_requests", "Answered requests.", ["route", "status"], registry=registry
        )
        self.seconds = Histogram(
            "unveil_request_seconds",
            "From the first byte to the answer.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self.problems = Counter(
            "unveil_problems", "Problems answered, by kind.", ["kind"], registry=registry
        )
        self.faces = Counter("unveil_faces", "Faces found.", registry=registry)
        self.hung_up = Counter(
            "unveil_hung_up", "Callers that went away before their answer.", registry=registry
        )
        self.inside = Gauge(
            "unveil_inside", "Requests being read, done or waiting.", registry=registry
        )
        self.running = Gauge("unveil_running", "Restorations being done.", registry=registry)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
