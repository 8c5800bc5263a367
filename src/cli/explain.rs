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
        Format::Human if body.as_of.is_empty() => print(&body.text),
        Format::Human => print(&format!("{}\n\n{}", body.as_of, body.text)),
    }
    Ok(0)
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
    let scene = Scene::of_files(&build(&config).parts);
    let told = explain(&scene, &inquiry);
    let told = told.ok_or_else(|| Failure::cannot_run("the answer could not be read back"))?;
    let (name, rtype) = (inquiry.name.to_string(), inquiry.rtype.to_string());
    let client = inquiry.client.to_string();
    Ok(ExplainBody { name, rtype, client, text: told.text, ..ExplainBody::default() })
}
