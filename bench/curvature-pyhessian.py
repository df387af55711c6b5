"""The same numbers by PyHessian, whose package lies in `folder`.

- Eigenvalues: its power iteration stops when the Rayleigh quotient changes by less than `tol`, a thousandth by default. With
  `tighten` the tolerance is divided by ten, in runs that are not timed, until the residuals are what is wanted.
- Trace: its rule, to stop when the running mean changes by less than a thousandth, is no standard error. It is given the number
  of probes by which Hutchinson's estimator has the wanted one.
"""
import sys

import torch

from curvature_problem import Counted, batches, criterion, distribution, flat, hutchinson_probes, job, net, residuals, run, x, y
from pyhessian import hessian

# the package's name `hessian` is the class; the module of that name holds the product to count
module = sys.modules["pyhessian.hessian"]
plain_product = module.hessian_vector_product


def make():
    """A new object and a counter of its products, over the data at once or batch by batch."""
    torch.manual_seed(0)
    net.zero_grad()
    if "batch" not in job:
        module.hessian_vector_product = counter = Counted(plain_product)
        return hessian(net, criterion, data=(x, y), cuda=False), counter
    made = hessian(net, criterion, dataloader=batches, cuda=False)
    made.dataloader_hv_product = counter = Counted(made.dataloader_hv_product)
    return made, counter


def eigenvalues(tolerance, most):
    made, counter = make()
    values, vectors = made.eigenvalues(maxIter=most, tol=tolerance, top_n=job["count"])
    rows = [flat(v) for v in vectors]

    def facts():
        return {"residuals": residuals(values, rows), "products": counter.calls, "tol": tolerance}

    return values, facts


def tightened():
    tolerance = 1e-3
    while tolerance > 1e-14:
        values, facts = eigenvalues(tolerance, job["maxProducts"])
        if max(facts()["residuals"]) <= job["tolerance"] * max(abs(v) for v in values):
            break
        tolerance /= 10
    return tolerance


def spectrum_step():
    if job.get("tighten"):
        tolerance = tightened()
        return lambda: eigenvalues(tolerance, job["maxProducts"])
    return lambda: eigenvalues(1e-3, 100)


def trace_step():
    probes = hutchinson_probes()

    def step():
        made, counter = make()
        found = made.trace(maxIter=probes, tol=0)
        return [sum(found) / len(found)], lambda: {"products": counter.calls}

    return step


def density_step():
    def step():
        made, counter = make()
        nodes, weights = made.density(iter=job["steps"], n_v=job["probes"])
        # it treats the tridiagonal matrix as a general one, so that nodes and weights may come as complex numbers
        real = [[torch.tensor([complex(v).real for v in row]) for row in rows] for rows in (nodes, weights)]
        return distribution(*real), lambda: {"products": counter.calls}

    return step


run({"spectrum": spectrum_step, "trace": trace_step, "density": density_step}[job["what"]]())
