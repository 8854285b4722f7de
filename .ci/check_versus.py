"""Runs the comparison program at its quickest and checks the shape of its JSON, not its figures.

Standard output must be one JSON array and nothing else, with exactly one row per workload:

* compared with other engines:  {"workload", "callboard_ns", "actix_ns", "tokio_ns", "ratio"},
  where null stands for an engine that has no such thing; ratio = callboard_ns / actix_ns;
* a time without a rival:       {"workload", "callboard_ns"};
* a figure that is no time:     {"workload", "value", "unit"}.

The run is saved, and shown again as the picture and as the page's table: the one must be well-formed, and the other have a
line for every workload.
"""

import json
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

COMMAND = ["cargo", "run", "--quiet", "--release", "-p", "benches", "--bin", "versus", "--"]

COMPARED = {
    "tell", "tell_x", "fan_in", "ask", "ask_256", "ask_x", "ping_pong", "ring", "broadcast", "spawn",
    "call_by_name", "call_typed", "publish_1", "publish_10", "publish_100",
}
# A rival without expiry of its own may be absent from this row.
COMPARED_OR_ALONE = {"tell_ttl"}
ALONE = {"restart", "priority", "fairness", "lookup", "modules", "match_10000"}
FIGURES = {
    "spawn_bytes", "tell_allocs", "ask_allocs", "inspect", "metrics", "workflow_chain", "workflow_diamond",
    "workflow_montage", "workflow_many", "run_bytes",
}

ENGINES = ["actix_ns", "tokio_ns"]
PEERS = ["kameo_ns", "ractor_ns"]


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_time(value):
    return is_number(value) and value > 0


def faults_of_keys(row, wanted):
    keys = set(row) - {"workload"}
    return [] if keys == set(wanted) else [f"has the keys {sorted(keys)} instead of {sorted(wanted)}"]


def faults_of_compared(row):
    engines = ENGINES + [peer for peer in PEERS if peer in row]
    found = faults_of_keys(row, ["callboard_ns", "ratio", *engines])
    if not is_time(row.get("callboard_ns")):
        found.append("callboard_ns is no time above zero")
    found += [f"{key} is neither null nor a time" for key in engines if not (row.get(key) is None or is_time(row[key]))]
    return found or faults_of_ratio(row)


def faults_of_ratio(row):
    actix, ratio = row["actix_ns"], row["ratio"]
    if actix is None:
        return [] if ratio is None else ["has a ratio to an actix that was not measured"]
    if not is_number(ratio):
        return ["ratio is no number although actix was measured"]
    # Rows may be rounded for reading.
    wanted = row["callboard_ns"] / actix
    return [] if abs(ratio - wanted) <= 0.03 * wanted + 0.006 else [f"ratio {ratio} is not {wanted:.3f}"]


def faults_of_alone(row):
    return faults_of_keys(row, ["callboard_ns"]) or ([] if is_time(row["callboard_ns"]) else ["callboard_ns is no time"])


def faults_of_figure(row):
    found = faults_of_keys(row, ["value", "unit"])
    if found:
        return found
    found += [] if is_number(row["value"]) else ["value is no number"]
    found += [] if isinstance(row["unit"], str) and row["unit"] else ["unit is no text"]
    return found


def faults_of_row(row):
    name = row["workload"]
    if name in FIGURES:
        return faults_of_figure(row)
    if name in ALONE or (name in COMPARED_OR_ALONE and set(row) == {"workload", "callboard_ns"}):
        return faults_of_alone(row)
    found = faults_of_compared(row)
    if not found and name in COMPARED and row["actix_ns"] is None:
        found.append("actix was not measured")
    return found


def faults_of(rows):
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("workload"), str) for row in rows):
        return ["the output is not an array of objects that each name their workload"]
    names = [row["workload"] for row in rows]
    known = COMPARED | COMPARED_OR_ALONE | ALONE | FIGURES
    found = [f"{name}: stands {names.count(name)} times" for name in sorted(set(names)) if names.count(name) > 1]
    found += [f"{name}: is missing" for name in sorted(known - set(names))]
    found += [f"{name}: is not known here; say in this file what its row looks like" for name in sorted(set(names) - known)]
    found += [f"{row['workload']}: {fault}" for row in rows if row["workload"] in known for fault in faults_of_row(row)]
    return found


def faults_of_picture(text):
    try:
        root = xml.fromstring(text)
    except xml.ParseError as fault:
        return [f"the picture is not well-formed: {fault}"]
    return [] if root.tag == "{http://www.w3.org/2000/svg}svg" else [f"the picture begins with {root.tag}"]


def faults_of_markdown(text, rows):
    missing = [row["workload"] for row in rows if f"| `{row['workload']}` |" not in text]
    return [f"{name}: has no line in Markdown" for name in missing]


def output_of(*arguments):
    run = subprocess.run([*COMMAND, *arguments], stdout=subprocess.PIPE, encoding="utf-8", check=False)
    if run.returncode != 0:
        sys.exit(f"versus {' '.join(arguments)} ended with exit code {run.returncode}")
    return run.stdout


def rows_of(output):
    try:
        return json.loads(output)
    except json.JSONDecodeError as fault:
        sys.exit(f"standard output is not one JSON document: {fault}\n{output[:2000]}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder, "run.json"))
        rows = rows_of(output_of("--quick", "--json", "--save", saved))
        found = faults_of(rows)
        found += faults_of_picture(output_of("--from", saved, "--svg"))
        found += faults_of_markdown(output_of("--from", saved, "--markdown"), rows) if not found else []
    for fault in found:
        print(fault, file=sys.stderr)
    if found:
        sys.exit(1)
    print(f"{len(rows)} rows have the right shape, and so have their picture and their table")


if __name__ == "__main__":
    main()
