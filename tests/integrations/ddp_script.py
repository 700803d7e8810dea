"""Two processes by gloo update metrics with a part each, and print what each computes: FOLDER of the rendezvous."""

import os
import sys

import numpy as np
import torch

from giqa.integrations.torchmetrics import QualityScore, SetMetric, ShareInRange
from giqa.model.fit import fit

WITH_INTERVAL = ("fd", "precision", "qs", "share")
METRICS = ("fd", "kd", "ds", "precision", "recall", "vendi", "authenticity")


def sets():
    rng = np.random.default_rng(0)
    return [torch.from_numpy(rng.normal(shift, 1, (n, 8)).astype(np.float32)) for n, shift in ((151, 0), (97, 0.4))]


def metrics():
    real, _ = sets()
    model = fit(real.numpy(), scorer="sgm")
    return {name: SetMetric(name) for name in METRICS} | {"qs": QualityScore(model), "share": ShareInRange(model)}


def computed(parts, batch):
    """Bits of each value, and of some intervals' ends, of these parts of the reals and the fakes."""
    made = metrics()
    for metric in made.values():
        for part, real in zip(parts, (True, False), strict=True):
            for some in part.split(batch):
                metric.update(some, real=real)
    found = {name: [metric.compute().item().hex()] for name, metric in made.items()}
    for name in WITH_INTERVAL:
        found[name] += [made[name].interval().low.hex(), made[name].interval().high.hex()]
    return found


def run(rank, folder):
    torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    real, fake = sets()
    cut = (60, 50)
    parts = [(x[:n], x[n:])[rank] for x, n in zip((real, fake), cut, strict=True)]  # unequal
    found = computed(parts, 7 + rank)
    with open(f"{folder}/{rank}.txt", "w") as file:
        file.write(repr(found))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    child = os.fork()  # both have imported everything by now
    run(int(child == 0), sys.argv[1])
    if child:
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
