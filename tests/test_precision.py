import pytest
import torch

from model.precision import Precision, choose_precision, compute_dtype


def with_bfloat16(monkeypatch: pytest.MonkeyPatch, amx: bool, avx512: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)


@pytest.mark.parametrize(("amx", "avx512"), [(True, True), (True, False), (False, True)])
def test_a_processor_that_multiplies_bfloat16_computes_in_it(
    monkeypatch: pytest.MonkeyPatch, amx: bool, avx512: bool
) -> None:
    with_bfloat16(monkeypatch, amx, avx512)
    assert choose_precision() is Precision.BFLOAT16
    assert compute_dtype() is torch.bfloat16


def test_another_computes_in_int8_and_if_it_lacks_that_in_float32(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with_bfloat16(monkeypatch, amx=False, avx512=False)
    assert choose_precision() is Precision.INT8
    monkeypatch.setattr("model.precision.missing_operators", lambda: ["linear_prepack"])
    assert choose_precision() is Precision.FLOAT32
    assert compute_dtype() is torch.float32


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
