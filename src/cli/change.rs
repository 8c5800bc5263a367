//! `homing drain`, `undrain`, `override`, `site drain`, `site undrain`: what operators do.

use ureq::http::Method;

use crate::api::{
    Acknowledged, DrainRequest, OverrideRequest, SiteBody, SiteRequest, UndrainRequest,
};

use super::args::{ActionWord, DrainArgs, OverrideArgs, SiteCommand, UndrainArgs};
use super::client::{Client, in_path, in_query};
use super::failure::Failure;
use super::paint::print;

/// Moves the clients of a region elsewhere.
pub fn drain(args: &DrainArgs) -> Result<u8, Failure> {
    let body = DrainRequest {
        why: args.why.clone(),
        to: args.to,
        over: args.over.clone(),
        who: Some(person()),
        force: args.force,
    };
    let path = format!("/v1/regions/{}/drain", in_path(&args.region));
    let done: Acknowledged =
        Client::new(&args.server.server).send_json(Method::POST, &path, &body)?;
    let (region, revision) = (&args.region, done.revision);
    let done = match &args.over {
        None => format!("{region} is drained; revision {revision}"),
        Some(over) => format!("{region} is being drained, over {over}; revision {revision}"),
    };
    print(&format!("{done}\nback with: homing undrain {region}\n"));
    Ok(0)
}

/// Takes a drain back.
pub fn undrain(args: &UndrainArgs) -> Result<u8, Failure> {
    let (why, over) = (args.why.clone(), args.over.clone());
    let body = UndrainRequest { why, over, who: Some(person()) };
    let path = format!("/v1/regions/{}/undrain", in_path(&args.region));
    let done: Acknowledged =
        Client::new(&args.server.server).send_json(Method::POST, &path, &body)?;
    let (region, revision) = (&args.region, done.revision);
    print(&match &args.over {
        None => format!("{region} is no longer drained; revision {revision}\n"),
        Some(over) => {
            format!("{region} gets its clients back over {over}; revision {revision}\n")
        }
    });
    Ok(0)
}

/// Decides instead of the verdict, or takes the decision back.
pub fn decide(args: &OverrideArgs) -> Result<u8, Failure> {
    let client = Client::new(&args.server.server);
    let path = format!("/v1/overrides/{}", in_path(&args.subject));
    let Some(action) = args.action.filter(|_| !args.clear) else {
        let why = args.why.as_deref().unwrap_or("cleared by hand");
        let path = format!("{path}?why={}&who={}", in_query(why), in_query(&person()));
        let done: Acknowledged = client.delete(&path)?;
        print(&format!("{} follows its verdict; revision {}\n", args.subject, done.revision));
        return Ok(0);
    };
    let word = match action {
        ActionWord::Up => "up",
        ActionWord::Down => "down",
        ActionWord::Hold => "hold",
        ActionWord::Accept => "accept",
    };
    if action != ActionWord::Accept && args.expires.is_none() && !args.forever {
        return Err(Failure::cannot_run("say how long: --expires 1h, or --forever"));
    }
    let body = OverrideRequest {
        action: word.to_owned(),
        why: args.why.clone().unwrap_or_default(),
        expires: args.expires.clone(),
        forever: args.forever,
        who: Some(person()),
        force: args.force,
    };
    let done: Acknowledged = client.send_json(Method::PUT, &path, &body)?;
    print(&format!(
        "{} is overridden: {word}; revision {}\nback with: homing override {} --clear\n",
        args.subject, done.revision, args.subject
    ));
    Ok(0)
}

/// Takes this site out of anycast, or back.
pub fn site(command: &SiteCommand) -> Result<u8, Failure> {
    let (args, verb) = match command {
        SiteCommand::Drain(args) => (args, "drain"),
        SiteCommand::Undrain(args) => (args, "undrain"),
    };
    let body = SiteRequest { why: args.why.clone(), who: Some(person()) };
    let path = format!("/v1/site/{verb}");
    let site: SiteBody = Client::new(&args.server.server).send_json(Method::POST, &path, &body)?;
    let state = if site.drained { "drained: /readyz fails" } else { "in service" };
    print(&format!("site {} is {state}\n", site.name));
    Ok(0)
}

/// Who types: for the log of the server.
pub fn person() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"];
    let known = names.iter().filter_map(|name| std::env::var(name).ok());
    known
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "someone".to_owned())
}
