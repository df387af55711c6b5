"""Small PyTorch models that between them use what common architectures are made of; see export_architectures.py.

Every entry is (name, module, inputs, loss, options). Widths are tiny, so that a fixture has a few kilobytes.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Residual(nn.Module):
    """x + f(x), or g(x) + f(x) where the shape changes."""

    def __init__(self, body, shortcut=None, after=None):
        super().__init__()
        self.body, self.shortcut, self.after = body, shortcut or nn.Identity(), after or nn.Identity()

    def forward(self, x):
        return self.after(self.shortcut(x) + self.body(x))


class Concatenate(nn.Module):
    """Branches side by side along the channels: DenseNet with an identity branch, Inception with several."""

    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 2, 1), nn.SiLU(), nn.Conv2d(2, channels, 1), nn.Sigmoid()
        )

    def forward(self, x):
        return x * self.gate(x)


class Last(nn.Module):
    """A recurrent layer and a head on its last output."""

    def __init__(self, layer, width, outputs=2):
        super().__init__()
        self.layer, self.head = layer, nn.Linear(width, outputs)

    def forward(self, x):
        y, _ = self.layer(x)
        return self.head(y[:, -1])


class FinalState(nn.Module):
    """A bidirectional LSTM, head on its final hidden and cell states."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.LSTM(2, 2, bidirectional=True, batch_first=True), nn.Linear(8, 2)

    def forward(self, x):
        _, (h, c) = self.layer(x)
        return self.head(torch.cat([h[0], h[1], c[0], c[1]], 1))


class Attention(nn.Module):
    """Multi-head attention written out, with an optional causal mask by Where."""

    def __init__(self, width, heads, causal=False):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = (
            part.reshape(n, t, self.heads, d // self.heads).transpose(1, 2) for part in self.project(x).chunk(3, -1)
        )
        scores = q @ k.transpose(-2, -1) / math.sqrt(d // self.heads)
        if self.causal:
            visible = torch.ones(t, t, dtype=torch.bool).tril()
            scores = scores.masked_fill(~visible, float("-inf"))
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(n, t, d))


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width, heads, causal=False, activation=None):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, causal)
        self.mlp = nn.Sequential(nn.Linear(width, 6), activation or nn.GELU(), nn.Linear(6, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class TextClassifier(nn.Module):
    """Token and position embeddings, a block, and the mean over the tokens that are not padding (0)."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(7, 4), nn.Embedding(5, 4)
        self.block, self.head = Block(4, 2), nn.Linear(4, 3)

    def forward(self, tokens):
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        x = self.block(x)
        kept = (tokens != 0).unsqueeze(-1)
        x = torch.where(kept, x, torch.zeros((), dtype=x.dtype))
        return self.head(x.sum(1) / kept.sum(1))


class LanguageModel(nn.Module):
    """Causal, next token after the last; the embedding is tied to the output layer."""

    def __init__(self):
        super().__init__()
        self.embedding, self.block = nn.Embedding(6, 4), Block(4, 2, causal=True, activation=nn.GELU("tanh"))
        self.norm = nn.LayerNorm(4)

    def forward(self, tokens):
        x = self.norm(self.block(self.embedding(tokens)))
        return F.linear(x[:, -1], self.embedding.weight)


class TorchEncoder(nn.Module):
    """torch.nn's own encoder layer."""

    def __init__(self, **options):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(4, 2, 5, dropout=0.0, batch_first=True, **options)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.encoder(x).mean(1))


class TorchAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.head = nn.MultiheadAttention(4, 2, batch_first=True), nn.Linear(4, 2)

    def forward(self, x):
        y, _ = self.attention(x, x, x, need_weights=False)
        return self.head(y[:, 0])


class VisionTransformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches, self.first = nn.Conv2d(1, 4, 2, 2), nn.Parameter(torch.zeros(1, 1, 4))
        self.positions = nn.Parameter(torch.zeros(1, 5, 4))
        self.block, self.norm, self.head = Block(4, 2), nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.block(x))[:, 0])


class TwoInputs(nn.Module):
    """A table of numbers and a category: an integer input beside a float one."""

    def __init__(self):
        super().__init__()
        self.embedding, self.body = nn.Embedding(4, 2), nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))

    def forward(self, numbers, category):
        return self.body(torch.cat([numbers, self.embedding(category)], 1))


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Sequential(nn.Linear(3, 4), nn.Tanh()), nn.Linear(8, 2)

    def forward(self, left, right):
        a, b = self.body(left), self.body(right)
        return self.head(torch.cat([a * b, (a - b).abs()], 1)) + F.cosine_similarity(a, b).unsqueeze(1)


class Einsum(nn.Module):
    def __init__(self):
        super().__init__()
        self.u, self.v = nn.Parameter(torch.zeros(3, 4, 2)), nn.Parameter(torch.zeros(2, 4))

    def forward(self, x):
        return torch.einsum("ni,ijk,kj->nk", x, self.u, self.v)


class RootMeanSquareNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.scale, self.gate, self.last = nn.Linear(3, 4), nn.Parameter(torch.zeros(4)), nn.Linear(4, 8), nn.Linear(4, 2)

    def forward(self, x):
        x = self.first(x)
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.scale
        a, b = self.gate(x).chunk(2, -1)
        return self.last(F.silu(a) * b)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.inner = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.up, self.out = nn.ConvTranspose2d(2, 2, 2, 2), nn.Conv2d(4, 1, 1)

    def forward(self, x):
        a = torch.tanh(self.down(x))
        b = torch.tanh(self.inner(F.avg_pool2d(a, 2)))
        return self.out(torch.cat([a, self.up(b)], 1))


class Mixture(nn.Module):
    """Two experts weighted by a softmax gate."""

    def __init__(self):
        super().__init__()
        self.gate, self.experts = nn.Linear(3, 2), nn.ModuleList(nn.Linear(3, 2) for _ in range(2))

    def forward(self, x):
        weights = self.gate(x).softmax(-1)
        return torch.stack([torch.tanh(e(x)) for e in self.experts], -1).mul(weights.unsqueeze(1)).sum(-1)


class WithLoss(nn.Module):
    """A model that returns its own loss beside its scores."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(3, 3)

    def forward(self, x, labels):
        scores = self.body(x)
        return F.cross_entropy(scores, labels), scores


class WeightNorm(nn.Module):
    """w = g v / ‖v‖ per unit, written out: the second derivative of torch 1.13's own is wrong."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.scale, self.bias = nn.Parameter(torch.zeros(outputs, 1)), nn.Parameter(torch.zeros(outputs))
        self.direction = nn.Parameter(torch.zeros(outputs, inputs))

    def forward(self, x):
        return F.linear(x, self.scale * self.direction / self.direction.norm(dim=1, keepdim=True), self.bias)


def perceptron(activation, gated=False):
    return nn.Sequential(nn.Linear(3, 4), activation, nn.Linear(2 if gated else 4, 3))


def convolutional(*layers, features, outputs=2):
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, outputs))


ACTIVATIONS = {
    "elu": nn.ELU(), "hardshrink": nn.Hardshrink(0.1), "hardsigmoid": nn.Hardsigmoid(), "hardtanh": nn.Hardtanh(),
    "hardswish": nn.Hardswish(), "leaky-relu": nn.LeakyReLU(0.05), "log-sigmoid": nn.LogSigmoid(), "prelu": nn.PReLU(4),
    "relu": nn.ReLU(), "relu6": nn.ReLU6(), "rrelu": nn.RReLU(0.125, 0.25), "selu": nn.SELU(), "celu": nn.CELU(1.25),
    "gelu": nn.GELU(), "gelu-tanh": nn.GELU("tanh"), "sigmoid": nn.Sigmoid(), "silu": nn.SiLU(), "mish": nn.Mish(),
    "softplus": nn.Softplus(), "softshrink": nn.Softshrink(0.1), "softsign": nn.Softsign(), "tanh": nn.Tanh(),
    "tanhshrink": nn.Tanhshrink(), "threshold": nn.Threshold(0.0, 0.0), "glu": nn.GLU(), "softmin": nn.Softmin(-1),
    "softmax": nn.Softmax(-1),
}
SMOOTH = {"log-sigmoid", "gelu", "gelu-tanh", "sigmoid", "silu", "mish", "softplus", "tanh", "tanhshrink", "glu", "softmin", "softmax"}


def architectures():
    """Yields (name, module, inputs, loss, options); `inputs` maps names to a shape per sample or a count of categories."""
    for name, activation in ACTIVATIONS.items():
        yield f"mlp-{name}", perceptron(activation, name == "glu"), {"x": [3]}, "cross-entropy", {"smooth": name in SMOOTH}
    image = {"x": [2, 6, 6]}
    conv = lambda i, o, **k: nn.Conv2d(i, o, 3, padding=1, **k)
    yield "cnn-max-pool", convolutional(conv(2, 3), nn.ReLU(), nn.MaxPool2d(2), features=27), image, "cross-entropy", {"smooth": False}
    yield "cnn-average-pool", convolutional(conv(2, 2, stride=2), nn.Tanh(), nn.AvgPool2d(2, 1, 1), features=32), image, "mse", {}
    yield "cnn-pool-options", convolutional(nn.MaxPool2d(3, 2, ceil_mode=True), conv(2, 2), nn.Softplus(), nn.AvgPool2d(3, 2, 1, count_include_pad=False), features=8), image, "cross-entropy", {}
    yield "cnn-lp-pool", convolutional(conv(2, 2), nn.Sigmoid(), nn.LPPool2d(2, 2), features=18), image, "cross-entropy", {}
    yield "cnn-adaptive-pool", convolutional(conv(2, 2), nn.Tanh(), nn.AdaptiveAvgPool2d(2), features=8), image, "cross-entropy", {}
    yield "cnn-global-max-pool", convolutional(conv(2, 4), nn.Tanh(), nn.AdaptiveMaxPool2d(1), features=4), image, "cross-entropy", {"smooth": False}
    yield "cnn-batch-norm", convolutional(conv(2, 2, bias=False), nn.BatchNorm2d(2), nn.Tanh(), nn.AvgPool2d(3), features=8), image, "cross-entropy", {}
    yield "cnn-group-norm", convolutional(conv(2, 4), nn.GroupNorm(2, 4), nn.SiLU(), nn.AvgPool2d(3), features=16), image, "cross-entropy", {}
    yield "cnn-instance-norm", convolutional(conv(2, 2), nn.InstanceNorm2d(2, affine=True), nn.SiLU(), nn.AvgPool2d(3), features=8), image, "cross-entropy", {}
    yield "cnn-layer-norm", convolutional(conv(2, 2), nn.LayerNorm([2, 6, 6]), nn.Tanh(), nn.AvgPool2d(3), features=8), image, "mse", {}
    yield "cnn-local-response-norm", convolutional(conv(2, 4), nn.LocalResponseNorm(3), nn.Tanh(), nn.AvgPool2d(3), features=16), image, "cross-entropy", {}
    yield "cnn-grouped-dilated", convolutional(nn.Conv2d(2, 4, 3, dilation=2, groups=2), nn.Tanh(), features=16), image, "cross-entropy", {}
    yield "cnn-padding-modes", convolutional(conv(2, 2, padding_mode="reflect"), nn.Tanh(), conv(2, 1, padding_mode="replicate"), nn.AvgPool2d(2), features=9), image, "cross-entropy", {}
    yield "cnn-transposed", convolutional(nn.ConvTranspose2d(2, 2, 3, 2, 1, output_padding=1, groups=2), nn.Tanh(), nn.AvgPool2d(4), features=18), image, "mse", {}
    yield "cnn-upsample", convolutional(nn.Conv2d(2, 1, 3), nn.Tanh(), nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3), nn.Upsample(size=4, mode="bilinear", align_corners=False), features=16), image, "mse", {}
    yield "cnn-pixel-shuffle", convolutional(nn.Conv2d(2, 4, 3, stride=2), nn.PixelShuffle(2), nn.Tanh(), features=16), image, "cross-entropy", {}
    yield "cnn-1d", convolutional(nn.Conv1d(2, 3, 3), nn.Tanh(), nn.MaxPool1d(2), nn.BatchNorm1d(3), features=9), {"x": [2, 8]}, "cross-entropy", {}
    yield "cnn-3d", convolutional(nn.Conv3d(1, 2, 2), nn.Tanh(), nn.AvgPool3d(2), features=2), {"x": [1, 3, 3, 3]}, "cross-entropy", {}
    norm = lambda c: nn.BatchNorm2d(c)
    body = lambda i, o, s: nn.Sequential(conv(i, o, stride=s, bias=False), norm(o), nn.ReLU(), conv(o, o, bias=False), norm(o))
    yield "resnet", nn.Sequential(conv(2, 2, bias=False), norm(2), nn.ReLU(), Residual(body(2, 2, 1), after=nn.ReLU()), Residual(body(2, 3, 2), nn.Sequential(nn.Conv2d(2, 3, 1, 2, bias=False), norm(3)), nn.ReLU()), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 3)), image, "cross-entropy", {"smooth": False}
    yield "vgg", nn.Sequential(conv(2, 2), nn.ReLU(True), conv(2, 2), nn.ReLU(True), nn.MaxPool2d(2, 2), conv(2, 3), nn.ReLU(True), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(3, 4), nn.ReLU(True), nn.Dropout(), nn.Linear(4, 3)), image, "cross-entropy", {"smooth": False}
    yield "densenet", nn.Sequential(conv(2, 2), Concatenate(nn.Identity(), nn.Sequential(norm(2), nn.SiLU(), conv(2, 2))), norm(4), nn.SiLU(), nn.Conv2d(4, 2, 1), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(18, 2)), image, "cross-entropy", {}
    yield "mobilenet", nn.Sequential(Residual(nn.Sequential(nn.Conv2d(2, 4, 1, bias=False), norm(4), nn.ReLU6(), conv(4, 4, groups=4, bias=False), norm(4), nn.ReLU6(), nn.Conv2d(4, 2, 1, bias=False), norm(2))), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)), image, "cross-entropy", {"smooth": False}
    yield "efficientnet", nn.Sequential(conv(2, 2, groups=2), nn.SiLU(), SqueezeExcite(2), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(8, 2)), image, "cross-entropy", {}
    yield "inception", nn.Sequential(Concatenate(nn.Conv2d(2, 1, 1), nn.Conv2d(2, 1, (3, 1), padding=(1, 0)), nn.AvgPool2d(3, 1, 1)), nn.Tanh(), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(16, 2)), image, "cross-entropy", {}
    yield "unet", UNet(), {"x": [1, 4, 4]}, "mse", {}
    yield "autoencoder", nn.Sequential(nn.Linear(5, 2), nn.Sigmoid(), nn.Linear(2, 5)), {"x": [5]}, "huber", {}
    yield "mlp-layer-norm", nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), Residual(nn.Sequential(nn.GELU(), nn.Linear(4, 4))), nn.Linear(4, 2)), {"x": [3]}, "cross-entropy", {}
    yield "mlp-weight-norm", nn.Sequential(WeightNorm(3, 4), nn.Tanh(), nn.Linear(4, 2)), {"x": [3]}, "cross-entropy", {}
    yield "root-mean-square-norm", RootMeanSquareNorm(), {"x": [3]}, "cross-entropy", {}
    yield "mixture-of-experts", Mixture(), {"x": [3]}, "mse", {}
    yield "einsum", Einsum(), {"x": [3]}, "mse", {}
    yield "two-inputs", TwoInputs(), {"numbers": [3], "category": 4}, "binary-cross-entropy", {}
    yield "siamese", Siamese(), {"left": [3], "right": [3]}, "cross-entropy", {"smooth": False}
    sequence = {"x": [4, 2]}
    yield "rnn-tanh", Last(nn.RNN(2, 3, batch_first=True), 3), sequence, "cross-entropy", {}
    yield "rnn-relu", Last(nn.RNN(2, 3, nonlinearity="relu", batch_first=True), 3), sequence, "cross-entropy", {"smooth": False}
    yield "lstm-two-layers", Last(nn.LSTM(2, 2, 2, batch_first=True), 2), sequence, "cross-entropy", {}
    yield "lstm-bidirectional", FinalState(), sequence, "mse", {}
    yield "gru", Last(nn.GRU(2, 3, batch_first=True), 3), sequence, "cross-entropy", {}
    yield "gru-bidirectional", Last(nn.GRU(2, 2, bidirectional=True, bias=False, batch_first=True), 4), sequence, "cross-entropy", {}
    yield "text-classifier", TextClassifier(), {"tokens": (7, [5])}, "cross-entropy", {}
    yield "language-model", LanguageModel(), {"tokens": (6, [4])}, "cross-entropy", {}
    yield "transformer-encoder", TorchEncoder(activation="gelu"), {"x": [3, 4]}, "cross-entropy", {"training": True}
    yield "transformer-encoder-pre-norm", TorchEncoder(norm_first=True, activation=F.silu), {"x": [3, 4]}, "cross-entropy", {"training": True}
    yield "multi-head-attention", TorchAttention(), {"x": [3, 4]}, "cross-entropy", {"training": True}
    yield "vision-transformer", VisionTransformer(), {"x": [1, 4, 4]}, "cross-entropy", {}
    yield "ends-in-log-softmax", nn.Sequential(perceptron(nn.Tanh()), nn.LogSoftmax(1)), {"x": [3]}, "negative-log-likelihood", {}
    yield "ends-in-softmax", nn.Sequential(perceptron(nn.Tanh()), nn.Softmax(1)), {"x": [3]}, "mse", {}
    yield "ends-in-sigmoid", nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1), nn.Sigmoid()), {"x": [3]}, "mse", {}
