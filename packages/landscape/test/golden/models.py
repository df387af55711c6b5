"""Writes models.json: outputs of PyTorch's layers for the models of this package, in float64.

Run with PyTorch 1.13: python3 models.py > models.json
"""

import json
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def case(model, x):
    """Parameters in PyTorch's order; `named` keeps the reader honest about it."""
    named = [(n, list(p.shape)) for n, p in model.named_parameters()]
    theta = torch.cat([p.detach().reshape(-1) for p in model.parameters()]).tolist()
    return {"named": named, "theta": theta, "x": x.reshape(-1).tolist(), "outputs": model(x).detach().reshape(-1).tolist()}


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolutions = nn.ModuleList([nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 4, 3, padding=1)])
        self.layers = nn.ModuleList([nn.Linear(4 * 2 * 1, 5), nn.Linear(5, 3)])

    def forward(self, x):
        for c in self.convolutions:
            x = F.max_pool2d(torch.relu(c(x)), 2)
        return self.layers[1](torch.relu(self.layers[0](x.flatten(1))))


class Block(nn.Module):
    def __init__(self, inputs, outputs, shortcut, norm):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.option = shortcut
        bias = norm is None
        self.convolution1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=bias)
        self.normalization1 = norm(outputs) if norm else None
        self.convolution2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=bias)
        self.normalization2 = norm(outputs) if norm else None
        self.shortcut = None
        if shortcut == "B" and stride == 2:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2, bias=bias)
            self.shortcutNormalization = norm(outputs) if norm else None
        self.pad = (outputs - inputs) // 2

    def forward(self, x):
        n = lambda layer, z: layer(z) if layer else z
        out = torch.relu(n(self.normalization1, self.convolution1(x)))
        out = n(self.normalization2, self.convolution2(out))
        if self.option == "none":
            return torch.relu(out)
        if self.shortcut is not None:
            x = n(self.shortcutNormalization, self.shortcut(x))
        elif self.pad:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return torch.relu(x + out)


class Resnet(nn.Module):
    def __init__(self, width, shortcut, norm):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1, bias=norm is None)
        self.stemNormalization = norm(width) if norm else None
        w = [width, width, 2 * width, 4 * width]
        self.stages = nn.ModuleList([nn.ModuleList([Block(w[i], w[i + 1], shortcut, norm)]) for i in range(3)])
        self.output = nn.Linear(4 * width, 5)

    def forward(self, x):
        x = self.stem(x)
        x = torch.relu(self.stemNormalization(x) if self.stemNormalization else x)
        for stage in self.stages:
            x = stage[0](x)
        return self.output(x.mean((2, 3)))


def frozen(channels):
    return nn.BatchNorm2d(channels).eval()


def perturbed(model):
    """Scales and shifts away from 1 and 0, so that a mix-up shows."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
    return model


torch.manual_seed(0)
mlp = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
images = torch.randn(2, 3, 9, 8)
groups = lambda c: nn.GroupNorm(2, c)
cases = {
    "mlp": case(mlp, torch.randn(5, 3)),
    "cnn": case(Cnn(), torch.randn(3, 2, 8, 5)),
    "resnet-A-group": case(perturbed(Resnet(2, "A", groups)), images),
    "resnet-B-batch": case(perturbed(Resnet(2, "B", frozen)), images),
    "resnet-none-none": case(Resnet(2, "none", None), images),
    "resnet-A-layer": case(perturbed(Resnet(2, "A", lambda c: nn.GroupNorm(1, c))), images),
}
print(json.dumps({"source": f"PyTorch {torch.__version__}, float64, models.py", "cases": cases}))
