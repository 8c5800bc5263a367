//! The query of a request, read as its shape: what does not fit is refused with problem details.

use axum::extract::FromRequestParts;
use axum::extract::Query as Parsed;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::Refused;

/// The query as `T`.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>, Refused> {
        let parsed = Parsed::<T>::try_from_uri(&parts.uri);
        parsed.map(|Parsed(query)| Query(query)).map_err(|rejection| {
            let detail = format!("the query of {}: {}", parts.uri.path(), rejection.body_text());
            Refused::new(400, "bad-query", detail)
        })
    }
}
