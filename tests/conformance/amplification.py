#!/usr/bin/env python3
"""What somebody gains who asks in another's name: octets out for octets in, over UDP and without cookies.

  amplification.py [--bin PATH] [--flood SECONDS] FILE.jsonl.gz...

Asks each question of the vector files three times: plainly, with EDNS, and with EDNS and DO; prints a table. Octets are those of the
packets, IPv4 and UDP headers (28) included. --flood: then asks the question that gained most, as fast as one client can, of a server
that exempts nobody from its default limits; exits with 1 if more is answered whole than these allow, or a truncated response is
larger than its query.
"""
import argparse
import collections
import gzip
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

from serve_vectors import BINARY, place

HEADERS = 28
RESPONSES_PER_SECOND = 200  # the default of [rate_limit]
TYPES = dict(A=1, NS=2, CNAME=5, SOA=6, PTR=12, MX=15, TXT=16, AAAA=28, SRV=33, NAPTR=35, DNAME=39, DS=43, RRSIG=46, NSEC=47, DNSKEY=48,
             NSEC3=50, NSEC3PARAM=51, SVCB=64, HTTPS=65, ANY=255, CAA=257)
EDNS = b"\0\0\x29\x04\xd0\0\0%c\0\0\0"
WAYS = {"plain": b"", "EDNS": EDNS % 0, "EDNS, DO": EDNS % 0x80}


def name_wire(text):
    """Names of the vectors have no dots within labels, and few escapes; those are left out."""
    labels = [label.encode("latin-1") for label in text.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def request(number, question, opt):
    return struct.pack(">6H", number & 0xffff, 0, 1, 0, 0, 1 if opt else 0) + question + opt


def ask(client, query):
    client.send(query)
    while True:
        response = client.recv(4096)
        if response[:2] == query[:2]:
            return response


def serve(binary, root, zones, more=""):
    """Starts it on all zones, each origin once; gives it with a socket that is connected to it."""
    (root / "zones").mkdir()
    for number, (origin, text) in enumerate(zones.items()):
        source = root / f"{number}.txt"
        source.write_text(text, encoding="latin-1")
        place(origin, source, root / "zones")
    ports = []
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            ports.append(probe.getsockname()[1])
    (root / "homing.toml").write_text(
        f'[listen]\ndns = ["127.0.0.1:{ports[0]}"]\napi = "127.0.0.1:{ports[1]}"\ncores = 1\n{more}', encoding="latin-1")
    server = subprocess.Popen([binary, "serve", "--config", root / "homing.toml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("127.0.0.1", ports[0]))
    client.settimeout(0.2)
    for _ in range(300):
        try:
            ask(client, request(0xffff, b"\0\0\x06\0\x01", b""))
            client.settimeout(5)
            return server, client
        except OSError:
            time.sleep(0.1)
    sys.exit("the server does not answer")


def read(files):
    zones, asked = {}, []
    for file in files:
        kind = pathlib.Path(file).name.split(".")[0]
        with gzip.open(file, "rt") as rows:
            for row in map(json.loads, rows):
                if row["exclusive"]:
                    continue
                for zone in row["zones"]:
                    zones.setdefault(zone["origin"], zone["text"])
                for test in row["tests"]:
                    if test["qtype"] in TYPES and "\\" not in test["qname"]:
                        asked.append((kind, name_wire(test["qname"]) + struct.pack(">2H", TYPES[test["qtype"]], 1)))
    return zones, asked


def table(client, asked):
    """Prints it, and gives the query that gained most."""
    sums = collections.defaultdict(lambda: [0, 0, 0, 0.0])
    most, gained = None, 0.0
    for kind, question in asked:
        for way, opt in WAYS.items():
            query = request(sum(row[0] for row in sums.values()), question, opt)
            ins, outs = len(query) + HEADERS, len(ask(client, query)) + HEADERS
            row = sums[kind, way]
            row[0] += 1
            row[1] += ins
            row[2] += outs
            row[3] = max(row[3], outs / ins)
            if outs / ins > gained:
                most, gained = (question, opt), outs / ins
    print("| questions | asked | octets in | octets out | gained | most by one |\n| --- | --- | --- | --- | --- | --- |")
    for (kind, way), (count, ins, outs, highest) in sorted(sums.items()):
        print(f"| {kind}, {way} | {count:,} | {ins:,} | {outs:,} | {outs / ins:.2f} | {highest:.1f} |")
    return most


def flood(client, question, opt, seconds):
    client.setblocking(False)
    ins = outs = sent = got = cut = longest = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(32):
            query = request(sent, question, opt)
            try:
                client.send(query)
            except BlockingIOError:
                break
            sent, ins = sent + 1, ins + len(query) + HEADERS
        try:
            while True:
                response = client.recv(4096)
                got, outs = got + 1, outs + len(response) + HEADERS
                if response[2] & 2:
                    cut, longest = cut + 1, max(longest, len(response))
        except BlockingIOError:
            pass
    print(f"\nflood: {sent:,} queries in {seconds:.0f} s, {got:,} responses, {cut:,} of them truncated; "
          f"{ins:,} octets in, {outs:,} out; a truncated one has {longest} octets, a query {len(query)}")
    if got - cut > RESPONSES_PER_SECOND * (seconds + 1) or longest > len(query) or not cut:
        sys.exit("the limits do not hold")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=BINARY)
    parser.add_argument("--flood", type=float, metavar="SECONDS")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    zones, asked = read(options.files)
    for more in ["", "[rate_limit]\nexempt = []\n"]:
        with tempfile.TemporaryDirectory() as folder:
            server, client = serve(os.path.abspath(options.bin), pathlib.Path(folder), zones, more)
            try:
                if more:
                    flood(client, *most, options.flood)
                else:
                    most = table(client, asked)
            finally:
                server.terminate()
                server.wait()
        if not options.flood:
            break


if __name__ == "__main__":
    main()
