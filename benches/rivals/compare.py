#!/usr/bin/env python3
"""homing beside other servers: compare.py [--rounds N] [--seconds S] [--records N]
[--rate QPS | --tcp CONNECTIONS [--each QUERIES] | --tls, --https or --quic CONNECTIONS [--lanes N]] SERVER...

Servers: echo (what sockets alone cost), homing, gdnsd, knot, nsd; the last three from Debian's packages. All serve the same zone
on one core, the load comes from the other, and each is asked in turn, round after round, so that a busy moment of the machine
falls on all of them. Prints medians, lowest and highest. Everything happens on loopback, in a folder that goes when it ends.
Over TLS homing and nsd are asked, over HTTPS and QUIC homing alone: Debian's packages of the others speak none of them.

Needs two cores, `cargo bench --bench load --no-run` and `cargo build --release` beforehand.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER_CORE, LOAD_CORE = "0", "1"
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_SECS = 600
ZONE = "bench.test"
ENCRYPTED = ["tls", "https", "quic"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--records", type=int, default=20_000, help="names of the zone")
    parser.add_argument("--rate", type=int, default=0, help="queries a second; 0: as many as come back")
    parser.add_argument("--tcp", type=int, default=0, help="so many connections at a time instead of UDP")
    parser.add_argument("--each", type=int, default=1, help="queries of one connection")
    for transport in ENCRYPTED:
        parser.add_argument(f"--{transport}", type=int, default=0, help="so many connections")
    parser.add_argument("--lanes", type=int, default=1, help="queries that each of them has under way")
    parser.add_argument("--homing", default=ROOT / "target/release/homing", help="the binary")
    parser.add_argument("--json", action="store_true", help="the medians as JSON too")
    parser.add_argument("servers", nargs="+", choices=["echo", "homing", "homing-no-rest", "homing-limited", "gdnsd", "knot", "nsd"])
    return parser.parse_args()


def load_binary():
    out = subprocess.run(
        ["cargo", "bench", "--bench", "load", "--no-run", "--message-format", "json", "--quiet"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout
    for line in out.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "load":
            return message["executable"]
    raise SystemExit("cargo told of no executable")


def write_zone(folder, count):
    """Addresses, every fourth name with two families and every tenth with mail; and the questions for them."""
    zone, names = folder / f"{ZONE}.zone", folder / "names"
    with open(zone, "w") as out, open(names, "w") as asked:
        out.write(f"$ORIGIN {ZONE}.\n$TTL 3600\n@ IN SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ IN NS ns1\nns1 IN A 192.0.2.53\n")
        out.write("mail IN A 192.0.2.25\n")
        for n in range(count):
            out.write(f"h{n:07d} IN A 10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}\n")
            asked.write(f"h{n:07d}.{ZONE} A\n")
            if n % 4 == 0:
                out.write(f"h{n:07d} IN AAAA 2001:db8::{n >> 16:x}:{n & 65535:x}\n")
                asked.write(f"h{n:07d}.{ZONE} AAAA\n")
            if n % 10 == 0:
                out.write(f"h{n:07d} IN MX 10 mail\n")
                asked.write(f"h{n:07d}.{ZONE} MX\n")
    return zone, names


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One that runs, with all its processes."""

    def __init__(self, name, folder, zone, options, load):
        self.name, self.port, self.encrypted = name, free_port(), {transport: free_port() for transport in ENCRYPTED}
        self.folder, self.certificate = folder, zone.parent / "cert.pem"
        folder.mkdir()
        command = getattr(self, "make_" + name.replace("-", "_"))(folder, zone, options, load)
        self.log = open(folder / "log", "w")
        began = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *map(str, command)], stdout=self.log, stderr=self.log, start_new_session=True)
        self.wait(f"ns1.{ZONE}")
        self.start_ms, self.start_cpu_ms = round((time.monotonic() - began) * 1000), round(self.spent() * 1000)
        time.sleep(2)
        self.pss_mib = self.pss()

    def make_echo(self, folder, zone, options, load):
        return [load, "--echo", f"127.0.0.1:{self.port}"]

    def make_homing(self, folder, zone, options, load, more=""):
        (folder / "zones").mkdir()
        shutil.copy(zone, folder / "zones")
        key, (dot, doh, doq) = self.certificate.with_name("key.pem"), (f"127.0.0.1:{port}" for port in self.encrypted.values())
        tls = f'dot = ["{dot}"]\ndoh = ["{doh}"]\ndoq = ["{doq}"]\ndns_certificate = "{self.certificate}"\ndns_key = "{key}"\n'
        (folder / "homing.toml").write_text(
            f'[site]\nname = "bench"\n[listen]\ndns = ["127.0.0.1:{self.port}"]\napi = "127.0.0.1:{free_port()}"\ncores = 1\n'
            f'{tls if self.certificate.exists() else ""}{more}')
        return [options.homing, "serve", "--config", folder / "homing.toml"]

    def make_homing_no_rest(self, folder, zone, options, load):
        return self.make_homing(folder, zone, options, load, "rest_micros = 0\n")

    def make_homing_limited(self, folder, zone, options, load):
        """Each response is counted and within its limit; in the others this machine's are exempt."""
        more = "[rate_limit]\nexempt = []\nresponses_per_second = 1000000\nall_per_second = 1000000\n"
        return self.make_homing(folder, zone, options, load, more)

    def make_gdnsd(self, folder, zone, options, load):
        (folder / "zones").mkdir()
        shutil.copy(zone, folder / "zones" / ZONE)
        (folder / "config").write_text(
            f"options => {{ listen => 127.0.0.1:{self.port}, udp_threads => 1, tcp_threads => 1, "
            f"run_dir => {folder}/run, state_dir => {folder}/state }}\n")
        return ["/usr/sbin/gdnsd", "-c", folder, "start"]

    def make_knot(self, folder, zone, options, load):
        (folder / "knot.conf").write_text(
            f"server:\n  listen: 127.0.0.1@{self.port}\n  rundir: {folder}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n"
            f"database:\n  storage: {folder}\ntemplate:\n  - id: default\n    storage: {folder}\n    zonefile-sync: -1\n"
            f"    zonefile-load: whole\n    journal-content: none\nzone:\n  - domain: {ZONE}\n    file: {zone}\n")
        return ["/usr/sbin/knotd", "-c", folder / "knot.conf"]

    def make_nsd(self, folder, zone, options, load):
        key, dot = self.certificate.with_name("key.pem"), self.encrypted["tls"]
        tls = (f'  ip-address: 127.0.0.1@{dot}\n  tls-port: {dot}\n  tls-service-pem: "{self.certificate}"\n'
               f'  tls-service-key: "{key}"\n  tcp-count: 200\n')
        (folder / "nsd.conf").write_text(
            f'server:\n  ip-address: 127.0.0.1@{self.port}\n{tls if self.certificate.exists() else ""}  server-count: 1\n  username: ""\n  zonesdir: "{folder}"\n  database: ""\n'
            f'  pidfile: "{folder}/pid"\n  xfrdfile: "{folder}/xfrd"\n  zonelistfile: "{folder}/zones"\n  xfrdir: "{folder}"\n'
            f'  rrl-ratelimit: 0\nremote-control:\n  control-enable: yes\n  control-interface: "{folder}/nsd.sock"\nzone:\n  name: "{ZONE}"\n  zonefile: "{zone}"\n')
        return ["/usr/sbin/nsd", "-d", "-c", folder / "nsd.conf"]

    def wait(self, name, address=None):
        """Until the name has this address, or any."""
        question = bytes.fromhex("123400000001000000000000") + b"".join(
            bytes([len(label)]) + label.encode() for label in name.split(".")) + bytes([0, 0, 1, 0, 1])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.port))
            client.settimeout(0.05)
            patience = time.monotonic() + PATIENCE_SECS
            while self.process.poll() is None and time.monotonic() < patience:
                try:
                    client.send(question)
                    answer = client.recv(512)
                    if answer[3] & 15 == 0 and (address is None or socket.inet_aton(address) in answer):
                        return
                except OSError:
                    pass
                time.sleep(0.002)
        raise SystemExit(f"no such answer:\n{(self.folder / 'log').read_text()[-2000:]}")

    def processes(self):
        found = [self.process.pid]
        for parent in found:
            for task in pathlib.Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        return found

    def pss(self):
        texts = [pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.processes()]
        return sum(int(re.search(r"^Pss: *(\d+)", text, re.M).group(1)) for text in texts) // 1024

    def spent(self):
        """Seconds of processor so far."""
        fields = [pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split() for pid in self.processes()]
        return sum(int(f[11]) + int(f[12]) for f in fields) / CLOCK_TICKS

    def ask(self, load, names, seconds, rate=0, tcp=0, each=1, lanes=1, **encrypted):
        """What the load tells of so many seconds: of `rate` queries a second, or of as many as come back."""
        how, port = ["--rate", rate] if rate else ["--outstanding", 200], self.port
        if tcp:
            how = ["--tcp", tcp, "--each", each]
        for transport, connections in encrypted.items():
            if connections:
                how, port = [f"--{transport}", connections, "--lanes", lanes, "--certificate", self.certificate], self.encrypted[transport]
        command = ["taskset", "-c", LOAD_CORE, load, "--to", f"127.0.0.1:{port}", "--names", names,
                   "--seconds", seconds, *how, "--process", ",".join(map(str, self.processes()))]
        return json.loads(subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout)

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()


COLUMNS = ["server_ns", "user_ns", "system_ns", "per_second", "p50_us", "p99_us", "p999_us", "lost", "wrong", "busy"]


def table(servers, found):
    print("| server | " + " | ".join(COLUMNS) + " | first answer, ms | MiB |")
    print("| --- " * (len(COLUMNS) + 3) + "|")
    for server in servers:
        cells = []
        for column in COLUMNS:
            values = [told[column] for told in found[server.name]]
            spread = f" ({min(values)} to {max(values)})" if column == "server_ns" else ""
            cells.append(f"{statistics.median(values):g}{spread}" if column not in ("lost", "wrong") else f"{sum(values)}")
        print(f"| {server.name} | " + " | ".join(cells) + f" | {server.start_ms} | {server.pss_mib} |")


def main():
    options = arguments()
    load = load_binary()
    servers, found = [], {name: [] for name in options.servers}
    encrypted = {transport: getattr(options, transport) for transport in ENCRYPTED}
    how = {"seconds": options.seconds, "rate": options.rate, "tcp": options.tcp, "each": options.each, "lanes": options.lanes, **encrypted}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        zone, names = write_zone(folder, options.records)
        if any(encrypted.values()):
            # Whoever finds a certificate there listens with it.
            subprocess.run([load, "--issue", folder], check=True)
        try:
            for name in options.servers:
                servers.append(Server(name, folder / name, zone, options, load))
            for server in servers:
                server.ask(load, names, **how)
            for _ in range(options.rounds):
                for server in servers:
                    found[server.name].append(server.ask(load, names, **how))
        finally:
            for server in servers:
                server.end()
    asked = f"{options.rate} a second" if options.rate else "200 outstanding"
    if options.tcp:
        asked = f"{options.tcp} connections of {options.each} queries each"
    for transport, connections in encrypted.items():
        if connections:
            asked = f"{connections} connections over {transport}, {options.lanes} queries at a time on each"
    print(f"{options.records} names, {asked}, {options.rounds} rounds of {options.seconds:g} s, medians")
    table(servers, found)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
