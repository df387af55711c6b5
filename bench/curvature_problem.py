"""The loss that the curvature benchmarks share, its plain Hessian-vector product, and what every contestant reports."""
import json
import sys
from math import ceil

import torch

from sine_tensor import report, sine_tensor

job = json.load(sys.stdin)
if "folder" in job:
    sys.path.insert(0, job["folder"])
torch.set_num_threads(job["threads"])
torch.set_default_dtype(torch.float64)
widths, n = job["widths"], job["n"]
x = sine_tensor(torch.float64, (n, widths[0]), 1)
y = torch.tensor(job["labels"])
layers = []
for i in range(len(widths) - 1):
    layers += [torch.nn.Linear(widths[i], widths[i + 1]), torch.nn.Tanh()]
net = torch.nn.Sequential(*layers[:-1])
theta = torch.tensor(job["theta"])
torch.nn.utils.vector_to_parameters(theta, net.parameters())
params = list(net.parameters())
criterion = torch.nn.CrossEntropyLoss()
batches = list(zip(x.split(job.get("batch", n)), y.split(job.get("batch", n))))


def flat(parts):
    return torch.cat([part.reshape(-1) for part in parts])


def make_product(weights=(1.0,), parts=((x, y),)):
    """v ↦ Hv of Σ weights · loss(part), the gradient's graph retained."""
    loss = sum(w * criterion(net(inputs), targets) for w, (inputs, targets) in zip(weights, parts))
    gradient = flat(torch.autograd.grad(loss, params, create_graph=True))

    def product(v):
        return flat(torch.autograd.grad(gradient, params, v, retain_graph=True)).detach()

    return product


class Counted:
    """A function that counts its calls."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args):
        self.calls += 1
        return self.function(*args)


def residuals(values, vectors):
    """‖Hv − λv‖ of each pair, by products of our own with the vectors scaled to norm 1."""
    product = make_product()
    units = [v / v.norm() for v in vectors]
    return [(product(v) - value * v).norm().item() for value, v in zip(values, units)]


def dense_hessian():
    product = make_product()
    return torch.stack([product(row) for row in torch.eye(theta.numel())])


def hutchinson_probes():
    """Signs by which Hutchinson's estimator has the wanted standard error: 2 (‖H‖_F² − Σ h_ii²) / error²."""
    h = dense_hessian()
    return ceil(2 * ((h**2).sum() - (h.diag() ** 2).sum()).item() / (job["accuracy"] * h.trace().item()) ** 2)


def distribution(nodes, weights):
    """Share of eigenvalues up to each place of the grid: the mean of discrete measures, one per probe."""
    return [sum(w[v <= end].sum().item() for v, w in zip(nodes, weights)) / len(nodes) for end in job["grid"]]


def run(step):
    """Times `step`, which answers its numbers and a function that gives the facts about them."""
    facts = {}

    def numbers(answer):
        facts.update(answer[1]())
        return answer[0]

    report(job, step, numbers, lambda: {"facts": {"torch": torch.__version__, **facts}})
