import pytest
import torch

from model.precision import Precision, choose_precision, compute_dtype


def with_bfloat16(monkeypatch: pytest.MonkeyPatch, amx: bool, avx512: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)


@pytest.mark.parametrize("avx512", [True, False])
def test_a_processor_with_amx_computes_in_bfloat16(
    monkeypatch: pytest.MonkeyPatch, avx512: bool
) -> None:
    with_bfloat16(monkeypatch, True, avx512)
    assert choose_precision() is Precision.BFLOAT16
    assert compute_dtype() is torch.bfloat16


@pytest.mark.parametrize(("avx512", "second"), [(True, "bfloat16"), (False, "float32")])
def test_a_processor_without_amx_computes_in_int8_and_if_it_lacks_that_as_training_does(
    monkeypatch: pytest.MonkeyPatch, avx512: bool, second: str
) -> None:
    with_bfloat16(monkeypatch, False, avx512)
    assert choose_precision() is Precision.INT8
    monkeypatch.setattr("model.precision.missing_operators", lambda: ["linear_prepack"])
    assert choose_precision() == second
    assert str(compute_dtype()) == f"torch.{second}"


@pytest.mark.parametrize(("supported", "chosen"), [(True, "bfloat16"), (False, "float32")])
def test_a_gpu_computes_in_bfloat16_or_float32(
    monkeypatch: pytest.MonkeyPatch, supported: bool, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    assert choose_precision("cuda:1") == chosen


def test_weights_are_kept_in_a_format_that_the_model_can_compute_in() -> None:
    assert [precision.dtype for precision in Precision] == [
        torch.float32,
        torch.bfloat16,
        torch.float32,
    ]
