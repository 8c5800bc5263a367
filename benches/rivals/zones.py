#!/usr/bin/env python3
"""A platform of many zones beside other servers: zones.py [--zones N] [--changes N] [--broken] SERVER...

Servers: homing, knot, nsd. Each serves N zones of five records; told is the time from its start to the first answer of the last
zone, its memory, and the time from the rename of one changed zone file to the first answer that shows it, with the processor
time that it took. homing sees the file by itself; Knot and NSD are told its name. One after the other, on all cores; in a folder
that goes when it ends. A million zones need 5 GiB of memory, 5 GiB of disk and some minutes.

Needs `cargo build --release` beforehand.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

import compare
from compare import ROOT, free_port


def name_of(n):
    return f"d{n:07}.example"


def file_of(zones, n):
    return zones / f"{n // 1000:04}" / f"{name_of(n)}.zone"


def text_of(n, serial, address):
    return (f"$TTL 300\n@ SOA ns1.platform.test. host.platform.test. {serial} 3600 600 86400 300\n@ NS ns1.platform.test.\n"
            f"@ A 192.0.2.{n % 250 + 1}\nwww A {address}\n@ MX 10 mail.platform.test.\n")


class Server(compare.Server):
    """One of many zones, on all cores."""

    def __init__(self, name, folder, zones, options):
        self.folder, self.port = folder, free_port()
        folder.mkdir()
        self.command, self.tell = getattr(self, f"make_{name}")(zones, options)

    def make_homing(self, zones, options):
        (self.folder / "homing.toml").write_text(
            f'[site]\nname = "bench"\n[files]\nzones = "{zones}"\n[listen]\ndns = ["127.0.0.1:{self.port}"]\n'
            f'api = "127.0.0.1:{free_port()}"\ncores = 1\n')
        return [options.homing, "serve", "--config", self.folder / "homing.toml"], None

    def make_knot(self, zones, options):
        conf, sock = self.folder / "knot.conf", self.folder / "knot.sock"
        with open(conf, "w") as out:
            out.write(f"server:\n  listen: 127.0.0.1@{self.port}\n  rundir: {self.folder}\n  udp-workers: 1\n  tcp-workers: 1\n"
                      f"database:\n  storage: {self.folder}\ntemplate:\n  - id: default\n    storage: /\n    zonefile-sync: -1\n"
                      "    zonefile-load: whole\n    journal-content: none\nzone:\n")
            out.writelines(f"  - domain: {name_of(n)}\n    file: {file_of(zones, n)}\n" for n in range(options.zones))
        return ["/usr/sbin/knotd", "-c", conf], ["/usr/sbin/knotc", "-s", sock, "zone-reload"]

    def make_nsd(self, zones, options):
        conf, sock = self.folder / "nsd.conf", self.folder / "nsd.sock"
        with open(conf, "w") as out:
            out.write(f'server:\n  ip-address: 127.0.0.1@{self.port}\n  server-count: 1\n  username: ""\n  zonesdir: "{zones}"\n'
                      f'  database: ""\n  pidfile: "{self.folder}/pid"\n  xfrdfile: ""\n  zonelistfile: "{self.folder}/zones"\n'
                      f'  xfrdir: "{self.folder}"\nremote-control:\n  control-enable: yes\n  control-interface: {sock}\n')
            out.writelines(f'zone:\n  name: "{name_of(n)}"\n  zonefile: "{file_of(zones, n)}"\n' for n in range(options.zones))
        return ["/usr/sbin/nsd", "-d", "-c", conf], ["/usr/sbin/nsd-control", "-c", conf, "reload"]

    def start(self, last):
        self.log = open(self.folder / "log", "w")
        began = time.monotonic()
        self.process = subprocess.Popen(list(map(str, self.command)), stdout=self.log, stderr=self.log, start_new_session=True)
        self.wait(f"www.{last}", None)
        return time.monotonic() - began

    def change(self, zones, n, turn):
        name, file, address = name_of(n), file_of(zones, n), f"198.51.100.{turn}"
        fresh = file.with_suffix(".fresh~")
        fresh.write_text(text_of(n, turn + 1, address))
        before, began = self.spent(), time.monotonic()
        fresh.rename(file)
        if self.tell:
            subprocess.run([*map(str, self.tell), name], check=True, capture_output=True)
        self.wait(f"www.{name}", address)
        took = time.monotonic() - began
        # What follows a change is part of what it costs.
        time.sleep(3)
        return took * 1000, (self.spent() - before) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zones", type=int, default=100_000)
    parser.add_argument("--changes", type=int, default=5)
    parser.add_argument("--broken", action="store_true", help="beside a zone file that cannot be loaded; for homing alone")
    parser.add_argument("--homing", default=ROOT / "target/release/homing", help="the binary")
    parser.add_argument("servers", nargs="+", choices=["homing", "knot", "nsd"])
    options = parser.parse_args()
    print(f"{options.zones:,} zones of five records, {options.changes} changes\n")
    print("| server | first answer, s | MiB (PSS) | change, ms: first, median, worst | processor ms: first, median |\n"
          "| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        zones = folder / "zones"
        for n in range(options.zones):
            if n % 1000 == 0:
                file_of(zones, n).parent.mkdir(parents=True)
            file_of(zones, n).write_text(text_of(n, 1, "192.0.2.1"))
        if options.broken:
            (zones / "0000/broken.example.zone").write_text("@ SOA broken\n")
        for index, name in enumerate(options.servers):
            # What one has left in the files, the next must not take for its own change.
            first = 1 + index * options.changes
            server = Server(name, folder / name, zones, options)
            try:
                started = server.start(name_of(options.zones - 1))
                time.sleep(5)
                memory = server.pss()
                times, costs = zip(*[server.change(zones, 7 + turn, first + turn) for turn in range(options.changes)])
                print(f"| {name} | {started:.1f} | {memory:,} | {times[0]:.0f}, {statistics.median(times):.0f}, {max(times):.0f} | "
                      f"{costs[0]:.0f}, {statistics.median(costs):.0f} |", flush=True)
            finally:
                server.end()


if __name__ == "__main__":
    main()
