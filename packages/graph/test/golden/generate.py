"""Writes the golden values of this folder, from PyTorch 1.13 (float64), SciPy 1.10 and mpmath 1.2.

    python3 generate.py

Every file is {"source": ..., "cases": [...]}; numbers JSON has no name for are written as strings: "NaN", "Infinity", "-Infinity", "-0".
"""
import json
import math
import os

import mpmath
import numpy as np
import scipy
import scipy.special
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
mpmath.mp.dps = 40
here = os.path.dirname(os.path.abspath(__file__))
nan, inf = math.nan, math.inf


def plain(x):
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, torch.Tensor):
        return {"shape": list(x.shape), "data": plain(x.detach().flatten().tolist())}
    if isinstance(x, float):
        if math.isnan(x):
            return "NaN"
        if math.isinf(x):
            return "Infinity" if x > 0 else "-Infinity"
        if x == 0 and math.copysign(1, x) < 0:
            return "-0"
    return x


def write(name, source, cases):
    with open(os.path.join(here, name + ".json"), "w") as f:
        f.write('{"source":' + json.dumps(source) + ',"cases":[\n')
        f.write(",\n".join(json.dumps(plain(c), separators=(",", ":")) for c in cases))
        f.write("\n]}\n")


def value_and_slope(f, xs):
    x = torch.tensor(xs, requires_grad=True)
    y = f(x)
    (g,) = torch.autograd.grad(y.sum(), x)
    return y.tolist(), g.tolist()


# ---------------------------------------------------------------- activations at and around their kinks
points = [-1e3, -30.0, -3.5, -3.0, -2.0, -1.0, -0.5, -0.25, -0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 3.5, 30.0, 1e3]
activations = {
    "relu": F.relu,
    "abs": torch.abs,
    "clip": lambda x: torch.clamp(x, -1, 0.5),
    "clipLow": lambda x: torch.clamp(x, min=-0.5),
    "clipHigh": lambda x: torch.clamp(x, max=0.5),
    "hardTanh": F.hardtanh,
    "relu6": lambda x: F.hardtanh(x, 0, 3.5),
    "leakyRelu": lambda x: F.leaky_relu(x, 0.01),
    "elu": lambda x: F.elu(x, 0.7),
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 2.0),
    "hardSigmoid": F.hardsigmoid,
    "hardSwish": F.hardswish,
    "softsign": F.softsign,
    "silu": F.silu,
    "mish": F.mish,
    "logSigmoid": F.logsigmoid,
    "gelu": F.gelu,
    "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
    "thresholdedRelu": lambda x: F.threshold(x, 1.0, 0.0),
    "softShrink": lambda x: F.softshrink(x, 0.5),
    "hardShrink": lambda x: F.hardshrink(x, 0.5),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "erf": torch.erf,
    "atan": torch.atan,
    "sign": torch.sign,
    "round": torch.round,
    "floor": torch.floor,
    "ceil": torch.ceil,
}
cases = []
for name, f in activations.items():
    y, g = value_and_slope(f, points)
    cases.append({"name": name, "x": points, "y": y, "slope": g, "atNaN": f(torch.tensor([nan])).tolist()[0]})
write("activations", f"PyTorch {torch.__version__}, float64", cases)

# ---------------------------------------------------------------- powers, extremes
bases = [-inf, -2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, inf, nan]
exponents = [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0]
cases = []
for c in exponents:
    # of these two PyTorch takes sqrt and rsqrt, which differ from pow at -inf and -0
    at = [x for x in bases if abs(c) != 0.5 or math.copysign(1, x) > 0]
    y, g = value_and_slope(lambda x: x**c, at)
    cases.append({"name": "scalar exponent", "base": at, "exponent": c, "y": y, "baseSlope": g})
for c in exponents:
    x = torch.tensor(bases, requires_grad=True)
    e = torch.full((len(bases),), c, requires_grad=True)
    y = torch.pow(x, e)
    gx, ge = torch.autograd.grad(y.sum(), (x, e))
    cases.append({"name": "tensor exponent", "base": bases, "exponent": c, "y": y.tolist(), "baseSlope": gx.tolist(), "exponentSlope": ge.tolist()})
write("powers", f"PyTorch {torch.__version__}, float64", cases)

cases = []
a = [1.0, 2.0, 3.0, -0.0, inf, -inf, 2.0]
b = [2.0, 2.0, 1.0, 0.0, inf, 3.0, -inf]
for name, f in {"max": torch.maximum, "min": torch.minimum}.items():
    p, q = (torch.tensor(v, requires_grad=True) for v in (a, b))
    y = f(p, q)
    gp, gq = torch.autograd.grad(y.sum(), (p, q))
    cases.append({"name": name, "a": a, "b": b, "y": y.tolist(), "aSlope": gp.tolist(), "bSlope": gq.tolist()})
rows = [[1.0, 3.0, 3.0, 2.0], [2.0, 2.0, 2.0, 2.0], [-1.0, -5.0, -1.0, -5.0]]
for name, f in {"reduceMax": lambda x: torch.amax(x, 1), "reduceMin": lambda x: torch.amin(x, 1)}.items():
    x = torch.tensor(rows, requires_grad=True)
    y = f(x)
    (g,) = torch.autograd.grad(y.sum(), x)
    cases.append({"name": name, "x": x, "y": y.tolist(), "slope": g})
write("extremes", f"PyTorch {torch.__version__}, float64", cases)


# ---------------------------------------------------------------- windows: small integers, so sums are exact
def draw(shape):
    return torch.randint(-4, 5, shape).double()


def pads(begin, end):
    return [p for pair in reversed(list(zip(begin, end))) for p in pair]


def conv_case(x, w, strides, dilations, begin, end, groups):
    f = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(x) - 2]
    x, w = draw(x).requires_grad_(), draw(w).requires_grad_()
    y = f(F.pad(x, pads(begin, end)), w, stride=strides, dilation=dilations, groups=groups)
    g = draw(tuple(y.shape))
    gx, gw = torch.autograd.grad(y, (x, w), g)
    return {"name": "conv", "x": x, "w": w, "strides": strides, "dilations": dilations, "padsBegin": begin, "padsEnd": end,
            "groups": groups, "y": y, "g": g, "gx": gx, "gw": gw}


def transpose_case(x, w, strides, dilations, pad, output_padding, groups):
    f = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[len(x) - 2]
    x, w = draw(x), draw(w)
    y = f(x, w, stride=strides, dilation=dilations, padding=pad, output_padding=output_padding, groups=groups)
    return {"name": "convTranspose", "x": x, "w": w, "strides": strides, "dilations": dilations, "pads": pad,
            "outputPadding": output_padding, "groups": groups, "y": y}


def max_pool_case(x, kernel, strides, dilations, pad, specials=()):
    f = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}[len(x) - 2]
    x = draw(x)
    for at, v in specials:
        x[at] = v
    x.requires_grad_()
    y, positions = f(x, kernel, strides, pad, dilations, return_indices=True)
    g = draw(tuple(y.shape))
    (gx,) = torch.autograd.grad(y, x, g)
    return {"name": "maxPool", "x": x, "kernel": kernel, "strides": strides, "dilations": dilations, "pads": pad, "y": y,
            "positions": positions, "g": g, "gx": gx}


def average_pool_case(x, kernel, strides, pad, count):
    f = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}[len(x) - 2]
    x = draw(x)
    y = f(x, kernel, strides, pad, count_include_pad=count)
    return {"name": "averagePool", "x": x, "kernel": kernel, "strides": strides, "pads": pad, "countPadding": count, "y": y}


write("windows", f"PyTorch {torch.__version__}, float64; integers, exact", [
    conv_case((2, 3, 6), (4, 3, 3), [1], [1], [0], [0], 1),
    conv_case((1, 2, 9), (2, 2, 2), [2], [2], [1], [2], 1),
    conv_case((2, 2, 5, 4), (3, 2, 3, 3), [1, 1], [1, 1], [1, 1], [1, 1], 1),
    conv_case((1, 4, 6, 5), (6, 2, 2, 3), [2, 1], [1, 2], [0, 1], [2, 0], 2),
    conv_case((1, 3, 5, 5), (6, 1, 3, 2), [3, 2], [1, 1], [1, 0], [0, 1], 3),
    conv_case((1, 2, 3, 4, 3), (2, 2, 2, 1, 3), [1, 2, 1], [1, 1, 1], [1, 0, 1], [0, 1, 1], 1),
    transpose_case((2, 3, 4), (3, 2, 3), [2], [1], [1], [1], 1),
    transpose_case((1, 4, 3, 2), (4, 2, 3, 2), [2, 3], [1, 1], [1, 0], [1, 2], 2),
    transpose_case((1, 2, 3, 3), (2, 2, 2, 2), [1, 1], [2, 3], [1, 1], [1, 2], 1),
    max_pool_case((1, 2, 5, 5), [3, 3], [2, 2], [1, 1], [1, 1]),
    max_pool_case((2, 1, 6, 5), [2, 2], [1, 1], [2, 3], [0, 0]),
    max_pool_case((1, 2, 9), [3], [2], [1], [1]),
    max_pool_case((1, 1, 4, 3, 4), [2, 2, 2], [2, 1, 2], [1, 1, 1], [0, 0, 0]),
    max_pool_case((1, 1, 4, 4), [2, 2], [2, 2], [1, 1], [0, 0], [((0, 0, 1, 1), nan), ((0, 0, 2, 3), -inf), ((0, 0, 3, 0), inf)]),
    average_pool_case((1, 2, 5, 5), [3, 3], [2, 2], [1, 1], False),
    average_pool_case((1, 2, 5, 5), [3, 3], [2, 2], [1, 1], True),
    average_pool_case((2, 1, 7), [3], [2], [1], False),
    average_pool_case((1, 1, 4, 4, 3), [2, 2, 2], [1, 2, 1], [1, 0, 1], True),
])


# ---------------------------------------------------------------- normalization, reductions, products
def layers():
    x, v = torch.randn(2, 4, 3, 2), torch.randn(4)
    s, m, var = torch.randn(4), torch.randn(4), torch.rand(4) + 0.5
    yield {"name": "batchNormalization", "in": [x, s, v, m, var], "y": F.batch_norm(x, m, var, s, v)}
    yield {"name": "instanceNormalization", "in": [x, s, v], "y": F.instance_norm(x, weight=s, bias=v)}
    yield {"name": "groupNormalization", "in": [x, s, v], "y": F.group_norm(x, 2, s, v)}
    ls, lb = torch.randn(3, 2), torch.randn(3, 2)
    yield {"name": "layerNormalization", "in": [x, ls, lb], "y": F.layer_norm(x, (3, 2), ls, lb)}
    yield {"name": "localResponseNormalization", "in": [x], "y": F.local_response_norm(x, 3, 0.2, 0.75, 1.5)}
    z = torch.randn(3, 4) * 5
    z[1] += 900
    yield {"name": "softmax", "in": [z], "y": F.softmax(z, 1)}
    yield {"name": "logSoftmax", "in": [z], "y": F.log_softmax(z, 0)}
    yield {"name": "reduceLogSumExp", "in": [z], "y": torch.logsumexp(z, 1)}
    e = torch.tensor([[-inf, -inf], [0.0, -inf], [inf, 1.0], [nan, 1.0]])
    yield {"name": "reduceLogSumExp", "in": [e], "y": torch.logsumexp(e, 1)}
    yield {"name": "softmax", "in": [e], "y": F.softmax(e, 1)}
    yield {"name": "logSoftmax", "in": [e], "y": F.log_softmax(e, 1)}
    yield {"name": "cumSum", "in": [z], "y": torch.cumsum(z, 1)}
    yield {"name": "reduceVariance", "in": [z], "y": torch.var(z, 1, unbiased=False)}
    yield {"name": "reduceL2", "in": [z], "y": torch.linalg.vector_norm(z, dim=1)}
    yield {"name": "reduceProd", "in": [z], "y": torch.prod(z, 1)}
    a, b = torch.randn(2, 1, 3, 4), torch.randn(5, 4, 2)
    yield {"name": "matmul", "in": [a, b], "y": a @ b}
    yield {"name": "matmul", "in": [a, b[0]], "y": a @ b[0]}
    yield {"name": "matmul", "in": [a[0, 0, 0], b], "y": a[0, 0, 0] @ b}


write("layers", f"PyTorch {torch.__version__}, float64", list(layers()))


# ---------------------------------------------------------------- special functions
def exactly(f, xs):
    return [float(f(mpmath.mpf(x))) for x in xs]


span = [s * m for m in (1e-300, 1e-20, 1e-8, 1e-3, 0.1, 0.3, 0.5, 0.8, 1.0, 1.3, 1.9, 2.2, 2.49, 2.51, 3.0, 3.7, 4.5, 5.5, 5.9, 6.1, 9.0, 20.0, 36.0, 37.5, 40.0, 300.0, 700.0, 745.0, 1e3) for s in (-1, 1)]
assert np.allclose(scipy.special.erf(span), exactly(mpmath.erf, span), rtol=4e-16, atol=0)
write("special-functions", f"mpmath {mpmath.__version__}, 40 digits, rounded to float64; erf agrees with SciPy {scipy.__version__}", [
    {"name": "erf", "x": span, "y": exactly(mpmath.erf, span)},
    {"name": "sigmoid", "x": span, "y": exactly(lambda x: 1 / (1 + mpmath.exp(-x)), span)},
    {"name": "softplus", "x": span, "y": exactly(lambda x: mpmath.log1p(mpmath.exp(x)), span)},
])
