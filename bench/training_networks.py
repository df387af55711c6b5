"""Full-batch Adam on small tanh networks in PyTorch: one after the other, or all at once by functorch's vmap."""
import json
import sys
import time

import torch

job = json.load(sys.stdin)
widths, steps = job["widths"], job["steps"]
x = torch.tensor(job["x"], dtype=torch.float32).reshape(job["n"], widths[0])
y = torch.tensor(job["y"], dtype=torch.float32).reshape(job["n"], 1)
torch.set_num_threads(job.get("threads", 2))


def unpack(theta):
    parts, at = [], 0
    for d, k in zip(widths, widths[1:]):
        for shape in ((k, d), (k,)):
            size = shape[0] * (shape[1] if len(shape) > 1 else 1)
            parts.append(theta[at : at + size].reshape(shape))
            at += size
    return parts


def loss_of(parameters):
    h = x
    for i in range(0, len(parameters), 2):
        h = torch.nn.functional.linear(h, parameters[i], parameters[i + 1])
        if i + 2 < len(parameters):
            h = torch.tanh(h)
    return torch.nn.functional.mse_loss(h, y)


def one_by_one():
    losses = []
    for theta in job["thetas"]:
        parameters = [p.clone().requires_grad_() for p in unpack(torch.tensor(theta, dtype=torch.float32))]
        adam = torch.optim.Adam(parameters, lr=job["rate"])
        for _ in range(steps):
            adam.zero_grad()
            loss_of(parameters).backward()
            adam.step()
        with torch.no_grad():
            losses.append(loss_of(parameters).item())
    return losses


def together():
    from functorch import grad, vmap

    thetas = torch.tensor(job["thetas"], dtype=torch.float32)
    value = lambda theta: loss_of(unpack(theta))
    slope = vmap(grad(value))
    m, v = torch.zeros_like(thetas), torch.zeros_like(thetas)
    for t in range(1, steps + 1):
        g = slope(thetas)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        thetas = thetas - job["rate"] / (1 - 0.9**t) * m / (v.sqrt() / (1 - 0.999**t) ** 0.5 + 1e-8)
    return vmap(value)(thetas).tolist()


work = together if job.get("vectorised") else one_by_one
work()
elapsed = []
for _ in range(job["repetitions"]):
    start = time.perf_counter()
    result = work()
    elapsed.append(1000 * (time.perf_counter() - start))
print(json.dumps({"elapsedMs": elapsed, "result": result}))
