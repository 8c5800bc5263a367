//! `homing rollback`, `resume`, `accept`: back to an earlier state of files, back to the disk, on with what the guard holds.

use ureq::http::Method;

use crate::api::{AcceptRequest, PublishedBody, ResumeRequest, RollbackRequest};

use super::args::{AcceptArgs, ResumeArgs, RollbackArgs};
use super::change::person;
use super::client::Client;
use super::failure::{EXIT_REFUSED, Failure};
use super::paint::print;

/// Has the files of an earlier generation serve, pinned.
pub fn rollback(args: &RollbackArgs) -> Result<u8, Failure> {
    let generation = args.generation.0;
    let body = RollbackRequest { generation, why: args.why.clone(), who: Some(person()) };
    let done: PublishedBody =
        Client::new(&args.server.server).send_json(Method::POST, "/v1/rollback", &body)?;
    let line = format!("generation {} serves the files of {}, pinned", done.generation, done.of);
    Ok(tell(&line, &done, "homing resume"))
}

/// Has the files on the disk serve again.
pub fn resume(args: &ResumeArgs) -> Result<u8, Failure> {
    let body = ResumeRequest { why: args.why.clone(), who: Some(person()) };
    let done: PublishedBody =
        Client::new(&args.server.server).send_json(Method::POST, "/v1/resume", &body)?;
    let line = format!("generation {} serves the files of the disk", done.generation);
    Ok(tell(&line, &done, &format!("homing rollback {} --why TEXT", done.of)))
}

/// Has a change serve that the guard holds.
pub fn accept(args: &AcceptArgs) -> Result<u8, Failure> {
    let body =
        AcceptRequest { generation: args.generation, why: args.why.clone(), who: Some(person()) };
    let done: PublishedBody =
        Client::new(&args.server.server).send_json(Method::POST, "/v1/accept", &body)?;
    let line = format!("generation {} serves, with what was held", done.generation);
    Ok(tell(&line, &done, &format!("homing rollback {} --why TEXT", done.of)))
}

/// Prints what came of it; exits as `reload --wait` does.
fn tell(line: &str, done: &PublishedBody, back: &str) -> u8 {
    print(&words(line, done, back));
    let is_clean = done.diagnostics.iter().all(|d| d.severity != "error");
    if is_clean { 0 } else { EXIT_REFUSED }
}

fn words(line: &str, done: &PublishedBody, back: &str) -> String {
    let errors = || done.diagnostics.iter().filter(|d| d.severity == "error");
    let mut text: String = errors().map(|d| format!("{}\n\n", d.text)).collect();
    text.push_str(line);
    match done.names_removed {
        0 => {}
        1 => text.push_str("; 1 name that served before is gone"),
        count => text.push_str(&format!("; {count} names that served before are gone")),
    }
    match errors().count() {
        0 => {}
        count => text.push_str(&format!("; {count} error(s), see above")),
    }
    text.push('\n');
    for note in &done.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text.push_str(&format!("back with: {back}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outcome_says_what_serves_and_how_to_go_back() {
        let done = PublishedBody { generation: 43, of: 41, pinned: true, ..Default::default() };
        let line = "generation 43 serves the files of 41, pinned";
        assert_eq!(
            words(line, &done, "homing resume"),
            format!("{line}\nback with: homing resume\n")
        );
        let done = PublishedBody {
            names_removed: 2,
            notes: vec!["geo/a.mmdb of then is no longer kept; it is done without".to_owned()],
            ..done
        };
        assert_eq!(
            words(line, &done, "homing resume"),
            format!(
                "{line}; 2 names that served before are gone\n\
                 note: geo/a.mmdb of then is no longer kept; it is done without\n\
                 back with: homing resume\n"
            )
        );
    }
}
