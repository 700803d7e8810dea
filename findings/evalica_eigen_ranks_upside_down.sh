#!/usr/bin/env bash
# evalica==0.4.2, numpy==2.4.6, pandas==3.1.1, scipy==1.17.1
# Guess: of every method of evalica the item that wins most has the largest score; its command line ranks by it.
# Seen: eigen gives the largest score to the item that loses most, because its matrix of wins is transposed once too often;
# pagerank, which goes on from it, transposes twice and is right. Four generators, 10 comparisons of each pair, in which
# the one before wins 7 of 10:
#   counting, average_win_rate, bradley_terry, newman, elo, pagerank: a b c d
#   eigen: d c b a
# The eigenvector that belongs to the wins orders them a b c d.
# Why it matters: the worst generator is called the best, and scores of two methods correlate at -1, which reads like a
# deep disagreement of methods. What to do: swap x and y for eigen, or use another method.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 evalica==0.4.2
cat >"$work/ranks.py" <<'PY'
from itertools import combinations

import evalica
import numpy as np
from evalica import Winner

pairs = [pair for pair in combinations("abcd", 2) for _ in range(10)]
xs, ys = map(list, zip(*pairs))
wins = [number % 10 < 7 for number in range(len(pairs))]
for name in ("counting", "average_win_rate", "bradley_terry", "newman", "elo", "pagerank", "eigen"):
    scores = getattr(evalica, name)(xs, ys, [Winner.X if won else Winner.Y for won in wins]).scores
    print(f"{name}:", *scores.sort_values(ascending=False).index)
won = np.array([[0, 7, 7, 7], [3, 0, 7, 7], [3, 3, 0, 7], [3, 3, 3, 0]])  # won[i, j]: how often i won against j
values, vectors = np.linalg.eig(won)
order = np.argsort(-np.abs(vectors[:, np.argmax(values.real)]))
print("eigenvector of the wins:", *(str("abcd"[item]) for item in order))
PY
seen=$("$work/venv/bin/python" "$work/ranks.py")
echo "$seen"
[ "$seen" = "counting: a b c d
average_win_rate: a b c d
bradley_terry: a b c d
newman: a b c d
elo: a b c d
pagerank: a b c d
eigen: d c b a
eigenvector of the wins: a b c d" ]
