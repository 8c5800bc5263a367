#!/usr/bin/env python3
"""Everything at once, for long: soak.py [--minutes M] [--share S]

One homing under a steady load, a part of what it can take: first quiet, then with a zone rewritten every second, 1,000 reports
a second that turn a region down and up, overrides of geography rewritten every minute, and `/metrics` scraped every second.
Tells what was lost, how long answers took beside the quiet run, and memory over time. Loopback only; it ends by itself.

Needs two cores, `cargo bench --bench load --no-run` and `cargo build --release` beforehand.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benches/rivals"))
from compare import SERVER_CORE, ZONE, Server, free_port, load_binary, write_zone  # noqa: E402

REGIONS = "[fra]\nname = 'Frankfurt'\nposition = [50.11, 8.68]\n[iad]\nname = 'Ashburn'\nposition = [38.9, -77.4]\n" \
          "[sin]\nname = 'Singapore'\nposition = [1.35, 103.82]\n"
STEERING = "[pools.web]\nfra = ['192.0.2.10']\niad = ['192.0.2.20']\nsin = ['192.0.2.30']\n[policies.web]\npool = 'web'\n" \
           f"[routes.'{ZONE}']\n"
LOAD_SECONDS = 10
STEERED_COUNT = 200


class Homing(Server):
    """One with steering."""

    def make_homing(self, folder, zone, options, load):
        self.folder, self.api = folder, free_port()
        (folder / "zones").mkdir()
        (folder / "geo").mkdir()
        self.zone_text = zone.read_text()
        self.write("zones", f"{ZONE}.zone", self.zone_text)
        routes = "".join(f"'s{n}' = 'web'\n" for n in range(STEERED_COUNT))
        self.write("zones", f"{ZONE}.toml", STEERING + routes)
        self.write("geo", "regions.toml", REGIONS)
        self.write_overrides(0)
        (folder / "homing.toml").write_text(
            f'[site]\nname = "soak"\n[listen]\ndns = ["127.0.0.1:{self.port}"]\napi = "127.0.0.1:{self.api}"\ncores = 1\n')
        return ["taskset", "-c", "0,1", options.homing, "serve", "--config", folder / "homing.toml"]

    def pin(self):
        """The thread that answers gets a core, as it would have with more of them; the others run where there is room."""
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            if (task / "comm").read_text().startswith("udp"):
                os.sched_setaffinity(int(task.name), {int(SERVER_CORE)})

    def dropped(self):
        """Packets for which the server's socket had no room, so far."""
        rows = [line.split() for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]]
        return sum(int(row[-1]) for row in rows if int(row[1].split(":")[1], 16) == self.port)

    def write(self, below, name, text):
        fresh = self.folder / below / ".fresh"
        fresh.write_text(text)
        fresh.rename(self.folder / below / name)

    def write_zone(self, serial):
        self.write("zones", f"{ZONE}.zone", self.zone_text.replace("hostmaster 1 ", f"hostmaster {serial} ", 1))

    def write_overrides(self, turn):
        lines = (f"10.{n >> 8}.{n & 255}.0/24,{['fra', 'iad', 'sin'][(n + turn) % 3]},soak\n" for n in range(20_000))
        self.write("geo", "overrides.csv", "prefix,region,note\n" + "".join(lines))

    def call(self, path, body=None, kind="application/x-ndjson"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.api}{path}", body, {"content-type": kind})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.read().decode()

    def report(self, turn):
        """100 reports: a vantage tells each region's state many times over, and changes its mind about one every second."""
        status = "down" if turn // 10 % 2 else "up"
        lines = ({"vantage": f"v{n % 5}", "subject": f"{['fra', 'iad'][n % 2]}/web",
                  "status": status if n % 2 == 0 else "up"} for n in range(100))
        reply = json.loads(self.call("/v1/reports", "\n".join(map(json.dumps, lines)).encode()))
        if reply.get("refused"):
            raise SystemExit(f"reports were refused: {reply}")


def every(seconds, over, faults, work):
    """Does `work` with 1, 2, 3… at so many seconds, on a thread, until it is over."""
    def run():
        began, turn = time.monotonic(), 0
        while not over.is_set():
            turn += 1
            try:
                work(turn)
            except OSError as error:
                faults.append(f"{work.__name__}: {error}")
            over.wait(max(0.0, began + turn * seconds - time.monotonic()))
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def loads(name, server, load, names, rate, count):
    """Runs the load so often, and tells of it; gives the memory after each."""
    runs, memory, before = [], [], server.dropped()
    for _ in range(count):
        runs.append(server.ask(load, names, seconds=LOAD_SECONDS, rate=rate))
        memory.append(server.pss())
    lost, answered, wrong = (sum(run[key] for run in runs) for key in ("lost", "answered", "wrong"))
    waits = " ".join(f"{key} {statistics.median(run[key] for run in runs):.0f} (worst {max(run[key] for run in runs)})"
                     for key in ("p50_us", "p99_us", "p999_us"))
    dropped = server.dropped() - before
    print(f"{name}: {answered:,} answered, {lost} lost, of them {dropped} at the server, {wrong} wrong; {waits}", flush=True)
    return memory


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--share", type=float, default=0.8, help="of what it can take")
    parser.add_argument("--homing", default=ROOT / "target/release/homing", help="the binary")
    options = parser.parse_args()
    load, count = load_binary(), max(1, round(options.minutes * 60 / LOAD_SECONDS))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        zone, names = write_zone(folder, 20_000)
        with open(zone, "a") as text, open(names, "a") as asked:
            for n in range(STEERED_COUNT):
                text.write(f"s{n} A 192.0.2.10\n")
                asked.write(f"s{n}.{ZONE} A\n" * 20)
        server = Homing("homing", folder / "server", zone, options, load)
        over, faults = threading.Event(), []
        try:
            server.pin()
            most = server.ask(load, names, seconds=5)["per_second"]
            rate = int(most * options.share)
            print(f"{most:,.0f} a second at most; {rate:,} from here on", flush=True)
            quiet = loads("quiet", server, load, names, rate, max(1, count // 10))[-1]
            threads = [every(1, over, faults, lambda turn: server.write_zone(turn + 1)),
                       every(0.1, over, faults, server.report),
                       every(60, over, faults, server.write_overrides),
                       every(1, over, faults, lambda turn: server.call("/metrics"))]
            try:
                memory = loads("everything at once", server, load, names, rate, count)
            finally:
                over.set()
                for thread in threads:
                    thread.join()
            status = json.loads(server.call("/v1/status"))
            print(f"generation {status['generation']}, revision {status['revision']}; calls that failed: {len(faults)} {faults[:3]}")
            tenths = [memory[at * len(memory) // 10] for at in range(10)]
            print(f"MiB (PSS): quiet {quiet}, then {tenths}, at the end {memory[-1]}, most {max(memory)}")
        finally:
            server.end()


if __name__ == "__main__":
    main()
