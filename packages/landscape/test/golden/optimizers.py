"""Writes optimizers.json: 50 steps of PyTorch's optimizers on a small network, in float64.

Run with PyTorch 1.13: python3 optimizers.py > optimizers.json
"""

import json
import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
WIDTHS = [3, 5, 4]
SAMPLES = 12
x = torch.randn(SAMPLES, 3)
y = torch.randint(0, 4, (SAMPLES,))


def network():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 4))


def flat(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()]).tolist()


def run(make, steps=50):
    model = network()
    optimizer = make(model.parameters())
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return {"losses": losses, "theta": flat(model)}


optim = torch.optim
cases = {
    "gradient-descent": lambda p: optim.SGD(p, lr=0.5),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "sgd-weight-decay": lambda p: optim.SGD(p, lr=0.1, momentum=0.8, weight_decay=0.01),
    "adam": lambda p: optim.Adam(p, lr=0.02),
    "adam-weight-decay": lambda p: optim.Adam(p, lr=0.02, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.05),
    "adamw": lambda p: optim.AdamW(p, lr=0.02, weight_decay=0.1),
}
print(
    json.dumps(
        {
            "source": f"PyTorch {torch.__version__}, float64, optimizers.py",
            "widths": WIDTHS,
            "x": x.reshape(-1).tolist(),
            "y": y.tolist(),
            "start": flat(network()),
            "cases": {name: run(make) for name, make in cases.items()},
        }
    )
)
