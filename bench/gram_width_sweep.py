"""The sweep of gram-width-sweep.bench.ts in PyTorch, a network at a time."""
import json
import sys

import torch

from gram_process import report

job = json.load(sys.stdin)
n, d, steps = job["samples"], job["dimension"], job["steps"]
double = torch.float64
x = torch.tensor(job["x"], dtype=double).reshape(n, d)
y = torch.tensor(job["y"], dtype=double)
# c_sigma = 1 / E softplus(z)^2
C_SIGMA = 1.0854865029883434


def output(hidden, last):
    scale = (C_SIGMA / hidden.shape[0]) ** 0.5
    return (scale * torch.nn.functional.softplus(x @ hidden.T, threshold=1000)) @ last


def gram(parameters):
    outputs = output(*parameters)
    rows = [torch.cat([g.flatten() for g in torch.autograd.grad(outputs[i], parameters, retain_graph=True)]) for i in range(n)]
    jacobian = torch.stack(rows)
    return jacobian @ jacobian.T


def train(start, width):
    theta = torch.tensor(start, dtype=double)
    parameters = [theta[: width * d].reshape(width, d).clone().requires_grad_(), theta[width * d :].clone().requires_grad_()]
    first = [p.detach().clone() for p in parameters]
    before = gram(parameters)
    largest = torch.linalg.eigvalsh(before)[-1]
    rate = 1 / largest
    for _ in range(steps):
        loss = ((output(*parameters) - y) ** 2).sum() / 2
        slopes = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, g in zip(parameters, slopes):
                p -= rate * g
    with torch.no_grad():
        loss = ((output(*parameters) - y) ** 2).sum() / 2
    change = torch.linalg.eigvalsh(gram(parameters) - before)
    drift = change.abs().max() / largest
    movement = max((p - q).norm().item() for p, q in zip(parameters, first))
    return [loss.item(), drift.item(), movement]


def step():
    return [v for width, starts in zip(job["widths"], job["starts"]) for start in starts for v in train(start, width)]


report(job, step, lambda values: values)
