"""Hessian-vector products in PyTorch: reverse over reverse, the gradient's graph retained or built anew."""
import json
import sys

import torch

from mlp_loss import mlp_loss
from sine_tensor import report, sine_tensor

job = json.load(sys.stdin)
loss, theta = mlp_loss(torch.float32, job["widths"], job["n"])
theta.requires_grad_()
v = sine_tensor(torch.float32, theta.shape, 4)


def gradient():
    return torch.autograd.grad(loss(theta), theta, create_graph=True)[0]


kept = gradient()


def step():
    g = kept if job["retained"] else gradient()
    return torch.autograd.grad(g, theta, v, retain_graph=True)[0]


report(job, step, lambda hvp: hvp.tolist())
