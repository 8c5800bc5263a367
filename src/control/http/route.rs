//! One route: a method of a path, who answers it, and what the API's description says of it. Routes are told here
//! once, so that what is served and what is described (OpenAPI 3.1) cannot part.

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{self, MethodRouter};
use serde_json::{Value, json};
use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{
    Content, HttpMethod, Ref, RefOr, Required, ResponseBuilder, Schema, SecurityRequirement,
};
use utoipa::{IntoParams, ToSchema};

use super::super::desk::Desk;
use super::door::verb_of;
use super::refusals;

/// JSON, as most bodies are.
pub const JSON: &str = "application/json";

/// A shape by its name.
pub type Named = (String, RefOr<Schema>);

/// What may be refused on every path that asks who one is.
const EVERYWHERE: [u16; 6] = [400, 401, 403, 421, 429, 503];

/// A method of a path.
pub struct Route {
    /// As axum reads it: `{*subject}` takes the slashes too.
    pub path: &'static str,
    /// The method.
    pub method: HttpMethod,
    /// Who answers.
    pub handler: MethodRouter<Desk>,
    /// The shapes that its bodies are made of.
    pub schemas: Vec<Named>,
    operation: OperationBuilder,
}

impl Route {
    /// GET, and HEAD with it.
    pub fn get<H: Handler<T, Desk>, T: 'static>(path: &'static str, handler: H) -> Route {
        Route::new(HttpMethod::Get, path, routing::get(handler))
    }

    /// POST.
    pub fn post<H: Handler<T, Desk>, T: 'static>(path: &'static str, handler: H) -> Route {
        Route::new(HttpMethod::Post, path, routing::post(handler))
    }

    /// PUT.
    pub fn put<H: Handler<T, Desk>, T: 'static>(path: &'static str, handler: H) -> Route {
        Route::new(HttpMethod::Put, path, routing::put(handler))
    }

    /// DELETE.
    pub fn delete<H: Handler<T, Desk>, T: 'static>(path: &'static str, handler: H) -> Route {
        Route::new(HttpMethod::Delete, path, routing::delete(handler))
    }

    fn new(method: HttpMethod, path: &'static str, handler: MethodRouter<Desk>) -> Route {
        let mut operation = OperationBuilder::new();
        for parameter in path.split('/').filter_map(place_in_path) {
            operation = operation.parameter(parameter);
        }
        let route = Route { path, method, handler, schemas: Vec::new(), operation };
        match verb_of(&route.method(), path) {
            Some(_) => route.refuses(&EVERYWHERE),
            None => route.refuses(&[403, 421]).open(),
        }
    }

    /// Its subject, the name that generated clients call it by, and what it does, in one line and in more.
    pub fn says(mut self, tag: &str, id: &str, summary: &str, more: &str) -> Route {
        let verb = verb_of(&self.method(), self.path);
        let verb = verb.map(|verb| format!("A token needs the verb `{}`.", verb.word()));
        let description = [more, &verb.unwrap_or_default()].join("\n\n").trim().to_owned();
        self.operation = self
            .operation
            .tag(tag)
            .operation_id(Some(id))
            .summary(Some(summary))
            .description(Some(description));
        self
    }

    /// Parameters of its query.
    pub fn asks<P: IntoParams>(mut self) -> Route {
        let parameters = P::into_params(|| Some(ParameterIn::Query));
        self.operation = self.operation.parameters(Some(parameters));
        self
    }

    /// A line of the request's head that changes what is done.
    pub fn heeds(mut self, header: &str, words: &str, example: &str) -> Route {
        let parameter = ParameterBuilder::new()
            .name(header)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(words))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .example(Some(example.into()));
        self.operation = self.operation.parameter(parameter);
        self
    }

    /// A body of JSON, with an example of it.
    pub fn reads<T: ToSchema>(mut self, example: Value) -> Route {
        let schema = self.shape::<T>();
        let content = Content::builder().schema(Some(schema)).example(Some(example)).build();
        self.reads_as(&[(JSON, content)])
    }

    /// A body of one of several kinds.
    pub fn reads_as(mut self, contents: &[(&str, Content)]) -> Route {
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        for (kind, content) in contents {
            body = body.content(*kind, content.clone());
        }
        self.operation = self.operation.request_body(Some(body.build()));
        self.refuses(&[408, 413, 415])
    }

    /// An answer with a body of JSON.
    pub fn tells<T: ToSchema>(mut self, status: u16, words: &str) -> Route {
        let schema = self.shape::<T>();
        self.answers(status, words, JSON, Content::new(Some(schema)))
    }

    /// An answer with a text, or with octets.
    pub fn sends(self, status: u16, words: &str, kind: &str) -> Route {
        let text = kind.starts_with("text/");
        let schema =
            text.then(|| Schema::from(ObjectBuilder::new().schema_type(Type::String).build()));
        self.answers(status, words, kind, Content::new(schema.map(RefOr::T)))
    }

    /// An answer without a body.
    pub fn says_nothing(mut self, status: u16, words: &str) -> Route {
        let response = ResponseBuilder::new().description(words);
        self.operation = self.operation.response(status.to_string(), response);
        self
    }

    /// Problem details of these statuses.
    pub fn refuses(mut self, statuses: &[u16]) -> Route {
        for &status in statuses {
            let problem = Ref::from_response_name(refusals::name(status));
            self.operation = self.operation.response(status.to_string(), RefOr::Ref(problem));
        }
        self
    }

    /// A shape that the words speak of.
    pub fn names<T: ToSchema>(mut self) -> Route {
        self.shape::<T>();
        self
    }

    /// The shape by reference; it is kept, with all that it is made of.
    pub fn shape<T: ToSchema>(&mut self) -> RefOr<Schema> {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(T::name()))
    }

    /// The path as OpenAPI has it.
    pub fn path_described(&self) -> String {
        self.path.replace("{*", "{")
    }

    /// What is said of it, taken out of it.
    pub fn take_operation(&mut self) -> Operation {
        std::mem::take(&mut self.operation).build()
    }

    fn answers(mut self, status: u16, words: &str, kind: &str, content: Content) -> Route {
        let response = ResponseBuilder::new().description(words).content(kind, content);
        self.operation = self.operation.response(status.to_string(), response);
        self
    }

    /// It asks nobody who they are.
    fn open(mut self) -> Route {
        self.operation = self.operation.security(SecurityRequirement::default());
        self
    }

    fn method(&self) -> Method {
        match self.method {
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
            HttpMethod::Delete => Method::DELETE,
            _ => Method::GET,
        }
    }
}

/// The parameter that a segment of a path is; each name means the same in all paths.
fn place_in_path(segment: &str) -> Option<Parameter> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?.trim_start_matches('*');
    let (words, example, pattern) = match name {
        "subject" => (
            "What it is about: `region/pool/address`. Any part may be `*`, trailing parts may be left out, and an \
             address \
             alone means it in every pool.",
            "fra/web/192.0.2.10",
            "^[A-Za-z0-9._:*-]+(/[A-Za-z0-9._:*-]+){0,2}$",
        ),
        "region" => ("A region of geo/regions.toml.", "fra", "^[A-Za-z0-9_-]+$"),
        "generation" => (
            "The number of a state of files, or `now` for what serves.",
            "now",
            "^(gen:)?(now|[0-9]+)$",
        ),
        "path" => ("The path of a file in that state.", "geo/regions.toml", "^.+$"),
        _ => ("A part of the path.", "", "^.+$"),
    };
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .pattern(Some(pattern))
        .examples([json!(example)]);
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(words))
        .schema(Some(schema));
    Some(parameter.build())
}
