"""Loss and gradient of a small convolutional network in PyTorch, with the values of the benchmark beside it."""
import json
import sys

import torch
import torch.nn.functional as F

from sine_tensor import report, sine_tensor

job = json.load(sys.stdin)
n, channels = job["n"], job["channels"]
x = sine_tensor(torch.float32, (n, 3, 32, 32), 1)
y = torch.arange(n) % 10
params = []


def parameter(shape, scale):
    params.append(sine_tensor(torch.float32, shape, len(params) + 1, scale).requires_grad_())


for before, after in zip(channels, channels[1:]):
    parameter((after, before, 3, 3), 0.1)
    parameter((after,), 0.1)
parameter((channels[-1] * 32 * 32, 10), 0.01)
parameter((10,), 0.1)


def step():
    h = x
    for i in range(0, len(params) - 2, 2):
        h = F.relu(F.conv2d(h, params[i], params[i + 1], padding=1))
    loss = F.cross_entropy(h.flatten(1) @ params[-2] + params[-1], y)
    return loss, torch.autograd.grad(loss, params)


report(job, step, lambda value: [value[0].item(), *value[1][2].flatten().tolist()])
