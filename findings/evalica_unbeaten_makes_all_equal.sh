#!/usr/bin/env bash
# evalica==0.4.2, numpy==2.4.6, pandas==3.1.1, scipy==1.17.1
# Guess: bradley_terry and newman order an item that never lost first and one that never won last, as every maximum
# likelihood with a bound does, or refuse such comparisons; Newman's algorithm gives Bradley and Terry's scores where there
# are no ties.
# Seen: one such item makes all scores 0.000001, and the order of the rest is gone; no error, no warning. Four generators,
# 10 comparisons of each pair, in which the one before wins 7 of 10 (or, where it is said, all):
#   7 of 10 each: bradley_terry a 1.92, b 1.24, c 0.81, d 0.52
#   a wins all its 30: bradley_terry a 0.00, b 0.00, c 0.00, d 0.00
#   d loses all its 30: bradley_terry a 0.00, b 0.00, c 0.00, d 0.00
#   a wins all its 30: newman a 0.00, b 0.00, c 0.00, d 0.00
# Of two items newman swings between two states to its limit of 100 steps and returns the one it is in:
#   a wins 9 of 10 against b: bradley_terry a 3.00, b 0.33
#   a wins 9 of 10 against b: newman a 1.00, b 1.00
# Why it matters: studies of few comparisons nearly always have an item that never lost; the clearest winner makes the
# table say that nothing differs. What to do: look for scores of 1e-06 and `iterations` at the limit; add a tie of each pair
# as a prior, or fit with a penalty (choix, alpha above 0).
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 evalica==0.4.2
cat >"$work/scores.py" <<'PY'
from itertools import combinations

from evalica import Winner, bradley_terry, newman


def show(name, method, xs, ys, wins):
    scores = method(xs, ys, [Winner.X if won else Winner.Y for won in wins]).scores.sort_index()
    print(f"{name}: {method.__name__}", ", ".join(f"{item} {value:.2f}" for item, value in scores.items()))
    return scores


pairs = [pair for pair in combinations("abcd", 2) for _ in range(10)]
xs, ys = map(list, zip(*pairs))
often = [number % 10 < 7 for number in range(len(pairs))]
first = [won or x == "a" for won, x in zip(often, xs)]
last = [won or y == "d" for won, y in zip(often, ys)]
show("7 of 10 each", bradley_terry, xs, ys, often)
assert (show("a wins all its 30", bradley_terry, xs, ys, first) == 1e-6).all()
assert (show("d loses all its 30", bradley_terry, xs, ys, last) == 1e-6).all()
show("a wins all its 30", newman, xs, ys, first)
for method in (bradley_terry, newman):
    show("a wins 9 of 10 against b", method, ["a"] * 10, ["b"] * 10, [True] * 9 + [False])
PY
seen=$("$work/venv/bin/python" "$work/scores.py")
echo "$seen"
[ "$seen" = "7 of 10 each: bradley_terry a 1.92, b 1.24, c 0.81, d 0.52
a wins all its 30: bradley_terry a 0.00, b 0.00, c 0.00, d 0.00
d loses all its 30: bradley_terry a 0.00, b 0.00, c 0.00, d 0.00
a wins all its 30: newman a 0.00, b 0.00, c 0.00, d 0.00
a wins 9 of 10 against b: bradley_terry a 3.00, b 0.33
a wins 9 of 10 against b: newman a 1.00, b 1.00" ]
