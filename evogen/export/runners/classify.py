"""Classify raw rows: python run.py [FILE.csv | FILE.npz that holds x]; needs onnxruntime and numpy."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

here = Path(__file__).parent
told = json.loads((here / "environment.json").read_text())
path = Path(sys.argv[1]) if len(sys.argv) > 1 else here / told["examples"]
if path.suffix == ".npz":
    rows = [dict(zip(told["columns"], map(str, row), strict=True)) for row in np.load(path)["x"].tolist()]
else:
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
session = onnxruntime.InferenceSession(here / "agent.onnx")
seen, *memory = session.get_inputs()
number = np.float64 if "double" in seen.type else np.float32
state = {one.name: np.zeros([1, *one.shape[1:]], number) for one in memory}
for row in rows:
    features = []
    for rule in told["inputs"]:
        cell = row[rule["column"]]
        cell = rule["missing"] if cell.lower() in told["missing"] else cell
        equal, scaled = "equals" in rule and cell == rule["equals"], "mean" in rule
        features.append((float(cell) - rule["mean"]) / rule["scale"] if scaled else float(equal))
    given = {seen.name: np.array([features], number), **state}
    print(told["classes"][session.run(["action"], given)[0][0]])
