#!/usr/bin/env python3
"""The conformance material over another transport than UDP. Needs dnspython, and aioquic for QUIC.

  over.py TRANSPORT vectors TOOLS ARGUMENT...      run_vectors.py of the folder TOOLS with these arguments
  over.py TRANSPORT malformed TOOLS [--sample N] --server ADDR:PORT --probe ZONE CORPUS.bin.gz...

TRANSPORT is tcp, tls, https or quic, at the ports that `serve_vectors.py --encrypted` listens on. `malformed` fails on an
answer that is wrong in itself, and where the server does not answer SOA of ZONE after every 500 packets.
"""
import argparse
import collections
import sys
import time

from transports import TRANSPORTS


def client_over(transport, common):
    """The client of the material's tools, asking over `transport`: nothing is truncated there, nothing is asked again."""

    class Client(common.Client):
        def __init__(self, addr, port, timeout=2.0, **_):
            self.timeout, self.tries = timeout, 1
            self.line = transport(addr, port, timeout)

        def udp(self, wire):
            return self.line.exchange(wire)

        def close(self):
            self.line.close()

    return Client


def wrong(packet, reply):
    """What is wrong in itself with an answer to a packet."""
    import dns.exception
    import dns.message

    if len(packet) < 12:
        yield "answer to less than a header"
    elif packet[2] & 0x80:
        yield "answer to a response"
    if len(reply) < 12:
        yield "short answer"
        return
    if reply[:2] != packet[:2]:
        yield "ID differs"
    if not reply[2] & 0x80:
        yield "QR clear"
    try:
        dns.message.from_wire(reply)
    except dns.message.UnknownTSIGKey:
        pass  # well-formed
    except dns.exception.DNSException as error:
        yield f"unparsable answer: {type(error).__name__}"


def malformed(transport, common, arguments):
    import malformed as material

    ap = argparse.ArgumentParser()
    ap.add_argument("--server", required=True)
    ap.add_argument("--probe", required=True)
    ap.add_argument("--sample", type=int, default=1)
    ap.add_argument("corpus", nargs="+")
    a = ap.parse_args(arguments)
    addr, port = a.server.rsplit(":", 1)
    line = transport(addr, int(port), 1.0)
    probe = client_over(transport, common)(addr, int(port))
    counted, shown, began = collections.Counter(), [], time.time()
    packets = [packet for path in a.corpus for packet in material.read(path)][:: a.sample]
    for number, (name, packet) in enumerate(packets, 1):
        reply = line.exchange(packet)
        counted["silent" if reply is None else f"rcode {reply[3] & 15}" if len(reply) > 3 else "short"] += 1
        for word in wrong(packet, reply) if reply is not None else ():
            counted["BAD " + word] += 1
            shown.append((name, word, packet[:60].hex(), reply[:60].hex()))
        if number % 500 == 0 or number == len(packets):
            answer = probe.ask(a.probe, "SOA")
            if answer.get("rcode") != "NOERROR":
                counted["BAD not alive"] += 1
                shown.append((name, answer))
                break
    print(f"{len(packets)} packets over {sys.argv[1]}: {dict(counted)}, {time.time() - began:.0f} s")
    for line in shown[:10]:
        print("  ", *line)
    return int(bool(shown))


def vectors(transport, common, arguments):
    common.Client = client_over(transport, common)
    import run_vectors

    sys.argv[1:] = arguments
    return run_vectors.main()


def main():
    transport, what, tools, *arguments = sys.argv[1:]
    sys.path.insert(0, tools)
    import common

    return {"vectors": vectors, "malformed": malformed}[what](TRANSPORTS[transport], common, arguments)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main())
