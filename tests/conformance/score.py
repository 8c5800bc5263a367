#!/usr/bin/env python3
"""Judges the summary that run_vectors.py wrote: every unanimous query, but for misses that README.md names and justifies.

  score.py SUMMARY.json
"""
import json
import sys

# How many queries of a set may differ, and why: each number here has its line in README.md.
JUSTIFIED = {
    "answer": {},  # rcode, AA, answer section
    "authority": {},
    "glue": {"corpus-zones": 1},  # and other additional data that all references give
}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        summary = json.load(f)
    worse = []
    for name, counts in sorted(summary["sets"].items()):
        got = {key: counts.get(key, 0) for key in ("n", "core", "full", "glue_n", "glue")}
        misses = {
            "answer": got["n"] - got["core"],
            "authority": got["core"] - got["full"],
            "glue": got["glue_n"] - got["glue"],
        }
        for part, missed in misses.items():
            allowed = JUSTIFIED[part].get(name, 0)
            if missed > allowed:
                worse.append(f"{name}: {missed} queries miss in {part}, {allowed} are justified")
    lost = [z for z in summary["zones_not_loaded"] if z[1] != "ferret-invalid"]
    if lost:
        worse.append(f"{len(lost)} zones are refused that the reference servers load, such as {lost[0][0]}")
    total = summary["total"]
    print(f"{total['core']} of {total['n']} unanimous queries answered as the reference servers answer")
    print("\n".join(worse) or "no miss beyond the justified ones")
    return 1 if worse or not total["n"] else 0


if __name__ == "__main__":
    sys.exit(main())
