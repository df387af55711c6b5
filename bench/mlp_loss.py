"""Mean cross-entropy of a tanh network as a function of one flat θ, with the values of `mlp-loss.ts`."""
from math import prod

import torch

from sine_tensor import sine_tensor


def mlp_loss(dtype, widths, n):
    shapes = [s for i, width in enumerate(widths[1:]) for s in ((widths[i], width), (width,))]
    x = sine_tensor(dtype, (n, widths[0]), 1)
    y = torch.arange(n) % widths[-1]
    theta = sine_tensor(dtype, (sum(map(prod, shapes)),), 3, 0.1)

    def loss(theta):
        params = [part.reshape(shape) for part, shape in zip(theta.split([prod(s) for s in shapes]), shapes)]
        h = x
        for i in range(0, len(params), 2):
            h = h @ params[i] + params[i + 1]
            if i + 2 < len(params):
                h = torch.tanh(h)
        # written out, since forward mode over `cross_entropy` is missing in functorch 1.13
        return (torch.logsumexp(h, 1) - h[torch.arange(n), y]).mean()

    return loss, theta
