//! `homing whatif`: who moves where, before it happens.

mod table;

use std::path::Path;

use ureq::http::Method;

use crate::api::{WhatifAsk, WhatifBody, WhatifDrain, WhatifRequest};
use crate::ask::{Scene, Unthinkable, suppose, weigh, whatif};
use crate::load::Built;

use super::args::{Format, SERVER_DEFAULT, WhatifArgs};
use super::changes::Extent;
use super::check::{build, configuration};
use super::client::Client;
use super::failure::Failure;
use super::paint::{Paint, is_terminal, json, print};
use super::weights;

/// Exits 1 where the real change would be refused.
pub fn run(args: &WhatifArgs) -> Result<u8, Failure> {
    let request = request(args)?;
    let body = match (&args.zones, &args.files) {
        (None, None) => {
            let server = args.server.as_deref().unwrap_or(SERVER_DEFAULT);
            Client::new(server).send_json(Method::POST, "/v1/whatif", &request)?
        }
        (zones, files) => {
            of_files(&request, files.as_deref().unwrap_or(Path::new(".")), zones.as_deref())?
        }
    };
    let extent = if args.all || !is_terminal() { Extent::All } else { Extent::Terminal };
    match args.format {
        Format::Json => print(&json(&body)),
        Format::Human => print(&table::text(&body, extent, Paint::for_stdout())),
    }
    Ok(u8::from(!body.refused.is_empty()))
}

fn request(args: &WhatifArgs) -> Result<WhatifRequest, Failure> {
    let drain = args.drain.iter().map(|text| read_drain(text)).collect::<Result<_, _>>()?;
    let ask = args.name.as_ref().map(|name| WhatifAsk {
        name: name.clone(),
        rtype: args.rtype.clone(),
        clients: args.client.clone(),
    });
    let request = WhatifRequest {
        down: args.down.clone(),
        up: args.up.clone(),
        fail: args.fail.clone(),
        drain,
        undrain: args.undrain.clone(),
        clear: args.clear.clone(),
        policy: args.policy.clone(),
        ask,
    };
    let none = WhatifRequest { policy: args.policy.clone(), ask: None, ..Default::default() };
    if (WhatifRequest { ask: None, ..request.clone() }) == none && args.zones.is_none() {
        let line = "what if what? --down, --up, --fail, --drain, --undrain, --clear or --zones";
        return Err(Failure::cannot_run(line));
    }
    Ok(request)
}

/// `ord` is emptied; `ord:40%` and `ord:0.4` keep that share of its clients.
fn read_drain(text: &str) -> Result<WhatifDrain, Failure> {
    let Some((region, share)) = text.split_once(':') else {
        return Ok(WhatifDrain { region: text.to_owned(), to: 0.0 });
    };
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let to = match share.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(share),
    };
    let to = to.filter(|to| (0.0..1.0).contains(to)).ok_or_else(|| {
        let line = format!("{text}: the share of clients to keep is as 40% or 0.4, below all");
        Failure::cannot_run(line)
    })?;
    Ok(WhatifDrain { region: region.to_owned(), to })
}

fn of_files(
    request: &WhatifRequest,
    files: &Path,
    zones: Option<&Path>,
) -> Result<WhatifBody, Failure> {
    let built = built(files)?;
    let before = Scene::of_files(&built.parts);
    let (base, parts) = match zones {
        None => (before.clone(), built.parts.clone()),
        Some(dir) => {
            let new = self::built(dir)?;
            (Scene::of_files(&new.parts), new.parts)
        }
    };
    let refused = |error: Unthinkable| Failure::refused(error.to_string());
    let supposed = suppose(&base, request, base.health.now()).map_err(refused)?;
    let own = weights::own(None, files)?;
    let weights = weigh(&base.world, parts.weights.as_deref(), Some(&own));
    let body = whatif(&before, &supposed, request, &weights).map_err(refused)?;
    let shown = |dir: &Path| match dir == Path::new(".") {
        true => "the files here".to_owned(),
        false => format!("the files of {}", dir.display()),
    };
    let mut words: Vec<String> =
        zones.into_iter().map(|dir| format!("{} serve", shown(dir))).collect();
    words.extend(body.supposed);
    let of = format!("{}, every endpoint as it starts", shown(files));
    Ok(WhatifBody { of, generation: 0, revision: 0, supposed: words, ..body })
}

fn built(dir: &Path) -> Result<Built, Failure> {
    let (config, said) = configuration(dir)?;
    let Some(config) = config else {
        let lines: Vec<String> = said.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(lines.join("\n")));
    };
    let built = build(&config);
    for refused in &built.refused {
        eprintln!("{} is refused and left out; homing check tells why", refused.path);
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_keeps_a_share() {
        let read = |text: &str| read_drain(text).ok().map(|drain| (drain.region, drain.to));
        assert_eq!(read("ord"), Some(("ord".into(), 0.0)));
        assert_eq!(read("ord:40%"), Some(("ord".into(), 0.4)));
        assert_eq!(read("ord:0.25"), Some(("ord".into(), 0.25)));
        for text in ["ord:", "ord:100%", "ord:-1", "ord:x%", "ord:NaN"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
