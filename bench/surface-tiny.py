"""Loss of a small tanh network on a plane: a loop over the points that sets the parameters and runs the network."""
import json
import sys

import torch

from sine_tensor import report

job = json.load(sys.stdin)
torch.set_num_threads(1)
x, y = torch.tensor(job["x"], dtype=torch.float32), torch.tensor(job["y"], dtype=torch.float32)
widths = job["widths"]
layers = [torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
net = torch.nn.Sequential(*[m for layer in layers for m in (layer, torch.nn.Tanh())][:-1])
x, y = x.reshape(-1, widths[0]), y.reshape(-1, widths[-1])
center = torch.tensor(job["thetas"], dtype=torch.float32).flatten()
first, second = (torch.tensor(d, dtype=torch.float32) for d in job["directions"])


def surface():
    values = []
    with torch.no_grad():
        for b in job["nodes"]:
            for a in job["nodes"]:
                torch.nn.utils.vector_to_parameters(center + a * first + b * second, net.parameters())
                values.append(torch.nn.functional.mse_loss(net(x), y).item())
    return values


report({**job, "threads": 1}, surface, list)
