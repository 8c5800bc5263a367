//! `homing explain`: every step of an answer, and why, as a running server sees it, or as the files alone would have it.

use crate::api::ExplainBody;

use super::args::{ExplainArgs, Format, SERVER_DEFAULT};
use super::client::{Client, in_query};
use super::failure::Failure;
use super::paint::print;

/// Explains one answer.
pub fn run(args: &ExplainArgs) -> Result<u8, Failure> {
    let server = args.server.as_deref().unwrap_or(SERVER_DEFAULT);
    let mut path =
        format!("/v1/explain?name={}&type={}", in_query(&args.name), in_query(&args.rtype));
    if let Some(client) = &args.client {
        path.push_str(&format!("&client={}", in_query(client)));
    }
    let body: ExplainBody = Client::new(server).get(&path)?;
    match args.format {
        Format::Json => print(&format!("{}\n", serde_json::json!(body))),
        Format::Human => print(&body.text),
    }
    Ok(0)
}
