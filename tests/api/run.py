#!/usr/bin/env python3
"""The API against its own description: run.py BINARY SECONDS.

Starts a server with the starter tree on ports of its own, holds /v1/openapi.json to be OpenAPI 3.1, and has schemathesis send
what the description allows and what it forbids. Every answer has to be one that the description tells of. One seed, so that a
failure comes again. /v1/watch is left out: it ends when the watcher does. What the description allows need not make sense (names,
times and types are texts with a syntax of their own, words may exclude each other), so sound requests may be refused, with an
answer that the description tells of; what it forbids has to be.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

SEED = 20260


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(binary, folder):
    subprocess.run([binary, "init", folder], check=True, stdout=subprocess.DEVNULL)
    config = pathlib.Path(folder, "homing.toml")
    api, dns = free_port(), free_port()
    text = config.read_text()
    text = text.replace('dns   = ["127.0.0.1:5300", "[::1]:5300"]', f'dns = ["127.0.0.1:{dns}"]')
    config.write_text(text.replace("127.0.0.1:8053", f"127.0.0.1:{api}"))
    log = open(pathlib.Path(folder, "log"), "w")
    server = subprocess.Popen([binary, "serve", folder], stdout=log, stderr=log)
    base = f"http://127.0.0.1:{api}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{base}/readyz").read()
            return server, base
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the server does not start:\n{pathlib.Path(folder, 'log').read_text()}")


def validate(base):
    from openapi_spec_validator import OpenAPIV31SpecValidator

    document = json.load(urllib.request.urlopen(f"{base}/v1/openapi.json"))
    errors = list(OpenAPIV31SpecValidator(document).iter_errors())
    for error in errors:
        print(f"{'/'.join(map(str, error.absolute_path))}: {error.message}")
    print(f"OpenAPI {document['openapi']}: {len(document['paths'])} paths, {len(errors)} errors")
    return not errors


def break_it(base, seconds, folder):
    here = pathlib.Path(__file__).resolve().parent
    command = [
        pathlib.Path(sys.executable).absolute().parent / "schemathesis", "run", f"{base}/v1/openapi.json",
        "--checks", "all", "--exclude-checks", "positive_data_acceptance", "--phases", "examples,coverage,fuzzing", "--max-time", str(seconds),
        "--seed", str(SEED), "--exclude-path", "/v1/watch", "--continue-on-failure", "--rate-limit", "auto",
        "--generation-database", "none",
    ]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(here)}
    return subprocess.run(command, env=env, cwd=folder).returncode == 0


def main():
    binary, seconds = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        server, base = start(binary, folder)
        try:
            is_good = validate(base)
            is_good &= break_it(base, seconds, folder)
            if server.poll() is not None:
                print(f"the server ended with {server.returncode}")
                is_good = False
        finally:
            server.terminate()
            server.wait()
        log = pathlib.Path(folder, "log").read_text()
        panics = [line for line in log.splitlines() if "panicked" in line]
        print(f"{len(panics)} panics", *panics, sep="\n")
    sys.exit(0 if is_good and not panics else 1)


main()
