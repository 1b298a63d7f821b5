"""Cross entropy of the tied output layer, a chunk of rows at a time.

The logits of a batch are the largest thing in training (rows x vocabulary). Here they exist for
one chunk only: its gradient, softmax(logits) - onehot(target), is multiplied into the gradients of
features, weight and bias at once, in the forward pass.

    loss = sum over rows of  logsumexp(logits) - logits[target],   logits = features W^T + bias
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

CHUNK_ROWS = 1024


class LinearCrossEntropy(torch.autograd.Function):
    """Sum of the cross entropies of features (N, E) against targets (N,), in nats."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, targets: Tensor
    ) -> Tensor:
        loss = torch.zeros((), dtype=bias.dtype, device=features.device)
        d_features = torch.empty_like(features)
        d_weight, d_bias = torch.zeros_like(weight), torch.zeros_like(bias)
        rounded = weight.to(features.dtype)
        for start in range(0, len(features), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            logits = F.linear(features[rows], rounded).to(bias.dtype) + bias  # (N, V)
            target = targets[rows, None]
            log_norm = logits.logsumexp(-1, keepdim=True)
            loss += (log_norm - logits.gather(-1, target)).sum()
            d_logits = logits.sub_(log_norm).exp_()
            d_logits.scatter_add_(-1, target, torch.full_like(log_norm, -1.0))
            d_bias += d_logits.sum(0)
            d_logits = d_logits.to(features.dtype)
            d_features[rows] = d_logits @ rounded
            d_weight += d_logits.T @ features[rows]
        ctx.save_for_backward(d_features, d_weight, d_bias)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> tuple[Tensor | None, ...]:
        d_features, d_weight, d_bias = ctx.saved_tensors
        return d_features * d_loss.to(d_features.dtype), d_weight * d_loss, d_bias * d_loss, None
