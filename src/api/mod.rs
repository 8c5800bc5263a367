//! Api: the shapes of requests and responses of /v1, nothing else.
//!
//! Owns:    bodies as JSON has them, problem details (RFC 9457), the conversions from and into inner types, by hand.
//! Imports: health, diagnostic.
//! Never:   speaks HTTP, asks the server anything, decides.
//! Enter:   `report` (the feed), `change` and `generations` (what operators do), `health` and `status`, `problem`.

mod alarm;
mod change;
mod coverage;
mod diagnostic;
mod diff;
mod explain;
mod generations;
mod geo;
mod health;
mod problem;
mod report;
mod status;
mod trust;
mod watch;
mod webhook;
mod weights;
mod whatif;

pub use alarm::{AlarmBody, alarm_body};
pub use change::{
    Acknowledged, DrainRequest, OverrideRequest, Reloaded, ResumeRequest, SiteRequest,
    UndrainRequest, Window, expiry_at, span_millis, why, words,
};
pub use coverage::{
    CoverageBody, CoverageMark, CoveragePoint, CoverageRegion, CoverageRow, CoverageShare,
};
pub use diagnostic::DiagnosticBody;
pub use diff::{
    ChangeWord, CountryMove, CountryShift, DiffBody, DiffSide, EndpointChange, FileChange,
    GenerationFiles, GeographyChange, Move, PolicyChange, PoolChange, Rebound, RegionChange,
    RouteChange, RrsetBody, SettingChange, Share, ShiftTo, SteeringChange, ZoneChange,
};
pub use explain::{
    At, ExplainBody, ExplainClient, ExplainEndpoint, ExplainRegion, ExplainResponse, ExplainRoute,
    ExplainScope, ExplainTtl, read_at,
};
pub use generations::{
    AcceptRequest, GenerationBody, GenerationsBody, HeldBody, HeldZone, PendingBody, PendingFile,
    PinBody, PublishedBody, RollbackRequest,
};
pub use geo::{GeoBody, GeoOverride, GeoPolicy, GeoRegion, GeoSource, PlaceBody};
pub use health::{
    EndpointHealth, HealthBody, OverrideBody, WordBody, freshness_word, standing_body, tier_word,
    timestamp,
};
pub use problem::Problem;
pub use report::{
    LINE_COUNT_MAX, RefusedLine, ReportError, ReportLine, ReportsTaken, StreamAnswer, read_item,
    read_lines,
};
pub use status::{
    DatabaseBody, EvidenceBody, LoadBody, RegionBody, SandboxBody, ServedBody, ShedBody, SiteBody,
    StatusBody, VantageBody,
};
pub use trust::trust;
pub use watch::{
    AlarmChange, Turn, WatchEnd, WatchEvent, WatchStart, WatchWhat, alarm_change, watch_event,
};
pub use webhook::WebhookBody;
pub use weights::{CountryQueries, PlaceQueries, PlacesBody, WeightsBody};
pub use whatif::{
    BeforeAfter, Clients, WhatifAnswer, WhatifAsk, WhatifBody, WhatifClient, WhatifDrain,
    WhatifEndpoint, WhatifLoad, WhatifPolicy, WhatifRefusal, WhatifRegion, WhatifRequest,
    WhatifType,
};
