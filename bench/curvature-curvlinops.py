"""The same numbers by curvlinops 2, whose package lies in `folder`.

- Eigenvalues: its Hessian in SciPy's `eigsh`, as its documentation does. The tolerance of ARPACK is a residual over |λ|.
- Trace: its estimators give samples without a standard error. Each is given the fewest products by which the root mean square
  error is the wanted one, by formula (Hutchinson) or over runs on the dense Hessian (Hutch++), and the cheaper one is timed.
- Density: its Lanczos nodes and weights; with `broadened` the density that its interface offers, summed up to each place.
"""
import numpy
from curvature_problem import Counted, batches, criterion, dense_hessian, distribution, hutchinson_probes, job, net, params
from curvature_problem import residuals, run
import torch
from curvlinops import HessianLinearOperator, HutchinsonTraceEstimator, HutchPPTraceEstimator, lanczos_approximate_spectrum
from curvlinops.papyan2020traces.spectrum import fast_lanczos
from scipy.sparse.linalg import LinearOperator, eigsh

runs = 30


def make():
    """Its operator, and the same with a counter of the products."""
    numpy.random.seed(0)
    operator = HessianLinearOperator(net, criterion, params, batches, check_deterministic=False)
    counter = Counted(lambda v: operator @ v)
    return LinearOperator(operator.shape, matvec=counter, dtype="float64"), counter


def eigenvalues():
    operator, counter = make()
    start = numpy.random.randn(operator.shape[0])
    values, vectors = eigsh(operator, k=job["count"], which="LA", tol=job["tolerance"], v0=start)
    values = values[::-1].tolist()
    rows = torch.from_numpy(vectors.T[::-1].copy())
    return values, lambda: {"residuals": residuals(values, rows), "products": counter.calls}


def hutchinson(a, products):
    estimator = HutchinsonTraceEstimator(a)
    return sum(estimator.sample() for _ in range(products)) / products


def hutchpp(a, products):
    third = products // 3
    estimator = HutchPPTraceEstimator(a, basis_dim=third)
    return sum(estimator.sample() for _ in range(third)) / third


def products_of_hutchpp(h):
    exact, products = numpy.trace(h), 12
    while products < h.shape[0]:
        errors = numpy.array([hutchpp(h, products) - exact for _ in range(runs)])
        if (errors**2).mean() ** 0.5 <= job["accuracy"] * abs(exact):
            break
        products = 3 * (products * 11 // 30 + 1)
    return products


def trace_step():
    numpy.random.seed(0)
    needed = {hutchinson: hutchinson_probes(), hutchpp: products_of_hutchpp(dense_hessian().numpy())}
    best = min(needed, key=needed.get)

    def step():
        operator, counter = make()
        value = best(operator, needed[best])
        return [value], lambda: {
            "products": counter.calls,
            "estimator": best.__name__,
            "productsOfEach": {estimator.__name__: products for estimator, products in needed.items()},
        }

    return step


def nodes_and_weights():
    operator, counter = make()
    pairs = [fast_lanczos(operator, job["steps"]) for _ in range(job["probes"])]
    nodes, weights = zip(*((torch.from_numpy(v), torch.from_numpy(q[0] ** 2)) for v, q in pairs))
    return distribution(nodes, weights), lambda: {"products": counter.calls}


def broadened():
    operator, counter = make()
    grid, density = lanczos_approximate_spectrum(operator, job["steps"], num_repeats=job["probes"])
    shares = numpy.concatenate([[0], ((density[1:] + density[:-1]) / 2 * numpy.diff(grid)).cumsum()])
    return numpy.interp(job["grid"], grid, shares).tolist(), lambda: {
        "products": counter.calls,
        "support": [grid[0], grid[-1]],
        "mass": shares[-1],
    }


def density_step():
    return broadened if job.get("broadened") else nodes_and_weights


run({"spectrum": lambda: eigenvalues, "trace": trace_step, "density": density_step}[job["what"]]())
