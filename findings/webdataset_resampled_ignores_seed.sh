#!/usr/bin/env bash
# webdataset==1.0.2
# Guess: WebDataset(urls, seed=3) gives the same order again, in every way of shuffling that it offers.
# Seen: with resampled=True its seed is ignored: the shards are drawn from the clock and the process id, so two data sets of
# one seed differ, in one process and in two; .shuffle(n) after it has a seed of its own and is drawn anew likewise.
#   shardshuffle, seed=3: two data sets alike: True
#   resampled, seed=3: two data sets alike: False
#   shardshuffle, seed=3, then .shuffle(10): two data sets alike: False
#   shardshuffle, seed=3, then .shuffle(10, seed=3): two data sets alike: True
#   ResampledShards(deterministic=True, seed=3): two data sets alike: True
# Why it matters: resampled=True is the documented way to train and to draw a sample from many shards over several machines.
# A "seeded" subset of reals, and with it a FID or a reference, cannot be drawn again, and a resumed run does not go on
# where it was. What to do: DataPipeline with ResampledShards(urls, seed=..., deterministic=True), and a seed for shuffle.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 webdataset==1.0.2
cat >"$work/seeds.py" <<'PY'
import itertools
import logging
import os
import sys

import webdataset as wds

logging.disable()
os.chdir(sys.argv[1])
urls = [f"{shard}.tar" for shard in range(8)]
for shard, url in enumerate(urls):
    with wds.TarWriter(url) as tar:
        for row in range(8):
            tar.write({"__key__": f"{shard}_{row}", "cls": row})


def alike(make):
    one, two = ([sample["__key__"] for sample in itertools.islice(make(), 64)] for _ in range(2))
    return one == two


def drawn():
    shards = wds.ResampledShards(urls, seed=3, deterministic=True)
    return wds.DataPipeline(shards, wds.tarfile_to_samples())


shuffled = {"shardshuffle": 8, "seed": 3}
for name, make in {
    "shardshuffle, seed=3": lambda: wds.WebDataset(urls, **shuffled),
    "resampled, seed=3": lambda: wds.WebDataset(urls, resampled=True, shardshuffle=False, seed=3),
    "shardshuffle, seed=3, then .shuffle(10)": lambda: wds.WebDataset(urls, **shuffled).shuffle(10),
    "shardshuffle, seed=3, then .shuffle(10, seed=3)": lambda: wds.WebDataset(urls, **shuffled).shuffle(10, seed=3),
    "ResampledShards(deterministic=True, seed=3)": drawn,
}.items():
    print(f"{name}: two data sets alike: {alike(make)}")
PY
seen=$("$work/venv/bin/python" "$work/seeds.py" "$work" 2>/dev/null)
echo "$seen"
[ "$seen" = "shardshuffle, seed=3: two data sets alike: True
resampled, seed=3: two data sets alike: False
shardshuffle, seed=3, then .shuffle(10): two data sets alike: False
shardshuffle, seed=3, then .shuffle(10, seed=3): two data sets alike: True
ResampledShards(deterministic=True, seed=3): two data sets alike: True" ]
