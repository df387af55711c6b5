"""Exports the models of architectures.py and what PyTorch computes for them: loss, gradient and Hessian-vector product.

    python3 export_architectures.py [folder] [--only NAME …]

Beside NAME.onnx stands NAME.npz with the inputs, the targets `y`, the outputs `z`, `loss`, and for every parameter P
`gradient.P` and `hvp.P`, the product of the Hessian with the direction whose entries in every tensor are
cos(1), cos(2), …; index.json says which loss and which tolerance. Everything is float64, except for the models
NAME-float32: their weights and constants are float32 and the expected numbers those of the widened weights.
Written for torch 1.13 (operator sets 11 to 17).
"""
import argparse
import json
import os
import sys
import warnings
from unittest import mock

import numpy as np
import torch
from torch.nn import functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from architectures import WithLoss, architectures, perceptron  # noqa: E402

SAMPLES = 5
OPSETS = [11, 12, 13, 14, 15, 16, 17]

LOSSES = {
    "cross-entropy": F.cross_entropy,
    "negative-log-likelihood": F.nll_loss,
    "binary-cross-entropy": F.binary_cross_entropy_with_logits,
    "mse": F.mse_loss,
    "huber": F.huber_loss,
}


def draw_input(spec):
    if isinstance(spec, int):
        return torch.randint(spec, [SAMPLES])
    if isinstance(spec, tuple):
        return torch.randint(spec[0], [SAMPLES, *spec[1]])
    return torch.randn([SAMPLES, *spec], dtype=torch.float64)


def draw_parameters(module):
    """Everything random: equal tensors (zero biases, unit scales) would be merged by the exporter."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.5 * torch.randn(parameter.shape, dtype=torch.float64) + 0.1)
        for name, buffer in module.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(0.3 * torch.randn(buffer.shape, dtype=torch.float64).abs() + 0.5)


def draw_targets(loss, z):
    if loss in ("cross-entropy", "negative-log-likelihood"):
        return torch.randint(z.shape[1], [SAMPLES])
    if loss == "binary-cross-entropy":
        return torch.randint(2, z.shape).double()
    return torch.randn(z.shape, dtype=torch.float64)


def direction(parameter):
    return torch.cos(torch.arange(1, parameter.numel() + 1, dtype=torch.float64)).reshape(parameter.shape)


# torch 1.13 has no second derivative of these.
COMPOSED = {
    "hardsigmoid": lambda x, inplace=False: F.relu6(x + 3) / 6,
    "hardswish": lambda x, inplace=False: x * F.relu6(x + 3) / 6,
}


def expected(module, inputs, loss, y):
    with mock.patch.multiple(F, **COMPOSED):
        return derivatives(module, inputs, loss, y)


def derivatives(module, inputs, loss, y):
    z = module(*inputs)
    value = LOSSES[loss](z, y)
    named = dict(module.named_parameters())
    gradient = torch.autograd.grad(value, list(named.values()), create_graph=True)
    slope = sum((g * direction(p)).sum() for g, p in zip(gradient, named.values()))
    # A loss that is linear along some parameter leaves no graph behind: its product is zero.
    if slope.requires_grad:
        hvp = torch.autograd.grad(slope, list(named.values()), allow_unused=True)
    else:
        hvp = [None] * len(named)
    result = {"z": z, "loss": value}
    for (name, p), g, h in zip(named.items(), gradient, hvp):
        result[f"gradient.{name}"] = g
        result[f"hvp.{name}"] = torch.zeros_like(p) if h is None else h
    return {key: v.detach().numpy() for key, v in result.items()}


def export(path, module, inputs, names, opset, outputs=("z",)):
    """PRESERVE keeps batch normalization apart from the convolution before it; without folding weights keep name and shape."""
    torch.onnx.export(
        module, tuple(inputs), path, opset_version=opset, training=torch.onnx.TrainingMode.PRESERVE,
        do_constant_folding=False, input_names=list(names), output_names=list(outputs),
        dynamic_axes={**{name: {0: "batch"} for name in names}, **{name: {0: "batch"} for name in outputs if name != "loss"}},
    )


def write(folder, name, module, specs, loss, options, opset, dtype=torch.float64):
    # Attention has a fused kernel in evaluation mode that cannot be exported; these models have no dropout.
    module = module.to(dtype).train(options.get("training", False))
    inputs = [draw_input(spec) for spec in specs.values()]
    exact = [x.to(dtype) if x.is_floating_point() else x for x in inputs]
    with torch.no_grad():
        y = draw_targets(loss, module(*exact).double())
    export(f"{folder}/{name}.onnx", module, exact, specs, opset)
    numbers = expected(module.double(), [x.double() if x.is_floating_point() else x for x in exact], loss, y)
    data = {key: x.numpy() for key, x in zip(specs, inputs)}
    np.savez_compressed(f"{folder}/{name}.npz", **data, y=y.numpy(), **numbers)
    return {"loss": loss, "opset": opset, "smooth": options.get("smooth", True), "inputs": list(specs)}


def write_all(folder, only):
    os.makedirs(folder, exist_ok=True)
    index = {}
    for position, (name, module, specs, loss, options) in enumerate(architectures()):
        if only and name not in only:
            continue
        torch.manual_seed(position)
        draw_parameters(module.double())
        opset = max(OPSETS[position % len(OPSETS)], options.get("opset", 11))
        if name in ("mlp-hardswish", "mobilenet"):
            opset = max(opset, 14)
        index[name] = write(folder, name, module, specs, loss, options, opset)
        if name in ("mlp-gelu", "cnn-batch-norm", "text-classifier", "lstm-two-layers"):
            index[f"{name}-float32"] = {**write(folder, f"{name}-float32", module, specs, loss, options, 17, torch.float32), "float32": True}
    if not only:
        torch.manual_seed(0)
        with_loss = WithLoss().double()
        export(f"{folder}/with-loss.onnx", with_loss, [torch.randn(5, 3).double(), torch.randint(3, [5])], ["x", "labels"], 17, ["loss", "scores"])
        fixed = perceptron(torch.nn.Tanh()).double()
        torch.onnx.export(fixed, torch.randn(1, 3).double(), f"{folder}/fixed-batch.onnx", input_names=["x"], output_names=["z"])
    return index


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden"))
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    index = write_all(arguments.folder, arguments.only)
    with open(f"{arguments.folder}/index.json", "w") as file:
        json.dump(index, file, indent=1)
        file.write("\n")
    print(f"{len(index)} architectures in {arguments.folder}")
