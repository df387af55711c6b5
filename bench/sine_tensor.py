"""Values that both languages of a benchmark compute alike, and the loop that times a step."""
import json
import time
from math import prod

import torch


def sine_tensor(dtype, shape, phase, scale=1.0):
    i = torch.arange(prod(shape), dtype=torch.float64)
    return (scale * torch.sin(1.7 * i + phase)).to(dtype).reshape(shape)


def report(job, step, numbers, extra=dict):
    """Times `step` and prints what the runner reads; `numbers` turns its answer into a list of floats, and `extra` is what else
    there is to say afterwards, outside of the time."""
    torch.set_num_threads(job.get("threads", torch.get_num_threads()))
    step()
    elapsed = []
    for _ in range(job["repetitions"]):
        start = time.perf_counter()
        value = step()
        elapsed.append(1000 * (time.perf_counter() - start))
    result = numbers(value)
    print(json.dumps({"elapsedMs": elapsed, "result": result, **extra()}))
