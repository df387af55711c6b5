"""Curvature in plain PyTorch loops, as one writes them in an afternoon, with the gradient's graph retained.

Power iteration with deflation goes on until ‖Hv − λv‖ ≤ tolerance · |λ₁|. Run as `"mean of batches"` it averages the Hessians of
batches without weighing them, as happens where a loop divides by the number of batches.
"""
import torch

from curvature_problem import Counted, batches, dense_hessian, distribution, job, make_product, residuals, run, theta


def deflated(v, basis):
    for q in basis:
        v = v - (q @ v) * q
    return v / v.norm()


def pair(product, basis, scale):
    v = deflated(torch.randn_like(theta), basis)
    while product.calls < job["maxProducts"]:
        hv = product(v)
        value = (v @ hv).item()
        if (hv - value * v).norm().item() <= job["tolerance"] * (scale or abs(value)):
            break
        v = deflated(hv, basis)
    return value, v


def power_iteration(product):
    values, basis = [], []
    for _ in range(job["count"]):
        value, v = pair(product, basis, abs(values[0]) if values else None)
        values.append(value)
        basis.append(v)
    order = sorted(range(len(values)), key=lambda i: -values[i])
    values, vectors = [values[i] for i in order], [basis[i] for i in order]
    return values, lambda: {"residuals": residuals(values, vectors), "products": product.calls}


def signs():
    return torch.randint(0, 2, theta.shape).double() * 2 - 1


def hutchinson(product):
    samples = []
    while True:
        v = signs()
        samples.append((v @ product(v)).item())
        if len(samples) >= 10 and len(samples) % 5 == 0:
            s = torch.tensor(samples)
            mean, error = s.mean().item(), (s.std() / len(samples) ** 0.5).item()
            if error <= job["accuracy"] * abs(mean) or product.calls >= job["maxProducts"]:
                return [mean], lambda: {"products": product.calls, "standardError": error}


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
    return distribution(nodes, weights), lambda: {"products": product.calls}


def all_eigenvalues():
    values = torch.linalg.eigvalsh(dense_hessian())
    count = theta.numel()
    if job["what"] == "trace":
        return [values.sum().item()], lambda: {"products": count}
    if job["what"] == "density":
        return distribution([values], [torch.ones(count) / count]), lambda: {"products": count}
    return values.flip(0)[: job["count"]].tolist(), lambda: {"products": count}


def step():
    torch.manual_seed(0)
    if job.get("exact"):
        return all_eigenvalues()
    if job.get("mean of batches"):
        return power_iteration(Counted(make_product([1 / len(batches)] * len(batches), batches)))
    return {"spectrum": power_iteration, "trace": hutchinson, "density": lanczos}[job["what"]](Counted(make_product()))


run(step)
