#!/usr/bin/env bash
# pylance==14.0.2, pyarrow==26.0.1
# Guess: a column of bytes that was written with the field metadata lance-encoding:blob = true, as for large pictures, is
# read back as bytes.
# Seen: the data set's own schema calls it extension<lance.blob.v2>, a scan gives structs of kind, position, size, blob_id
# and blob_uri, without an error or a warning; so a loader that takes the cell as a picture fails, and one that looks for
# a binary column finds none. The types of schema and scan differ too, so a check of the schema does not help.
#   schema: extension<lance.blob.v2<BlobType>>; to_table: struct<kind: uint8 not null, position: uint64 not null, ...
#   with blob_handling="all_binary": bytes, the ones that were written
# What to do: give blob_handling="all_binary" to to_table, to_batches or scanner, or take_blobs for a few rows.
# Exits 0 when it is still so.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install 'pylance==14.0.2' 'pyarrow==26.0.1'
cat >"$work/blobs.py" <<'PY'
import sys

import lance
import pyarrow as pa

print("pylance", lance.__version__, "pyarrow", pa.__version__)
written = [b"first picture", b"second picture"]
field = pa.field("image", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
data = lance.write_dataset(pa.table({"image": written}, schema=pa.schema([field])), sys.argv[1])
plain = data.to_table()["image"]
print("schema:", data.schema.field("image").type)
print("to_table:", plain.type, plain[0].as_py())
asked = data.scanner(blob_handling="all_binary").to_table()["image"]
print("all_binary:", asked.type, asked.to_pylist())
assert isinstance(plain[0].as_py(), dict) and plain.type != data.schema.field("image").type
assert asked.to_pylist() == written
PY
"$work/venv/bin/python" -W ignore "$work/blobs.py" "$work/x.lance"
