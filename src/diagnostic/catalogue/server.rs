//! Files and folders, configuration, history.

use super::super::check::{Check, ERROR, NOTE, WARNING};

/// In order of their codes.
pub const CHECKS: &[Check] = &[
    Check {
        code: "apex-defined-twice",
        severities: ERROR,
        title: "two files hold one zone",
        why: "The apex is the owner of the SOA, whatever the file is called. Of two files with one \
            apex the later path is refused.",
        wrong: "zones/example.com.zone and zones/old/example.com.zone",
        right: "zones/example.com.zone",
        clause: "README.md, Files",
    },
    Check {
        code: "change-held",
        severities: ERROR,
        title: "a change would take too many names away, and is held",
        why: "A half-written file or a wrong checkout looks like a wish to remove names. The guard holds \
            such a change and the old form serves on, until somebody accepts it. [guard] of homing.toml \
            sets the limits.",
        wrong: "a zone of 15 names, of which 12 are gone",
        right: "homing accept 5 --why \"moved to another zone\"",
        clause: "README.md, History, rollback, and the guard",
    },
    Check {
        code: "config-unreadable",
        severities: ERROR,
        title: "the configuration cannot be read",
        why: "The file is not there, or the user of the server may not read it.",
        wrong: "homing check --config /etc/homing/homing.toml as a user without rights",
        right: "chmod a+r /etc/homing/homing.toml",
        clause: "README.md, Files",
    },
    Check {
        code: "cookie-secret",
        severities: ERROR,
        title: "what should be the secret of cookies is none",
        why: "32 hexadecimal digits, the same at every site, so that a cookie of one is good at \
            all: openssl rand -hex 16. `previous` may stand beside it while the secret is \
            changed.",
        wrong: "secret = \"swordfish\"",
        right: "secret = \"e5e973e5a6b2a43f48e7dc849e37bfcf\"",
        clause: "RFC 9018 §5",
    },
    Check {
        code: "ecs-without-list",
        severities: ERROR,
        title: "client subnets of listed resolvers are trusted, and there is no list",
        why: "An empty list would believe nobody, which is `ecs = \"off\"`. List the networks that the \
            resolvers you trust ask from.",
        wrong: "ecs = \"trusted\"",
        right: "ecs = \"trusted\"\n\
            ecs_trusted = [\"192.0.2.0/24\", \"2001:db8::/32\"]",
        clause: "RFC 7871 §7.2.1",
    },
    Check {
        code: "file-being-written",
        severities: NOTE,
        title: "a file is being written, and is read when its writer closes it",
        why: "A tool that writes a file where it stands rests between two writes, and what is there then \
            may be a sound zone without its last names. What was read of it before serves on until the \
            file is closed, or nothing was written for ten seconds.",
        wrong: "a program that keeps zones/example.com.zone open while it thinks",
        right: "write example.com.zone.new; mv example.com.zone.new example.com.zone",
        clause: "README.md, History, rollback, and the guard",
    },
    Check {
        code: "file-in-motion",
        severities: ERROR,
        title: "a file changes while it is read",
        why: "It was looked at before and after, again and again, and never stood still. What was \
            read of it before serves on. Write beside it and rename: rename is one step.",
        wrong: "a program that appends to zones/example.com.zone without end",
        right: "write example.com.zone.new; mv example.com.zone.new example.com.zone",
        clause: "README.md, History, rollback, and the guard",
    },
    Check {
        code: "file-unreadable",
        severities: ERROR,
        title: "a file is there and cannot be read",
        why: "What was read of it before stays in service; it is never taken for empty.",
        wrong: "zones/example.com.zone of mode 0600 and another owner",
        right: "chmod a+r zones/example.com.zone",
        clause: "README.md, Promises",
    },
    Check {
        code: "file-unwritable",
        severities: ERROR,
        title: "a file cannot be written",
        why: "`homing fmt` writes beside the file and renames, so that nothing is lost when it cannot; the \
            file is as it was.",
        wrong: "homing fmt on a folder of another owner",
        right: "chmod u+w zones",
        clause: "README.md, Operations",
    },
    Check {
        code: "folder-name",
        severities: ERROR,
        title: "the name of a folder is empty",
        why: "`.` is the folder of homing.toml itself.",
        wrong: "zones = \"\"",
        right: "zones = \".\"",
        clause: "README.md, Files",
    },
    Check {
        code: "folder-too-deep",
        severities: ERROR,
        title: "folders nest too deep",
        why: "A bound, so that a link in a circle ends.",
        wrong: "zones/a/b/c/... without end",
        right: "zones/a/example.com.zone",
        clause: "README.md, Promises",
    },
    Check {
        code: "folder-unreadable",
        severities: ERROR,
        title: "a folder is there and cannot be read",
        why: "What was read of it before stays in service; it is never taken for empty.",
        wrong: "zones/customers/ of mode 0700 and another owner",
        right: "chmod a+rx zones/customers",
        clause: "README.md, Promises",
    },
    Check {
        code: "generation-not-carried-over",
        severities: WARNING,
        title: "a generation of an older version cannot be written in the new format",
        why: "It is kept as it is, and tried again at the next start. Until then it takes more room; a \
            damaged one cannot be rolled back to.",
        wrong: "state/ of an older version on a full disk",
        right: "room on the disk, and a restart",
        clause: "README.md, History, rollback, and the guard",
    },
    Check {
        code: "generation-unreadable",
        severities: WARNING,
        title: "a kept generation cannot be read",
        why: "Its files in state/ are damaged, or were written by a newer version. An earlier one \
            stands in for it, and the files on the disk are read all the same.",
        wrong: "state/ changed by hand",
        right: "state/ left alone, on a disk without errors",
        clause: "README.md, History, rollback, and the guard",
    },
    Check {
        code: "generations-overfull",
        severities: WARNING,
        title: "old generations cannot be removed",
        why: "History is bounded by count and size; what is beyond goes. Here it could not: see \
            that the server may remove files in state/.",
        wrong: "state/ on a disk that was mounted read-only",
        right: "mount -o remount,rw /var/lib/homing",
        clause: "README.md, History, rollback, and the guard",
    },
    Check {
        code: "include-leaves-zones",
        severities: ERROR,
        title: "an included file is a link out of the zone folder",
        why: "No path leaves zones/: whoever may write a zone file could read any file of the \
            machine otherwise.",
        wrong: "zones/hosts.inc -> /etc/shadow",
        right: "zones/hosts.inc as a file",
        clause: "README.md, Files",
    },
    Check {
        code: "internal",
        severities: ERROR,
        title: "a fault of the server's own",
        why: "Something that cannot be happened while this file was read; the file is refused and \
            everything else goes on. Please report it.",
        wrong: "(none: it is our mistake)",
        right: "the last good form of the file serves on",
        clause: "README.md, Promises",
    },
    Check {
        code: "name-not-utf8",
        severities: ERROR,
        title: "a file name is no UTF-8 text",
        why: "Paths are shown in diagnostics, the API and the history, which are text.",
        wrong: "zones/ex\\xe4mple.zone",
        right: "zones/ex%E4mple.zone",
        clause: "README.md, Files",
    },
    Check {
        code: "not-a-file",
        severities: ERROR,
        title: "a path leads to something that is no file",
        why: "A folder, socket or pipe with the name of a zone file.",
        wrong: "mkdir zones/example.com.zone",
        right: "zones/example.com.zone as a file",
        clause: "README.md, Files",
    },
    Check {
        code: "not-an-address",
        severities: ERROR,
        title: "what should be an address with a port is none",
        why: "The addresses that the server listens on, with their port.",
        wrong: "dns = [\"localhost\"]",
        right: "dns = [\"127.0.0.1:53\", \"[::1]:53\"]",
        clause: "README.md, Files",
    },
    Check {
        code: "restart-needed",
        severities: WARNING,
        title: "homing.toml changed since the server was started",
        why: "It is read at start only: listeners, folders and names are not changed under a \
            running server.",
        wrong: "an edit of homing.toml",
        right: "systemctl restart homing",
        clause: "README.md, History, rollback, and the guard",
    },
    Check {
        code: "site-name",
        severities: ERROR,
        title: "the name of the site is empty or too long",
        why: "It is sent to who asks (NSID, id.server).",
        wrong: "name = \"\"",
        right: "name = \"fra-1\"",
        clause: "RFC 5001, RFC 4892",
    },
    Check {
        code: "too-many-addresses",
        severities: ERROR,
        title: "a list of [listen] holds more addresses than it can",
        why: "A bound, so that no mistake takes all sockets, or makes a search of a list long.",
        wrong: "dns = [ (a hundred addresses) ]",
        right: "dns = [\"0.0.0.0:53\", \"[::]:53\"]",
        clause: "README.md, Promises",
    },
    Check {
        code: "too-many-files",
        severities: ERROR,
        title: "there are more files than can be read",
        why: "A bound, so that no mistake fills the memory.",
        wrong: "zones/ linked to the root of the file system",
        right: "zones/ with zone and steering files only",
        clause: "README.md, Promises",
    },
    Check {
        code: "zone-file-name",
        severities: ERROR,
        title: "the name of a zone file gives no origin",
        why: "A zone file is named after its zone: example.com.zone, with octets that a file name \
            cannot hold written as % and two digits; root.zone is the root.",
        wrong: "zones/a..b.zone",
        right: "zones/a.b.zone",
        clause: "README.md, Files",
    },
    Check {
        code: "zones-empty",
        severities: ERROR,
        title: "no zone file is left",
        why: "An empty zones/ is far more often a broken mount or checkout than a wish: nothing is \
            removed. To serve nothing, stop the server; to remove zones, leave one.",
        wrong: "rm zones/*.zone",
        right: "rm zones/old.example.zone",
        clause: "README.md, Promises",
    },
];
