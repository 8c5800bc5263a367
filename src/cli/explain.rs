//! `homing explain`: every step of an answer, and why, as a running server sees it, or as the files alone would have it.

use std::path::Path;

use crate::api::ExplainBody;
use crate::ask::{Inquiry, Scene, explain};

use super::args::{ExplainArgs, Format, SERVER_DEFAULT};
use super::check::{build, configuration};
use super::client::{Client, in_query};
use super::failure::Failure;
use super::paint::print;

/// A client whose place nobody knows.
const NOWHERE: &str = "127.0.0.1";

/// Explains one answer.
pub fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let body = match &args.files {
        Some(dir) => of_files(args, dir)?,
        None => of_server(args)?,
    };
    match args.format {
        Format::Json => print(&format!("{}\n", serde_json::json!(body))),
        Format::Human => print(&format!("{}{}", head(&body), body.text)),
    }
    Ok(0)
}

/// Which state it is explained from.
fn head(body: &ExplainBody) -> String {
    let mut head = match (body.as_of.as_str(), body.generation) {
        ("", 0) => return String::new(),
        ("", generation) => format!("generation {generation}, revision {}\n", body.revision),
        (as_of, _) => format!("{as_of}\n"),
    };
    match body.digest.as_str() {
        "" => head.push_str(&format!("files  {}\n", body.files_digest)),
        digest => head.push_str(&format!("digest {digest}\n")),
    }
    head.push('\n');
    head
}

fn of_server(args: &ExplainArgs) -> Result<ExplainBody, Failure> {
    let server = args.server.as_deref().unwrap_or(SERVER_DEFAULT);
    let mut path =
        format!("/v1/explain?name={}&type={}", in_query(&args.name), in_query(&args.rtype));
    if let Some(client) = &args.client {
        path.push_str(&format!("&client={}", in_query(client)));
    }
    if let Some(at) = &args.at {
        path.push_str(&format!("&at={}", in_query(at)));
    }
    Ok(Client::new(server).get(&path)?)
}

fn of_files(args: &ExplainArgs, dir: &Path) -> Result<ExplainBody, Failure> {
    let client = args.client.as_deref().unwrap_or(NOWHERE);
    let inquiry = Inquiry::read(&args.name, &args.rtype, client)
        .map_err(|e| Failure::cannot_run(e.to_string()))?;
    let (config, said) = configuration(dir)?;
    let Some(config) = config else {
        let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(lines.join("\n")));
    };
    let built = build(&config);
    let scene = Scene::of_files(&built.parts);
    let told = explain(&scene, &inquiry);
    let told = told.ok_or_else(|| Failure::cannot_run("the answer could not be read back"))?;
    let files_digest = built.parts.files_digest.to_string();
    Ok(ExplainBody { files_digest, ..told.body(&inquiry) })
}
