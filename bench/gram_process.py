"""The loop that times a step of a Gram benchmark, with the most memory that the process held."""
import json
import resource
import time


def report(job, step, numbers):
    step()
    elapsed = []
    for _ in range(job["repetitions"]):
        start = time.perf_counter()
        value = step()
        elapsed.append(1000 * (time.perf_counter() - start))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"elapsedMs": elapsed, "result": numbers(value), "memoryMiB": memory}))
