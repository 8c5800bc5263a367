#!/usr/bin/env python3
"""Load and change of one large zone beside other servers.

    reload.py [--records N] [--changes N] [--rate QPS] [--rest SECS] SERVER...

Servers: homing, gdnsd, knot, nsd. Each serves one zone on one core. Told are the time from its start to its first answer and the
processor time of that; its memory when it has rested; for changes of one record, the time from the rename of the zone file to the
first answer that shows it, and the processor time; the memory after them, and the most of one more change; and what of a steady
load from the other core was lost while one more was taken, with the longest time without an answer, beside that of a load during
which nothing changes. homing sees the file by itself; the others are told. One after the other, in a folder that goes when it ends.

Needs two cores, `cargo bench --bench load --no-run` and `cargo build --release` beforehand.
"""

import argparse
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import threading
import time

import compare
from compare import ROOT, ZONE

CHANGED = "h0000000"


class Server(compare.Server):
    """One whose zone file is rewritten."""

    def __init__(self, name, folder, zone, options, load):
        super().__init__(name, folder, zone, options, load)
        self.turn, self.text, self.rest = 0, zone.read_text(), options.rest
        self.file, self.tell = {
            "homing": (folder / "zones" / zone.name, None),
            "gdnsd": (folder / "zones" / ZONE, ["/usr/bin/gdnsdctl", "-c", folder, "reload-zones"]),
            "knot": (zone, ["/usr/sbin/knotc", "-s", folder / "knot.sock", "zone-reload", ZONE]),
            "nsd": (zone, ["/usr/sbin/nsd-control", "-c", folder / "nsd.conf", "reload", ZONE]),
        }[name]

    def change(self):
        """Milliseconds until the change is answered, and of the processor until it has rested."""
        self.turn += 1
        address = f"198.51.100.{self.turn}"
        text = self.text.replace("hostmaster 1 ", f"hostmaster {self.turn + 1} ", 1)
        old = text.index(f"\n{CHANGED} IN A ") + 1
        fresh = self.folder / "fresh"
        fresh.write_text(f"{text[:old]}{CHANGED} IN A {address}{text[text.index(chr(10), old):]}")
        before, began = self.spent(), time.monotonic()
        fresh.rename(self.file)
        if self.tell:
            subprocess.run(list(map(str, self.tell)), check=True, capture_output=True)
        self.wait(f"{CHANGED}.{ZONE}", address)
        took = time.monotonic() - began
        # What follows a change is part of what it costs, and is not to meet the next one.
        time.sleep(self.rest)
        return took * 1000, (self.spent() - before) * 1000

    def peak_of_change(self):
        """The most memory during a change, looked at every 30 ms."""
        sizes, is_over = [], threading.Event()

        def look():
            while not is_over.wait(0.03):
                try:
                    sizes.append(self.pss())
                except FileNotFoundError:
                    pass  # One of its processes has just ended.

        looking = threading.Thread(target=look)
        looking.start()
        self.change()
        is_over.set()
        looking.join()
        return max(sizes)

    def ask_while(self, load, names, options, act):
        found = []
        asking = threading.Thread(target=lambda: found.append(self.ask(load, names, seconds=4, rate=options.rate)))
        asking.start()
        time.sleep(1)
        act()
        asking.join()
        return found[0]


def measure(server, load, names, options):
    loaded = server.pss_mib
    times, costs = zip(*[server.change() for _ in range(options.changes)])
    after, peak = server.pss(), server.peak_of_change()
    quiet = server.ask_while(load, names, options, lambda: None)
    busy = server.ask_while(load, names, options, server.change)
    cells = [
        server.name, server.start_ms, server.start_cpu_ms, f"{statistics.median(times):.0f}, {max(times):.0f}",
        f"{statistics.median(costs):.0f}", loaded, after, peak, f"{busy['lost']}, {busy['wrong']}",
        f"{busy['gap_us'] / 1000:.1f}, {quiet['gap_us'] / 1000:.1f}",
    ]
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=740_000, help="names of the zone, 1.35 records each")
    parser.add_argument("--changes", type=int, default=5, help="at most 100")
    parser.add_argument("--rate", type=int, default=20_000, help="queries a second while it changes")
    parser.add_argument("--rest", type=float, default=5, help="seconds between changes")
    parser.add_argument("--homing", default=ROOT / "target/release/homing", help="the binary")
    parser.add_argument("servers", nargs="+", choices=["homing", "gdnsd", "knot", "nsd"])
    options = parser.parse_args()
    load = compare.load_binary()
    print(f"{options.records:,} names, {options.changes} changes, {options.rate} queries a second\n")
    print("| server | first answer, ms | its processor ms | change, ms: median, worst | its processor ms | MiB (PSS) | after changes |"
          " most in one | lost, wrong | longest gap, ms: changed, quiet |\n" + "| --- " * 10 + "|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        zone, names = compare.write_zone(folder, options.records)
        for name in options.servers:
            (folder / "of" / name).mkdir(parents=True)
            own = pathlib.Path(shutil.copy(zone, folder / "of" / name))
            server = Server(name, folder / name, own, options, load)
            try:
                measure(server, load, names, options)
            finally:
                server.end()


if __name__ == "__main__":
    main()
