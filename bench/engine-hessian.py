"""A dense Hessian in PyTorch: one backward pass per row, or functorch's forward over reverse under vmap."""
import json
import sys

import torch
from functorch import hessian

from mlp_loss import mlp_loss
from sine_tensor import report

job = json.load(sys.stdin)
loss, theta = mlp_loss(torch.float64, job["widths"], job["n"])


def by_rows():
    leaf = theta.clone().requires_grad_()
    gradient = torch.autograd.grad(loss(leaf), leaf, create_graph=True)[0]
    return torch.stack([torch.autograd.grad(g, leaf, retain_graph=True)[0] for g in gradient])


step = by_rows if job["method"] == "rows" else lambda: hessian(loss)(theta)
report(job, step, lambda h: h.flatten().tolist())
