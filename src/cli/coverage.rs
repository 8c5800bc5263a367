//! `homing coverage`: every country with its first and second region, what is odd about it, and a map.

mod csv;
mod table;

use std::fs;
use std::path::Path;

use crate::api::CoverageBody;
use crate::ask::{Coverage, Endpoints, Scene, weigh};

use super::args::{CoverageArgs, CoverageFormat};
use super::check::{build, configuration};
use super::client::{Client, in_query};
use super::failure::Failure;
use super::map;
use super::paint::{Paint, json, print};
use super::weights;
use table::Shown;

/// Tells who gets which region.
pub fn run(args: &CoverageArgs) -> Result<u8, Failure> {
    let body = match &args.server {
        Some(server) => of_server(args, server)?,
        None => of_files(args, &args.files)?,
    };
    if let Some(path) = &args.map {
        fs::write(path, map::draw(&body)).map_err(|error| {
            Failure::cannot_run(format!("{} cannot be written: {error}", path.display()))
        })?;
        eprintln!("the map is in {}", path.display());
    }
    let shown = Shown { all: args.all, subdivisions: args.subdivisions };
    match args.format {
        CoverageFormat::Json => print(&json(&body)),
        CoverageFormat::Csv => print(&csv::text(&body)),
        CoverageFormat::Human => print(&table::text(&body, shown, Paint::for_stdout())),
    }
    Ok(0)
}

fn of_server(args: &CoverageArgs, server: &str) -> Result<CoverageBody, Failure> {
    let mut path = "/v1/coverage?".to_owned();
    let asked = [("policy", &args.policy), ("type", &args.rtype)];
    for (name, value) in asked.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)))
    {
        path.push_str(&format!("{name}={}&", in_query(value)));
    }
    path.push_str(if args.map.is_some() { "points=true" } else { "points=false" });
    Ok(Client::new(server).get(&path)?)
}

fn of_files(args: &CoverageArgs, dir: &Path) -> Result<CoverageBody, Failure> {
    let (config, said) = configuration(dir)?;
    let Some(config) = config else {
        let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(lines.join("\n")));
    };
    let built = build(&config);
    for refused in &built.refused {
        eprintln!("{} is refused and left out; homing check tells why", refused.path);
    }
    let scene = Scene::of_files(&built.parts);
    let asked = Coverage {
        policy: args.policy.clone(),
        rtype: args.rtype.clone(),
        points: args.map.is_some(),
    };
    let own = weights::own(None, dir)?;
    let weights = weigh(&scene.world, built.parts.weights.as_deref(), Some(&own));
    let body = asked.of(&scene, Endpoints::AllUp, &weights);
    let body = body.map_err(|error| Failure::cannot_run(error.to_string()))?;
    let of = match dir == Path::new(".") {
        true => "the files here, every endpoint up".to_owned(),
        false => format!("the files of {}, every endpoint up", dir.display()),
    };
    Ok(CoverageBody { of, ..body })
}
