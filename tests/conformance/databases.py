"""Databases of others, sound and broken: what `homing check` says of each, alone in a geo folder.

    databases.py HOMING FOLDER     FOLDER holds *.mmdb, and bad/*.mmdb that are all broken

A sound one loads without a word; a broken one is refused by name, and nothing panics.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ZONE = "$TTL 60\n@ SOA ns1 h 1 7200 3600 1209600 60\n@ NS ns1\nns1 A 192.0.2.1\n"
# Its records are of no schema that tells a place: it is read whole, and then refused for that.
USELESS = {"MaxMind-DB-no-ipv4-search-tree.mmdb"}


def expected(path, folder):
    if path.name in USELESS:
        return {"geo-database-useless"}
    is_broken = path.parent != folder or re.search("broken|invalid", path.name, re.IGNORECASE)
    return {"geo-database-broken", "geo-database-useless"} if is_broken else set()


def said(homing, path):
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)
        for name in ("zones", "geo"):
            (root / name).mkdir()
        (root / "zones" / "example.test.zone").write_text(ZONE)
        shutil.copyfile(path, root / "geo" / path.name)
        checked = subprocess.run([homing, "check", root], capture_output=True, text=True, timeout=60)
        return checked.returncode, set(re.findall(r"\[(geo-[a-z-]+|internal)\]", checked.stdout + checked.stderr))


def main():
    homing, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    paths = sorted(folder.glob("*.mmdb")) + sorted((folder / "bad").glob("*.mmdb"))
    wrong = 0
    for path in paths:
        code, codes = said(homing, path)
        allowed = expected(path, folder)
        is_right = (code == 1 and bool(codes) and codes <= allowed) if allowed else (code == 0 and not codes)
        wrong += not is_right
        print("ok   " if is_right else "WRONG", path.name, code, *sorted(codes))
    print(f"{len(paths) - wrong} of {len(paths)}")
    sys.exit(wrong > 0 or not paths)


main()
