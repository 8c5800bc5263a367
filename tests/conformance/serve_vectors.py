#!/usr/bin/env python3
"""Lays out a folder of homing for conformance material, then becomes the server.

  serve_vectors.py --addr A --port P --dir DIR [--bin PATH]
                   [--list FILE] [--zone ORIGIN FILE]... [--geo VECTORS.json DATABASE.mmdb] [--encrypted]

--list: lines `origin<TAB>zone file`, as `run_vectors.py --load-cmd` gives them.
--geo:  the policy written in VECTORS.json, as steering of its own zone: one region an address, one rule a place.
--encrypted: DNS over TLS and over QUIC at the next port, over HTTPS at the one after it. Needs `cryptography`.
"""
import argparse
import json
import os
import shutil
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FILE_NAME_LEN_MAX = 255  # of most file systems
TARGET = os.path.abspath(os.environ.get("CARGO_TARGET_DIR") or os.path.join(HERE, "..", "..", "target"))
BINARY = os.path.join(TARGET, "release", "homing")


def file_name(origin):
    """The name of a zone's file: its origin, percent-encoded where a file name could not hold it."""
    plain = origin.rstrip(".")
    if not plain:
        return "root.zone"
    safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
    return "".join(c if c in safe else "".join(f"%{b:02x}" for b in c.encode("latin-1")) for c in plain) + ".zone"


def place(origin, source, zones):
    name = file_name(origin)
    if len(name) > FILE_NAME_LEN_MAX:
        with open(source, "rb") as f:
            text = f.read()
        with open(os.path.join(zones, f"long-{len(os.listdir(zones))}.zone"), "wb") as f:
            f.write(f"$ORIGIN {origin}\n".encode("latin-1") + text)
        return
    target = os.path.join(zones, name)
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def geo(vectors, database, root):
    """continent -> country -> address, `*` is the fallback of its level."""
    with open(vectors, encoding="utf-8") as f:
        content = json.load(f)
    policy, zone = content["policy"], content["zone"].rstrip(".")
    label = content["name"].rstrip(".")[: -len(zone) - 1]
    regions, pool, rules = [], [], []
    for continent, countries in policy.items():
        # countries before the continent: the first rule that matches decides
        for country, address in sorted(countries.items(), key=lambda item: item[0] == "*"):
            region = "r" + address.rsplit(".", 1)[1]
            regions.append(f"[{region}]\nposition = [0.0, {len(regions)}.0]\n")
            pool.append(f'{region} = ["{address}"]\n')
            if continent != "*":
                where = continent if country == "*" else f"{continent}-{country}"
                rules.append(f'  {{ places = ["{where}"], regions = ["{region}"] }},\n')
    fallback = "r" + policy["*"]["*"].rsplit(".", 1)[1]
    rules.append(f'  {{ regions = ["{fallback}"] }},\n')
    write(f"{root}/geo/regions.toml", "\n".join(regions))
    write(
        f"{root}/zones/{zone}.zone",
        f"$TTL 60\n@ SOA ns1 h 1 7200 1800 259200 60\n@ NS ns1\nns1 A 192.0.2.53\n{label} A {policy['*']['*']}\n",
    )
    write(
        f"{root}/zones/{zone}.toml",
        "[pools.geo]\n" + "".join(pool)
        + '\n[policies.geo]\npool = "geo"\nttl = { min = 60, max = 60 }\nrules = [\n' + "".join(rules)
        + f']\nunknown = ["{fallback}"]\n\n[routes."{zone}"]\n"{label}" = "geo"\n',
    )
    shutil.copy(database, f"{root}/geo/")


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def certificate(path):
    """A certificate that signs itself, for an hour, and its key, both in one file."""
    from datetime import datetime, timedelta, timezone

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "vectors.test")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1)).not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("vectors.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    key = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as f:
        f.write(made.public_bytes(serialization.Encoding.PEM) + key)


def encrypted(addr, port, root):
    """The lines of `[listen]` that have all encrypted transports spoken."""
    certificate(f"{root}/tls.pem")
    return (
        f'dot = ["{addr}:{port + 1}"]\ndoq = ["{addr}:{port + 1}"]\ndoh = ["{addr}:{port + 2}"]\n'
        'dns_certificate = "tls.pem"\ndns_key = "tls.pem"\n'
    )


def free_port(addr):
    with socket.socket() as s:
        s.bind((addr, 0))
        return s.getsockname()[1]


def main():
    ap = argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, description=__doc__)
    ap.add_argument("--addr", default="127.0.0.1")
    ap.add_argument("--port", type=int, required=True)
    ap.add_argument("--dir", required=True)
    ap.add_argument("--bin", default=BINARY)
    ap.add_argument("--list")
    ap.add_argument("--zone", nargs=2, action="append", default=[])
    ap.add_argument("--geo", nargs=2)
    ap.add_argument("--encrypted", action="store_true")
    a = ap.parse_args()
    root = os.path.join(os.path.abspath(a.dir), "homing")
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(f"{root}/zones")
    os.makedirs(f"{root}/geo")
    zones = [tuple(z) for z in a.zone]
    if a.list:
        with open(a.list, encoding="utf-8") as f:
            zones += [tuple(line.rstrip("\n").split("\t")) for line in f]
    for origin, source in zones:
        place(origin, source, f"{root}/zones")
    if a.geo:
        geo(*a.geo, root)
    write(
        f"{root}/homing.toml",
        f'[site]\nname = "vectors"\n\n[listen]\ndns = ["{a.addr}:{a.port}"]\napi = "127.0.0.1:{free_port("127.0.0.1")}"\n'
        "cores = 1\n" + (encrypted(a.addr, a.port, root) if a.encrypted else ""),
    )
    os.chdir(root)
    os.execv(a.bin, [a.bin, "serve", "--config", f"{root}/homing.toml"])


if __name__ == "__main__":
    sys.exit(main())
