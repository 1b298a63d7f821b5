"""Prometheus counters and histograms of one service."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

MILLISECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512)
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
OUTCOMES = ("done", "gone", "late", "dropped", "stopped", "failed")
REASONS = ("queue", "deadline", "held", "draining", "failed")
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """All that is counted, in a registry of its own: services do not share counts."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "yin_requests", "Requests by route and status", ["route", "status"], registry=registry
        )
        self.request_s = Histogram(
            "yin_request_seconds",
            "Time from request to the end of its answer",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self.first_character_s = Histogram(
            "yin_first_character_seconds",
            "Time from admission to the first character",
            buckets=SECONDS,
            registry=registry,
        )
        self.wait_s = Histogram(
            "yin_queue_wait_seconds",
            "Time that a poem waited for a slot",
            buckets=SECONDS,
            registry=registry,
        )
        self.step_s = Histogram(
            "yin_step_seconds",
            "Time of an engine step by phase: orders, model, report",
            ["phase"],
            buckets=MILLISECONDS,
            registry=registry,
        )
        self.cancel_s = Histogram(
            "yin_cancel_seconds",
            "Time from a cancellation to the free slot",
            buckets=MILLISECONDS,
            registry=registry,
        )
        self.batch_size = Histogram(
            "yin_batch_size", "Poems per step", buckets=BATCHES, registry=registry
        )
        self.characters = Counter(
            "yin_characters", "Characters written, punctuation included", registry=registry
        )
        self.jobs = Counter(
            "yin_jobs",
            f"Admitted requests by outcome: {', '.join(OUTCOMES)}",
            ["outcome"],
            registry=registry,
        )
        self.shed = Counter("yin_shed", "Requests refused by reason", ["reason"], registry=registry)
        self.slots = Gauge("yin_slots", "Slots that there are", registry=registry)
        self.slots_busy = Gauge("yin_slots_busy", "Slots in use", registry=registry)
        self.queue_depth = Gauge("yin_queue_depth", "Poems that wait", registry=registry)
        self.model = Info("yin_model", "The model that is served", registry=registry)
        # A count that first appears as 1 never grew: no alert would see the first failure.
        for outcome in OUTCOMES:
            self.jobs.labels(outcome)
        for reason in REASONS:
            self.shed.labels(reason)
        for route in ("/generate", "/generate/stream"):
            self.requests.labels(route, 500)

    def expose(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)
