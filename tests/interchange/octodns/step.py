#!/usr/bin/env python3
"""octoDNS writes the folder that homing serves: the real octodns and octodns-bind, the real binary, over the wire.

usage: step.py HOMING WORK-FOLDER, with a Python that has both packages beside it (`.ci/run` makes it).
"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.zone
from octodns.provider.yaml import YamlProvider
from octodns.zone import Zone
from octodns_bind import RfcPopulate, ZoneFileProvider

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
HOMING, WORK = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
BIN = pathlib.Path(sys.executable).parent
DNS = WORK / "dns"
ZONES = ["octodns.test.", "2.0.192.in-addr.arpa."]


def octodns(program, *arguments, config=HERE / "config"):
    """Runs a program of octoDNS on the folder that is served."""
    environment = dict(os.environ, OCTODNS_CONFIG=str(config), OCTODNS_ZONES=str(DNS / "zones"))
    command = [BIN / program, "--config-file", HERE / "config.yaml", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{program} failed\n{done.stdout}{done.stderr}")
    return done.stdout


def homing(*arguments):
    done = subprocess.run([HOMING, *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"homing {arguments} gave {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def written():
    """The zone files, without their serials."""
    def lines(path):
        return [line for line in path.read_text().splitlines() if "; Serial" not in line]
    return {path.name: lines(path) for path in sorted((DNS / "zones").iterdir())}


def rdatas(records):
    """RRsets as sets of octets, by owner and type."""
    found = {}
    for owner, ttl, rtype, text in records:
        rtype = dns.rdatatype.from_text(rtype)
        rdata = dns.rdata.from_text("IN", rtype, text).to_digestable(dns.name.root)
        found.setdefault((dns.name.from_text(owner), rtype), set()).add((ttl, rdata))
    return found


def of_octodns(zone):
    """What octoDNS has in a zone."""
    records = []
    for record in zone.records:
        fqdn, ttl, rtype, texts = record.rrs
        # In octoDNS a semicolon is escaped; chunks are how a long text is written.
        is_text = rtype in ("TXT", "SPF")
        texts = record.chunked_values if is_text else texts
        records += [(fqdn, ttl, rtype, str(text)) for text in texts]
    return rdatas(records)


def ask(name, rtype, port, tcp=False):
    query = dns.message.make_query(name, rtype, use_edns=0, payload=1232)
    via = dns.query.tcp if tcp else dns.query.udp
    return via(query, "127.0.0.1", port=port, timeout=5)


class Server:
    """A running homing."""

    def __init__(self):
        with socket.socket() as dns_port, socket.socket() as api_port:
            dns_port.bind(("127.0.0.1", 0))
            api_port.bind(("127.0.0.1", 0))
            self.port, api = dns_port.getsockname()[1], api_port.getsockname()[1]
        (DNS / "homing.toml").write_text(
            f'[listen]\ndns = ["127.0.0.1:{self.port}"]\napi = "127.0.0.1:{api}"\n'
        )
        self.log = open(WORK / "homing.log", "w")
        self.process = subprocess.Popen([HOMING, "serve", DNS], stdout=self.log, stderr=self.log)
        self.wait(lambda: ask(ZONES[0], "SOA", self.port).rcode() == dns.rcode.NOERROR)

    def wait(self, is_so):
        for _ in range(300):
            try:
                if is_so():
                    return
            except Exception:
                pass
            time.sleep(0.05)
        self.stop()
        sys.exit("not in time\n" + (WORK / "homing.log").read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def answers_equal_the_yaml(server):
    provider = YamlProvider("config", str(HERE / "config"), enforce_order=False)
    count = 0
    for name in ZONES:
        zone = Zone(name, [])
        provider.populate(zone)
        child = dns.name.from_text("child." + name)
        for (owner, rtype), wanted in of_octodns(zone).items():
            if owner.is_wild():
                owner = dns.name.from_text("x.y." + owner.parent().to_text())
            response = ask(owner, rtype, server.port, tcp=True)
            # At and below a cut, the records are a referral's.
            below = owner.is_subdomain(child) and rtype != dns.rdatatype.DS
            section = response.authority + response.additional if below else response.answer
            rrsets = [r for r in section if r.name == owner and r.rdtype == rtype]
            found = {(r.ttl, rd.to_digestable(dns.name.root)) for r in rrsets for rd in r}
            assert found == wanted, f"{owner} {dns.rdatatype.to_text(rtype)}: {found} is not {wanted}"
            count += 1
    types = {rtype for path in written().values() for line in path for rtype in line.split()}
    missing = sorted(RfcPopulate.SUPPORTS - types - {"SPF"})
    assert not missing, f"the YAML holds no {missing}"
    print(f"{count} RRsets answered as the YAML has them")


def a_second_run_changes_nothing():
    before = written()
    octodns("octodns-sync", "--doit")
    assert written() == before, "a second sync changed more than the serial"
    for name in ZONES:
        # The provider of zone files plans each sync from nothing; the comparison tells what differs.
        plan = octodns("octodns-compare", "--a", "config", "--b", "homing", "--zone", name).strip()
        assert plan == "[]", f"{name}: {plan}"
    print("a second run changes nothing but the serial; octodns-compare finds no difference")


def our_examples_are_read():
    flat = WORK / "flat"
    homing("export", "--flatten", str(ROOT), "--into", str(flat))
    for path in sorted((ROOT / "zones").glob("*.zone")):
        name = path.name.removesuffix("zone")
        zone = Zone(name, [])
        ZoneFileProvider("examples", str(ROOT / "zones"), ".zone").populate(zone, lenient=True)
        text = [line.split("\t") for line in (flat / path.name).read_text().splitlines()]
        kept = [(o, int(ttl), t, data) for o, ttl, _, t, data in text if t in RfcPopulate.SUPPORTS]
        left = sorted({t for _, _, _, t, _ in text} - RfcPopulate.SUPPORTS)
        steered = {o for o, _, _, _ in kept} - {o for o in text_owners(path)}
        kept = [record for record in kept if record[0] not in steered]
        ours, theirs = rdatas(kept), of_octodns(zone)
        assert ours == theirs, f"{name}: {set(ours) ^ set(theirs)}"
        print(f"{name} read alike: {len(ours)} RRsets; octodns-bind leaves out {', '.join(left)}")


def text_owners(path):
    zone = dns.zone.from_file(str(path), path.name.removesuffix("zone"), relativize=False)
    return {owner.to_text() for owner in zone}


def rewriting_is_never_half(server):
    """Two states, written again and again, while somebody asks: every answer is of the one or the other."""
    states = {}
    filler = "".join(f"n{n:05}: {{type: A, value: 192.0.2.{n % 250}}}\n" for n in range(2000))
    for address in "192.0.2.12", "198.51.100.12":
        states[address] = WORK / address
        shutil.copytree(HERE / "config", states[address])
        path = states[address] / "octodns.test.yaml"
        path.write_text(path.read_text().replace("192.0.2.12}", address + "}") + filler)
    seen, wrong, done = set(), [], threading.Event()

    def look():
        while not done.is_set():
            try:
                response = ask("www2.octodns.test.", "A", server.port)
                found = tuple(sorted(rd.address for r in response.answer for rd in r))
                seen.add(found)
                if found not in {(address,) for address in states}:
                    wrong.append(response.to_text())
            except Exception as error:
                wrong.append(repr(error))

    looker = threading.Thread(target=look)
    looker.start()
    for address in list(states)[::-1] * 2:
        octodns("octodns-sync", "--doit", "--force", config=states[address])
        server.wait(lambda: address in ask("www2.octodns.test.", "A", server.port).to_text())
    done.set()
    looker.join()
    assert not wrong, f"{len(wrong)} wrong answers, such as {wrong[0]}"
    assert len(seen) == 2, seen
    print("no wrong answer while octodns-sync rewrote the zones")


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    (DNS / "zones").mkdir(parents=True)
    octodns("octodns-sync", "--doit")
    said = homing("check", str(DNS))
    assert "warning[" not in said and "error[" not in said, said
    print("homing check finds no mistake in what octodns-sync wrote")
    server = Server()
    try:
        answers_equal_the_yaml(server)
        a_second_run_changes_nothing()
        our_examples_are_read()
        rewriting_is_never_half(server)
    finally:
        server.stop()


main()
