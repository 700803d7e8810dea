#!/usr/bin/env bash
# torchmetrics==1.9.0, torch-fidelity==0.4.0, torch==2.13.0
# Guess: torch-fidelity without a torchvision that can be imported disables torchmetrics' metrics that use it.
# Seen: `import torchmetrics` itself fails, for accuracy and every other metric:
#   ModuleNotFoundError: No module named 'torchvision'
# Also: without torch-fidelity `from torchmetrics.image import KernelInceptionDistance` fails, though with a feature
# network of one's own it needs nothing of it; `from torchmetrics.image.kid import KernelInceptionDistance` works.
# What to do: uninstall torch-fidelity where torchvision does not fit torch, and import from torchmetrics.image.kid.
# Exits 0 when it is still so.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q -c "$here/constraints.txt" torch torchmetrics==1.9.0
python="$work/venv/bin/python"
if "$python" -c 'from torchmetrics.image import KernelInceptionDistance' 2>/dev/null; then exit 1; fi
"$python" -c 'from torchmetrics.image.kid import KernelInceptionDistance'
"$work/venv/bin/pip" install -q --no-deps torch-fidelity==0.4.0
seen=$("$python" -c 'import torchmetrics' 2>&1 | tail -n 1 || true)
echo "$seen"
[ "$seen" = "ModuleNotFoundError: No module named 'torchvision'" ]
