"""The tangent kernel of gram-tangent.bench.ts in PyTorch: the Jacobian row by row, or by functorch."""
import json
import sys

import torch

from gram_process import report
from sine_tensor import sine_tensor

job = json.load(sys.stdin)
widths, n = job["widths"], job["n"]
x = sine_tensor(torch.float64, (n, widths[0]), 0)
sizes = [(k, d) for d, k in zip(widths, widths[1:])]
total = sum(k * d + k for k, d in sizes)
theta = sine_tensor(torch.float64, (total,), 1, 0.1)


def output(theta, x):
    at, h = 0, x
    for i, (k, d) in enumerate(sizes):
        weight, bias = theta[at : at + k * d].reshape(k, d), theta[at + k * d : at + k * d + k]
        at += k * d + k
        h = torch.nn.functional.linear(h, weight, bias)
        h = torch.tanh(h) if i + 1 < len(sizes) else h
    return h[..., 0]


def by_rows():
    point = theta.clone().requires_grad_()
    jacobian = torch.empty(n, total, dtype=torch.float64)
    for i in range(n):
        jacobian[i] = torch.autograd.grad(output(point, x[i]), point)[0]
    return jacobian @ jacobian.T


def vectorised():
    from functorch import grad, vmap

    jacobian = vmap(grad(output), (None, 0))(theta, x)
    return jacobian @ jacobian.T


report(job, vectorised if job.get("vectorised") else by_rows, lambda g: g[:10].flatten().tolist())
