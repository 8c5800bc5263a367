#!/usr/bin/env python3
"""What a query costs as what is served grows: cliffs.py [--most N] [--rounds N] [--plot FILE]

One homing on one core, the load on the other, 200 queries outstanding: of one zone with ever more names, hits, client subnets
and water torture (names that nobody asked for before); of ever more zones of five records, hits all over them; at one size,
large answers, TCP on 20 connections that stay, and on such as end after ten queries. Prints nanoseconds of processor a query,
medians, and draws them: a cliff would stand out.

Needs two cores, `cargo bench --bench load --no-run` and `cargo build --release` beforehand; a million zones need 5 GiB.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benches/rivals"))
from compare import LOAD_CORE, ZONE, Server, free_port, load_binary, write_zone  # noqa: E402

FIVE = "$TTL 300\n@ SOA ns1.bench.test. host.bench.test. 1 3600 600 86400 300\n@ NS ns1.bench.test.\n" \
       "@ A 192.0.2.1\nwww A 192.0.2.2\n@ MX 10 mail.bench.test.\n"
KINDS = {"hits": [], "client subnets": ["--subnets"], "water torture": ["--torture"]}


class Homing(Server):
    """One that serves a folder of zones."""

    def make_homing(self, folder, zones, options, load):
        (folder / "homing.toml").write_text(
            f'[site]\nname = "bench"\n[files]\nzones = "{zones}"\n[listen]\ndns = ["127.0.0.1:{self.port}"]\n'
            f'api = "127.0.0.1:{free_port()}"\ncores = 1\n')
        return [options.homing, "serve", "--config", folder / "homing.toml"]

    def cost(self, load, names, options, how):
        """Medians of some runs: nanoseconds a query, of them in user mode."""
        command = ["taskset", "-c", LOAD_CORE, load, "--to", f"127.0.0.1:{self.port}", "--names", names,
                   "--process", ",".join(map(str, self.processes())), *how]
        told = []
        for _ in range(options.rounds):
            out = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout
            told.append(json.loads(out))
        if any(run["wrong"] or run["lost"] for run in told):
            raise SystemExit(f"{self.name}, {how}: wrong or lost answers: {told}")
        return [statistics.median(run[key] for run in told) for key in ("server_ns", "user_ns", "per_second")]


def one_zone(folder, count):
    zones = folder / "zones"
    zones.mkdir()
    zone, names = write_zone(folder, count)
    zone.rename(zones / zone.name)
    return zones, names


def many_zones(folder, count):
    zones, _ = one_zone(folder, 1)
    for n in range(count):
        if n % 1000 == 0:
            (zones / f"{n // 1000:04}").mkdir()
        (zones / f"{n // 1000:04}" / f"d{n:07}.example.zone").write_text(FIVE)
    names = folder / "names"
    names.write_text("".join(f"www.d{n:07}.example A\n" for n in range(count)))
    return zones, names


def large_answers(folder):
    zones, names = one_zone(folder, 1)
    text = " ".join(f'"{chr(97 + n) * 200}"' for n in range(5))
    with open(zones / f"{ZONE}.zone", "a") as zone:
        zone.writelines(f"t{n} TXT {text}\n" for n in range(1000))
    names.write_text("".join(f"t{n}.{ZONE} TXT\n" for n in range(1000)))
    return zones, names


def measure(make, hows, load, options):
    """The cost of each way to ask a server of what `make` lays out in a folder."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        zones, names = make(folder)
        server = Homing("homing", folder / "server", zones, options, load)
        try:
            # What the start leaves to do is done, and memory is warm.
            server.ask(load, names, seconds=3, rate=20_000)
            return [server.cost(load, names, options, how) for how in hows]
        finally:
            server.end()


def draw(lines, path):
    """Lines of (count, nanoseconds) over the logarithm of the count, as SVG."""
    width, height, left, bottom = 640, 320, 60, 40
    counts = sorted({count for line in lines.values() for count, _ in line})
    top = 500 * math.ceil(max(ns for line in lines.values() for _, ns in line) * 1.05 / 500)
    span = math.log10(counts[-1] / counts[0]) or 1
    x = lambda count: left + (width - left - 150) * math.log10(count / counts[0]) / span  # noqa: E731
    y = lambda ns: height - bottom - (height - bottom - 20) * ns / top  # noqa: E731
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for ns in range(0, top + 1, 1000):
        out.append(f'<path d="M{left} {y(ns):.0f}H{width - 150}" stroke="#ddd"/>'
                   f'<text x="{left - 6}" y="{y(ns) + 4:.0f}" text-anchor="end">{ns}</text>')
    for count in counts:
        out.append(f'<text x="{x(count):.0f}" y="{height - bottom + 18}" text-anchor="middle">{count:,}</text>')
    out.append(f'<text x="{left}" y="12">processor ns a query; names of one zone, or zones</text>')
    labels = sorted(lines, key=lambda name: -lines[name][-1][1])
    ends = []
    for name, colour in zip(labels, ["#b5179e", "#4361ee", "#2a9d8f", "#e76f51", "#555"]):
        line = lines[name]
        ends.append(max(y(line[-1][1]) + 4, ends[-1] + 14 if ends else 0))
        points = " ".join(f"{x(count):.0f},{y(ns):.0f}" for count, ns in line)
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
                   f'<text x="{x(line[-1][0]) + 8:.0f}" y="{ends[-1]:.0f}" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*out, "</svg>\n"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=1_000_000, help="names, and zones")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=pathlib.Path, help="where to draw it")
    parser.add_argument("--homing", default=ROOT / "target/release/homing", help="the binary")
    options = parser.parse_args()
    load = load_binary()
    lines = {name: [] for name in [*KINDS, "zones"]}
    print("| what is served | asked | ns a query | of it user | a second |\n| --- | --- | --- | --- | --- |", flush=True)

    def tell(served, asked, cost):
        print(f"| {served} | {asked} | " + " | ".join(f"{value:,.0f}" for value in cost) + " |", flush=True)

    counts = [count for count in (1_000, 10_000, 100_000, 1_000_000) if count <= options.most]
    for count in counts:
        costs = measure(lambda folder: one_zone(folder, count), KINDS.values(), load, options)
        for name, cost in zip(KINDS, costs):
            lines[name].append((count, cost[0]))
            tell(f"one zone, {count:,} names", name, cost)
    for count in counts:
        hows = [[], ["--torture"]]
        hits, torture = measure(lambda folder: many_zones(folder, count), hows, load, options)
        lines["zones"].append((count, hits[0]))
        tell(f"{count:,} zones", "hits", hits)
        tell(f"{count:,} zones", "water torture", torture)
    tcp = {"TCP, 20 connections": ["--tcp", 20], "TCP, ten queries a connection": ["--tcp", 20, "--each", 10],
           "TCP, a query a connection": ["--tcp", 20, "--each", 1]}
    costs = measure(lambda folder: one_zone(folder, 10_000), [[], *tcp.values()], load, options)
    for name, cost in zip(["UDP", *tcp], costs):
        tell("one zone, 10,000 names", name, cost)
    # Of large answers, fewer fit into the buffer of a socket.
    costs = measure(large_answers, [["--outstanding", 50], ["--tcp", 20]], load, options)
    for name, cost in zip(["UDP, answers of 1,100 octets", "the same over TCP"], costs):
        tell("one zone, 1,000 texts", name, cost)
    if options.plot:
        draw(lines, options.plot)


if __name__ == "__main__":
    main()
