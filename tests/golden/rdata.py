#!/usr/bin/env python3
"""Holds rdata.txt against the servers and tools that are installed.

Every wire is what BIND makes of the text, and BIND, ldns, NSD and Knot read what we write back to the same wire.
Knot is asked by a transfer from the real server on loopback, read by dnspython.

Each case of rdata.txt is three lines: the type and the text of an operator; the tool that told the wire, and the wire;
what we write. The last is written by `UPDATE_GOLDEN=1 cargo test --lib rdata`, which is also what proves it.
"""

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOLDEN = Path(__file__).with_name("rdata.txt")
HEAD = """$ORIGIN t.test.
$TTL 60
@ SOA ns h 1 2 3 4 5
@ NS ns.other.test.
"""
# What a tool cannot read back, as types or as one text, and why.
NEW = "DOA AMTRELAY RESINFO WALLET TYPE262 TA DSYNC HHIT BRID CLA IPN"
OLD = "GPOS EID NIMLOC ATMA NINFO RKEY TALINK A6 SINK"
UNREADABLE = {
    "bind": [
        ("CLA IPN", "not known to 9.18"),
    ],
    "ldns": [
        (NEW + " NXT NINFO RKEY AVC A6 SINK", "not known to 1.8"),
        ("TYPE65280 TYPE65281 TYPE65534", "-u takes known types alone"),
        ("NSAP-PTR ATMA", "read as one string, and without the octet for the format"),
        (r"NS \@.\$x.a\"b\;\(\).t.test.", "`\\@` is taken for the origin"),
        (r'SVCB 1 . alpn="f\\\\oo\\,bar,h2"', "commas are not escaped as in RFC 9460 appendix A.1"),
        (r'SVCB 1 foo.t.test. alpn="f\\\\oo\\,bar,h2"', "the same"),
        ("CERT 0 0 0 AQIDBAU=", "type 0 is refused"),
        ("KEY 49152 3 8", "a KEY without a key (RFC 2535 section 3.1.2) is refused"),
        ("CSYNC 4294967295 65535", "an empty bitmap is refused"),
    ],
    "nsd": [
        (NEW + " " + OLD + " NSAP-PTR HIP", "not known to 4.6"),
        ("UINFO UID GID UNSPEC", "without a mnemonic there"),
        ("SIG TYPE0 5 0 0 20200101000000 20190101000000 1 . AQ==", "type 0 is refused"),
        ("KEY 49152 3 8", "a KEY without a key (RFC 2535 section 3.1.2) is refused"),
        ("RRSIG TYPE65534 255 255 4294967295 21060207062815 19700101000000 65535 . AQ==", "bounds the TTL"),
        ('SPF "v=spf1 -all" ""', "takes one string"),
    ],
    "knot": [
        (NEW + " " + OLD, "not known to 3.2"),
        ("MD MF MB MG MR WKS X25 ISDN NSAP NSAP-PTR SIG PX NXT HIP AVC DLV", "left out by Knot"),
        ("NULL UINFO UID GID UNSPEC", "without a mnemonic there"),
        (r'SVCB 1 . alpn="bar" no-default-alpn port=53 ech=aA== dohpath="/q{?dns}" key667="hello\210qoo"', "no dohpath in 3.2"),
        ('SVCB 1 . alpn="dot" dohpath="/dns-query{?dns}"', "the same"),
        ('SVCB 1 . alpn="h2" dohpath="/dns-query{?dns}"', "the same"),
        ("DS 0 0 0 00", "a digest of no known length is refused"),
        ("KEY 49152 3 8", "a KEY without a key is refused"),
        ("MINFO", "compressed in a transfer, and not known to dnspython, which reads it here"),
    ],
}


def run(*command, text=None):
    return subprocess.run(command, input=text, capture_output=True, text=True, errors="replace")


def unknown_form(text):
    """The octets of `\\# length hex`, in small letters."""
    found = re.search(r"\\# \d+[ \t]*([0-9A-Fa-f \t]*)", text)
    return found and re.sub(r"\s", "", found[1]).lower()


def bind(rtype, text):
    return unknown_form(run("named-rrchecker", "-o", "t.test.", "-u", text=f"IN {rtype} {text}\n").stdout)


def zone(records):
    return HEAD + "".join(f"r{i} IN {rtype} {text}\n" for i, rtype, text in records)


def owners(lines):
    """Owner number, type and text of printed records."""
    for line in lines:
        found = re.match(r"r(\d+)(?:\.t\.test\.)?\s+\d+\s+IN\s+(\S+)\s*(.*)", line)
        if found:
            yield int(found[1]), found[2], found[3]


def ldns(records, folder):
    file = folder / "ldns"
    file.write_text(zone(records))
    types = {rtype.upper() for _, rtype, _ in records}
    flags = [flag for rtype in sorted(types) for flag in ("-u", rtype)]
    printed = run("ldns-read-zone", *flags, str(file))
    if printed.returncode != 0:
        return None
    return {i: unknown_form(text) for i, _, text in owners(printed.stdout.splitlines())}


def nsd(records, folder):
    file = folder / "nsd"
    file.write_text(zone(records))
    printed = run("nsd-checkzone", "-p", "t.test", str(file))
    if printed.returncode != 0:
        return None
    return {i: bind(rtype, text) for i, rtype, text in owners(printed.stdout.splitlines())}


def knot(records, folder):
    """Served by the real server, and transferred."""
    import dns.query
    import dns.rdatatype
    import dns.zone

    file = folder / "t.test.zone"
    file.write_text(zone(records))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "knot.conf"
    config.write_text(f"""server:
    rundir: {folder}
    listen: 127.0.0.1@{port}
database:
    storage: {folder}
acl:
  - id: all
    action: transfer
zone:
  - domain: t.test
    file: {file}
    acl: all
""")
    server = subprocess.Popen(["knotd", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(30):
            try:
                found = {}
                for message in dns.query.xfr("127.0.0.1", "t.test.", port=port, timeout=5, relativize=False):
                    for rrset in message.answer:
                        owner = str(rrset.name)
                        if re.match(r"r\d+\.", owner):
                            found[int(owner[1:].split(".")[0])] = rrset[0].to_wire().hex()
                return found
            except Exception:
                time.sleep(0.1)
        return None
    finally:
        server.terminate()
        server.wait()


def is_unreadable(tool, rtype, text):
    return any(rtype in types.split() or f"{rtype} {text}" == types for types, _ in UNREADABLE[tool])


def cases():
    found = []
    for line in GOLDEN.read_text().splitlines():
        if line.startswith("    "):
            tool, _, rest = line.strip().partition(" ")
            found[-1].append((tool, rest.strip()))
        elif line and not line.startswith("#"):
            found.append([line])
    return [(case[0].partition(" ")[0], case[0].partition(" ")[2], case[1], case[2][1]) for case in found]


def check_texts(found):
    for rtype, text, (tool, wire), _ in found:
        if tool == "bind" and (told := bind(rtype, text) or "-") != wire:
            yield f"{rtype} {text}: BIND tells {told}, {wire} is written down"


def check_ours(tool, read, found, folder):
    records = [(i, rtype, ours) for i, (rtype, _, _, ours) in enumerate(found)]
    records = [record for record in records if record[1] != "SOA" and not is_unreadable(tool, *record[1:])]
    told = read(records, folder)
    if told is None:
        # One record is refused, and with it the zone: which?
        for record in records:
            if read([record], folder) is None:
                yield f"{record[1]} {record[2]}: {tool} refuses it"
        return
    for i, rtype, text in records:
        wire = found[i][2][1].replace("-", "")
        if told.get(i) != wire:
            yield f"{rtype} {text}: {tool} reads {told.get(i)}, we {wire}"


def bind_zone(records, folder):
    return {i: bind(rtype, text) for i, rtype, text in records}


def main():
    found = cases()
    tools = {"bind": ("named-rrchecker", bind_zone), "ldns": ("ldns-read-zone", ldns)}
    tools |= {"nsd": ("nsd-checkzone", nsd), "knot": ("knotd", knot)}
    faults = list(check_texts(found))
    for tool, (command, read) in tools.items():
        if shutil.which(command) is None:
            faults.append(f"{command} is not installed")
            continue
        with tempfile.TemporaryDirectory() as folder:
            faults.extend(check_ours(tool, read, found, Path(folder)))
    print("\n".join(faults + [f"{len(found)} cases, {len(faults)} faults"]))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
