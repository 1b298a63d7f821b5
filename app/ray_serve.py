"""Yin on a Ray cluster: replicas of the same application, as many as the waiting requests need.

    pip install .[ray]
    serve run app.ray_serve:build max_replicas=4 num_cpus=2

Ray's proxy distributes requests; its controller starts, watches and drains the replicas. A seed
gives the same poem on every replica.
"""

from fastapi import FastAPI
from pydantic import BaseModel, Field
from ray import serve
from ray.serve import Application
from ray.serve.config import AutoscalingConfig

from app.log import configure_log
from app.main import create_app
from app.settings import Settings

BUSY = 0.75  # share of a replica's slots in use at which another replica is wanted


class Scale(BaseModel):
    """How many replicas there may be, and what each may use."""

    min_replicas: int = Field(1, ge=0)
    max_replicas: int = Field(2, ge=1)
    num_cpus: float = Field(1, gt=0, description="Also the threads of a replica, rounded.")
    num_gpus: float = Field(0, ge=0, description="0.25 puts four replicas on one GPU.")


class Replica:
    """One engine and its application.

    Args:
        settings: The deployment's choices.
    """

    def __init__(self, settings: Settings) -> None:
        configure_log(settings.log_level)
        self._app = create_app(settings)

    def __serve_build_asgi_app__(self) -> FastAPI:  # Ray's name
        """Return the application; Ray runs its lifespan, which loads first and drains last."""
        return self._app

    def check_health(self) -> None:
        """Let Ray replace a replica whose engine has stopped.

        Raises:
            RuntimeError: If it has.
        """
        engine = self._app.state.service.engine
        if not engine.alive and not engine.draining:
            raise RuntimeError("the engine has stopped")


def build(scale: Scale) -> Application:
    """Return what serve run takes; everything else is set in the environment (YIN_CHECKPOINT …)."""
    settings = Settings(threads=max(1, round(scale.num_cpus)))
    deployment = serve.deployment(
        serve.ingress()(Replica),
        ray_actor_options={"num_cpus": scale.num_cpus, "num_gpus": scale.num_gpus},
        autoscaling_config=AutoscalingConfig(
            min_replicas=scale.min_replicas,
            max_replicas=scale.max_replicas,
            target_ongoing_requests=BUSY * settings.num_slots,
        ),
        max_ongoing_requests=settings.num_slots,
        max_queued_requests=settings.num_slots,
        backpressure_config={"retry_after_s": 1},
        graceful_shutdown_timeout_s=settings.drain_s,
    )
    return deployment.bind(settings)
