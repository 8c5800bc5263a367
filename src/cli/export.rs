//! `homing export --flatten`: plain zone files, for whoever leaves or feeds another server.

use crate::diagnostic::has_error;
use crate::fileset::FileSet;
use crate::load::{Builder, Removals, scan, zone_file_name};
use crate::zone::{Name, Rrset, Rtype, Zone, to_text};

use super::args::ExportArgs;
use super::check::configuration;
use super::failure::{EXIT_REFUSED, Failure};
use super::folder::{self, Existing, Files};
use super::paint::print;

/// Exits 0, or 1 where files have errors: what serves then is not what the folder holds.
pub fn run(args: &ExportArgs) -> Result<u8, Failure> {
    let (config, mut said) = configuration(&args.dir)?;
    let mut zones = Vec::new();
    if let Some(config) = &config {
        let mut builder = Builder::new(config);
        let built = builder.build(&scan(config), &FileSet::default(), Removals::Settled);
        zones = builder.flattened(&built.serving);
        said.extend(built.diagnostics);
    }
    if has_error(&said) {
        let errors = said.iter().filter(|diagnostic| diagnostic.is_error());
        print(&errors.map(|error| format!("{error}\n\n")).collect::<String>());
        eprintln!("homing: {} has errors; nothing was written", args.dir.display());
        return Ok(EXIT_REFUSED);
    }
    let mut files = Files::new();
    for zone in &zones {
        let name = zone_file_name(&zone.apex).ok_or_else(|| {
            Failure::refused(format!("{} is too long for the name of a file", zone.apex))
        })?;
        files.insert(name, text(zone).into_bytes());
    }
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    let written = folder::write(&args.into, &files, existing)?;
    let records: usize = zones.iter().map(|zone| zone.record_count()).sum();
    print(&format!(
        "{} zones with {records} records: {} files written to {}, {} as they were\n",
        zones.len(),
        written.written,
        args.into.display(),
        written.unchanged
    ));
    Ok(0)
}

/// A zone as RFC 1035 text: the SOA first, as many readers want it, then in canonical order; one record on a line.
fn text(zone: &Zone) -> String {
    let mut out = String::new();
    let is_soa = |rrset: &&Rrset| rrset.rtype == Rtype::SOA;
    let apex = zone.nodes.get(&zone.apex);
    for rrset in apex.iter().flat_map(|node| &node.rrsets).filter(is_soa) {
        write(&mut out, &zone.apex, rrset);
    }
    for (owner, node) in &zone.nodes {
        for rrset in node.rrsets.iter().filter(|rrset| !is_soa(rrset)) {
            write(&mut out, owner, rrset);
        }
    }
    out
}

fn write(out: &mut String, owner: &Name, rrset: &Rrset) {
    for rdata in &rrset.rdata {
        let (ttl, rtype) = (rrset.ttl.as_secs(), rrset.rtype);
        out.push_str(&format!("{owner}\t{ttl}\tIN\t{rtype}\t{}\n", to_text(rtype, rdata)));
    }
}
