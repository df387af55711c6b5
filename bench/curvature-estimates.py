"""Trace and spectral density of a Hessian: plain PyTorch loops, or PyHessian where `folder` says where it is.

PyHessian's own rule for the trace, to stop when the running mean changes by less than a thousandth, is no standard error: here
it is given the number of probes that Hutchinson's estimator needs for the wanted one.
"""
import json
import sys

import torch

from sine_tensor import report, sine_tensor

job = json.load(sys.stdin)
torch.set_num_threads(job["threads"])
torch.set_default_dtype(torch.float64)
widths, n = job["widths"], job["n"]
x = sine_tensor(torch.float64, (n, widths[0]), 1)
y = torch.arange(n) % widths[-1]
layers = []
for i in range(len(widths) - 1):
    layers += [torch.nn.Linear(widths[i], widths[i + 1]), torch.nn.Tanh()]
net = torch.nn.Sequential(*layers[:-1])
theta = torch.tensor(job["theta"])
torch.nn.utils.vector_to_parameters(theta, net.parameters())
params = list(net.parameters())
criterion = torch.nn.functional.cross_entropy


def make_product():
    loss = criterion(net(x), y)
    gradients = torch.autograd.grad(loss, params, create_graph=True)
    gradient = torch.cat([g.reshape(-1) for g in gradients])

    def product(v):
        parts = torch.autograd.grad(gradient, params, v, retain_graph=True)
        return torch.cat([p.reshape(-1) for p in parts])

    return product


def signs():
    return torch.randint(0, 2, theta.shape).double() * 2 - 1


def hutchinson(product):
    samples = []
    while True:
        v = signs()
        samples.append((v @ product(v)).item())
        if len(samples) >= 10 and len(samples) % 5 == 0:
            s = torch.tensor(samples)
            if (s.std() / len(samples) ** 0.5).item() <= job["accuracy"] * abs(s.mean().item()) or len(samples) > 20000:
                return s.mean().item(), len(samples)


def lanczos(product):
    nodes, weights = [], []
    for _ in range(job["probes"]):
        v = signs()
        basis, alphas, betas = [v / v.norm()], [], []
        for k in range(job["steps"]):
            w = product(basis[-1])
            alphas.append((w @ basis[-1]).item())
            q = torch.stack(basis)
            for _ in range(2):
                w = w - q.T @ (q @ w)
            beta = w.norm().item()
            if beta < 1e-12 or k + 1 == job["steps"]:
                break
            betas.append(beta)
            basis.append(w / beta)
        t = torch.diag(torch.tensor(alphas)) + torch.diag(torch.tensor(betas), 1) + torch.diag(torch.tensor(betas), -1)
        values, vectors = torch.linalg.eigh(t)
        nodes.append(values)
        weights.append(vectors[0] ** 2)
    return nodes, weights


def distribution(nodes, weights):
    return [sum(w[v <= end].sum().item() for v, w in zip(nodes, weights)) / len(nodes) for end in job["grid"]]


def plain_step():
    torch.manual_seed(0)
    product = make_product()
    if job["what"] == "trace":
        return [hutchinson(product)[0]]
    return distribution(*lanczos(product))


def pyhessian_step(probes):
    from pyhessian import hessian

    torch.manual_seed(0)
    net.zero_grad()
    h = hessian(net, criterion, data=(x, y), cuda=False)
    if job["what"] == "trace":
        found = h.trace(maxIter=probes, tol=0)
        return [sum(found) / len(found)]
    nodes, weights = h.density(iter=job["steps"], n_v=job["probes"])
    # its eigenvalues of symmetric matrices come as complex numbers
    real = [[torch.tensor([complex(v).real for v in row]) for row in rows] for rows in (nodes, weights)]
    return distribution(*real)


if "folder" in job:
    sys.path.insert(0, job["folder"])
    torch.manual_seed(0)
    needed = hutchinson(make_product())[1] if job["what"] == "trace" else 0
    report(job, lambda: pyhessian_step(needed), list)
else:
    report(job, plain_step, list)
