//! `homing export --flatten`: plain zone files, for whoever leaves or feeds another server.

use crate::diagnostic::has_error;
use crate::fileset::FileSet;
use crate::load::{Builder, Removals, scan, zone_file_name};
use crate::zone::{Name, Rrset, Rtype, Zone, to_text};

use super::args::ExportArgs;
use super::check::configuration;
use super::failure::{EXIT_REFUSED, Failure};
use super::folder::{self, Existing, Files};
use super::paint::{counted, print};

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
    let unchanged = match written.unchanged {
        0 => String::new(),
        count => format!(", {} as they were", counted(count, "file")),
    };
    let (zones, records) = (counted(zones.len(), "zone"), counted(records, "record"));
    let files = counted(written.written, "file");
    let into = args.into.display();
    print(&format!("{zones} with {records}: {files} written to {into}{unchanged}\n"));
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

/// Types that BIND 9.18, NSD 4.6 and Knot 3.2 all read by their mnemonic. Any other is written so that every server that
/// knows RFC 3597 reads it.
const SHARED: [Rtype; 42] = [
    Rtype::A,
    Rtype::NS,
    Rtype::CNAME,
    Rtype::SOA,
    Rtype::PTR,
    Rtype::HINFO,
    Rtype::MX,
    Rtype::TXT,
    Rtype::RP,
    Rtype::AFSDB,
    Rtype::AAAA,
    Rtype::LOC,
    Rtype::SRV,
    Rtype::NAPTR,
    Rtype::KX,
    Rtype::CERT,
    Rtype::DNAME,
    Rtype::APL,
    Rtype::DS,
    Rtype::SSHFP,
    Rtype::IPSECKEY,
    Rtype::RRSIG,
    Rtype::NSEC,
    Rtype::DNSKEY,
    Rtype::DHCID,
    Rtype::NSEC3,
    Rtype::NSEC3PARAM,
    Rtype::TLSA,
    Rtype::SMIMEA,
    Rtype::CDS,
    Rtype::CDNSKEY,
    Rtype::OPENPGPKEY,
    Rtype::CSYNC,
    Rtype::ZONEMD,
    Rtype::SVCB,
    Rtype::HTTPS,
    Rtype::SPF,
    Rtype::NID,
    Rtype::EUI48,
    Rtype::EUI64,
    Rtype::URI,
    Rtype::CAA,
];

fn write(out: &mut String, owner: &Name, rrset: &Rrset) {
    let (ttl, rtype) = (rrset.ttl.as_secs(), rrset.rtype);
    for rdata in &rrset.rdata {
        let (shown, text) = match SHARED.contains(&rtype) {
            true => (rtype.to_string(), to_text(rtype, rdata)),
            // RFC 3597 §5: length and octets.
            false => {
                let octets = data_encoding::HEXLOWER.encode(rdata);
                (format!("TYPE{}", rtype.0), format!("\\# {} {octets}", rdata.len()))
            }
        };
        out.push_str(&format!("{owner}\t{ttl}\tIN\t{shown}\t{}\n", text.trim_end()));
    }
}
