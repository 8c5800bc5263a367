//! Every path of the API, each with its methods: who answers, and what the description says. The router and
//! /v1/openapi.json are both made of this table.

use serde_json::json;

use crate::api::{
    AcceptRequest, Acknowledged, AlarmChange, CoverageBody, DiffBody, DrainRequest, ExplainBody,
    GenerationFiles, GenerationsBody, GeoBody, HealthBody, OverrideRequest, PlacesBody,
    PublishedBody, Reloaded, ReportsTaken, ResumeRequest, RollbackRequest, SiteBody, SiteRequest,
    StatusBody, StreamAnswer, UndrainRequest, WatchEnd, WatchEvent, WatchStart, WhatifBody,
    WhatifRequest,
};

use super::route::Route;
use super::{
    change, coverage, diff, explain, generations, geo, openapi, reading, reports, stream, watch,
    whatif,
};

/// What `If-Match` is for.
const IF_MATCH: &str =
    "The `ETag` of GET /v1/health that the decision was made on; with a later one it is refused.";

/// Every route.
pub fn all() -> Vec<Route> {
    [feed(), overrides(), drains(), sites(), questions(), states(), files(), server()]
        .into_iter()
        .flatten()
        .collect()
}

fn feed() -> Vec<Route> {
    let report = Route::post("/v1/reports", reports::take).says(
        "health",
        "report",
        "Report health",
        "One report, an array of them, or one a line (NDJSON); heartbeats, which reaffirm all last words of their \
         vantage, \
         among them. Each item is taken or refused by itself, and what is taken is durable before the answer. Without \
         `boot` and `seq` a report is newer than any before. 422 when nothing was taken for a fault of the sender's.",
    );
    vec![
        reports::described(report)
            .tells::<ReportsTaken>(202, "What was taken, and what was refused and why.")
            .refuses(&[422]),
        stream::described(Route::post("/v1/reports/stream", stream::take).says(
            "health",
            "report_stream",
            "Report health for as long as one likes",
            "A report or a heartbeat a line, without an end. Each line of the answer tells how many items are settled, \
             and what of them was refused and why; its shape is StreamAnswer. A sender that is too fast is slowed down.",
        ))
        .names::<StreamAnswer>(),
        Route::get("/v1/health", reading::health)
            .says(
                "health",
                "health",
                "Verdicts of all endpoints",
                "With the evidence: the last word of each vantage. The `ETag` is the revision of the log.",
            )
            .heeds("If-None-Match", "An `ETag` that is known already.", "\"17\"")
            .tells::<HealthBody>(200, "The verdicts.")
            .says_nothing(304, "Nothing has changed since that `ETag`."),
        Route::get("/v1/health/{*subject}", reading::health_of)
            .says("health", "health_of", "Verdicts of a subject", "As /v1/health, of what the subject covers.")
            .heeds("If-None-Match", "An `ETag` that is known already.", "\"17\"")
            .tells::<HealthBody>(200, "The verdicts.")
            .says_nothing(304, "Nothing has changed since that `ETag`.")
            .refuses(&[404, 422]),
        Route::get("/v1/watch", watch::watch)
            .says(
                "health",
                "watch",
                "What happens, as it happens",
                "Server-sent events: first `start`, then each event of the log once and in order, its revision as `id`; \
                 `alarm` for alarms of this machine; `end` where the server lets go. The `data` of an event without \
                 a name is \
                 a WatchEvent. 410 where the log no longer keeps what came after `from`.",
            )
            .asks::<watch::Asked>()
            .heeds("Last-Event-ID", "The last revision that was seen; it goes before `from`.", "17")
            .names::<WatchEvent>()
            .names::<WatchStart>()
            .names::<WatchEnd>()
            .names::<AlarmChange>()
            .sends(200, "The events.", "text/event-stream")
            .refuses(&[409, 410]),
    ]
}

fn overrides() -> Vec<Route> {
    vec![
        Route::put("/v1/overrides/{*subject}", change::decide)
            .says(
                "operators",
                "override",
                "Decide instead of the verdicts",
                "Stands above every report until it expires or is cleared; of several that cover an endpoint, the one on \
                 the endpoint holds, then the pool's, then the region's, and of equals the later. `accept` is done \
                 at once: it \
                 believes the feed of a pool in panic.",
            )
            .heeds("If-Match", IF_MATCH, "\"17\"")
            .reads::<OverrideRequest>(json!({"action": "down", "why": "flapping link", "expires": "1h"}))
            .tells::<Acknowledged>(200, "It stands, and is durable.")
            .refuses(&[404, 409, 412, 422]),
        Route::delete("/v1/overrides/{*subject}", change::clear)
            .says("operators", "clear_override", "Clear an override", "Verdicts decide again.")
            .heeds("If-Match", IF_MATCH, "\"17\"")
            .asks::<change::Words>()
            .tells::<Acknowledged>(200, "It is cleared.")
            .refuses(&[404, 409, 412, 422]),
    ]
}

fn drains() -> Vec<Route> {
    vec![
        Route::post("/v1/regions/{region}/drain", change::drain)
            .says(
                "operators",
                "drain",
                "Drain a region",
                "Moves its clients to their next region, all at once or over a time in steps at least a TTL apart. \
                 Refused \
                 where a pool would fall below `at_least`, unless `force` is given.",
            )
            .heeds("If-Match", IF_MATCH, "\"17\"")
            .reads::<DrainRequest>(json!({"why": "router upgrade", "to": 0.0, "over": "10m"}))
            .tells::<Acknowledged>(200, "The drain begins, and is durable.")
            .refuses(&[404, 409, 412, 422]),
        Route::post("/v1/regions/{region}/undrain", change::undrain)
            .says(
                "operators",
                "undrain",
                "Fill a region again",
                "Every client comes back that had moved, in the reverse order where it is done over a time.",
            )
            .heeds("If-Match", IF_MATCH, "\"17\"")
            .reads::<UndrainRequest>(json!({"why": "upgrade done"}))
            .tells::<Acknowledged>(200, "The region is filled again.")
            .refuses(&[404, 409, 412, 422]),
    ]
}

fn sites() -> Vec<Route> {
    vec![
        Route::post("/v1/site/drain", change::drain_site)
            .says(
                "operators",
                "drain_site",
                "Take this site out of anycast",
                "/readyz fails, so that whoever announces the prefix withdraws it; queries that arrive are still \
                 answered. It \
                 persists over restarts.",
            )
            .reads::<SiteRequest>(json!({"why": "rack move"}))
            .tells::<SiteBody>(200, "The site, drained.")
            .refuses(&[422]),
        Route::post("/v1/site/undrain", change::undrain_site)
            .says("operators", "undrain_site", "Bring this site back", "/readyz follows the site's own health again.")
            .reads::<SiteRequest>(json!({"why": "rack moved"}))
            .tells::<SiteBody>(200, "The site.")
            .refuses(&[422]),
    ]
}

fn questions() -> Vec<Route> {
    vec![
        Route::get("/v1/explain", explain::explain)
            .says(
                "questions",
                "explain",
                "Why a client gets this answer",
                "The code that answers is run with somebody listening: every step, every region looked at, and why.",
            )
            .asks::<explain::Asked>()
            .tells::<ExplainBody>(200, "The steps, as text and as values.")
            .refuses(&[404, 409]),
        Route::post("/v1/whatif", whatif::suppose_all)
            .says(
                "questions",
                "whatif",
                "Who would move where",
                "What would come of failures, overrides and drains, in shares of clients and by country. Changes \
                 nothing.",
            )
            .reads::<WhatifRequest>(json!({"down": ["fra"], "drain": [{"region": "iad", "to": 0.4}]}))
            .tells::<WhatifBody>(200, "What would come of it.")
            .refuses(&[404, 422]),
        Route::get("/v1/coverage", coverage::coverage)
            .says(
                "questions",
                "coverage",
                "Which country gets which region",
                "First and second region of every country with a policy, as endpoints stand; holes are marked.",
            )
            .asks::<coverage::Asked>()
            .tells::<CoverageBody>(200, "The world, by country.")
            .refuses(&[404]),
        Route::get("/v1/geo", geo::lookup)
            .says("questions", "geo", "What is known of an address", "What each database says, and what it means \
            under each policy.")
            .asks::<geo::Asked>()
            .tells::<GeoBody>(200, "What is known.")
            .refuses(&[404, 409]),
        Route::get("/v1/weights", reading::weights)
            .says("questions", "weights", "Where this server's queries come from", "By place, most first.")
            .tells::<PlacesBody>(200, "The places."),
    ]
}

fn states() -> Vec<Route> {
    vec![
        Route::get("/v1/generations", generations::list)
            .says(
                "files",
                "generations",
                "The published states of files",
                "Newest first; and what is pinned, pending and held.",
            )
            .asks::<generations::Paged>()
            .tells::<GenerationsBody>(200, "A page of them."),
        Route::get("/v1/generations/{generation}/files", diff::files)
            .says(
                "files",
                "generation_files",
                "The files of a generation",
                "The hash of each, by path.",
            )
            .tells::<GenerationFiles>(200, "The files.")
            .refuses(&[404, 409]),
        Route::get("/v1/generations/{generation}/files/{*path}", diff::file)
            .says(
                "files",
                "generation_file",
                "A file of a generation",
                "As it was when it was published.",
            )
            .sends(200, "Its content.", "application/octet-stream")
            .refuses(&[404, 409]),
        Route::get("/v1/diff", diff::diff)
            .says(
                "files",
                "diff",
                "What differs between two generations",
                "Zones, steering, geography; and which clients move.",
            )
            .asks::<diff::Asked>()
            .tells::<DiffBody>(200, "The differences.")
            .refuses(&[404, 409, 422]),
    ]
}

fn files() -> Vec<Route> {
    vec![
        Route::post("/v1/reload", change::reload)
            .says("files", "reload", "Look at the files now", "An edit is noticed by itself; this tells what came of it.")
            .asks::<change::Waits>()
            .reads::<change::Nothing>(json!({}))
            .tells::<Reloaded>(200, "What came of it.")
            .says_nothing(202, "With `wait=false`: it is under way."),
        Route::post("/v1/rollback", generations::roll_back)
            .says(
                "files",
                "rollback",
                "Go back to an earlier generation",
                "Its files are published again as a new generation, which is pinned: edits are checked and kept, and not \
                 served until `resume`. Verdicts, overrides and drains stay as they are.",
            )
            .reads::<RollbackRequest>(json!({"generation": 41, "why": "www answers from the wrong pool"}))
            .tells::<PublishedBody>(200, "The generation that serves now.")
            .refuses(&[404, 409, 422]),
        Route::post("/v1/resume", generations::resume)
            .says("files", "resume", "Serve the files again", "Ends a pin: the newest good files are published.")
            .reads::<ResumeRequest>(json!({"why": "mended"}))
            .tells::<PublishedBody>(200, "The generation that serves now.")
            .refuses(&[404, 409, 422]),
        Route::post("/v1/accept", generations::accept)
            .says(
                "files",
                "accept",
                "Publish what the guard holds",
                "A change that removes more names than the guard lets go is held until somebody accepts exactly \
                 that change.",
            )
            .reads::<AcceptRequest>(json!({"generation": 5, "why": "moved to another zone"}))
            .tells::<PublishedBody>(200, "The generation that serves now.")
            .refuses(&[404, 409, 422]),
    ]
}

fn server() -> Vec<Route> {
    const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
    vec![
        Route::get("/v1/status", reading::status)
            .says(
                "server",
                "status",
                "All that stands",
                "Generation, revision and digest, zones, regions, endpoints, overrides, mistakes in files, alarms. \
                 Servers with \
                 one digest give the same answers.",
            )
            .tells::<StatusBody>(200, "The status."),
        Route::get("/metrics", reading::metrics)
            .says("server", "metrics", "Metrics", "In the text format of Prometheus.")
            .sends(200, "The metrics.", METRICS),
        Route::get("/healthz", reading::healthz)
            .says("probes", "healthz", "Alive", "The process runs. For whoever restarts it.")
            .sends(200, "It is alive.", "text/plain; charset=utf-8"),
        Route::get("/readyz", reading::readyz)
            .says("probes", "readyz", "Fit to be announced", "Announce the anycast prefix while this is 200.")
            .sends(200, "It is fit.", "text/plain; charset=utf-8")
            .refuses(&[503]),
        Route::get("/v1/openapi.json", openapi::tell)
            .says("description", "openapi", "This description", "OpenAPI 3.1, made of the routes that are served.")
            .sends(200, "The description.", "application/json"),
    ]
}
