//! The description as a whole: it is complete, it holds together, and it says what a route is for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::routes;
use super::describe;

fn document() -> Value {
    serde_json::to_value(describe(&mut routes::all())).unwrap()
}

/// Each operation of the document with its method and path.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    });
    each.collect()
}

/// Every `$ref` below `value`.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let served = routes::all();
    let served = served.iter().map(|r| {
        let method = serde_json::to_value(&r.method).unwrap();
        (method.as_str().unwrap().to_uppercase(), r.path.replace("{*", "{"))
    });
    let served: BTreeSet<(String, String)> = served.collect();
    assert_eq!(served.len(), routes::all().len(), "a route stands twice");
    let document = document();
    let described: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(served, described);
}

#[test]
fn the_router_has_no_other_routes() {
    // `http.rs` folds the table into a router; a route beside the table would be served and not described.
    let text = include_str!("../../http.rs");
    assert_eq!(text.matches(".route(").count(), 1, "put it into routes.rs");
    assert_eq!(text.matches(".nest").count() + text.matches(".merge(").count(), 0);
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 60, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn every_operation_says_what_it_is_for() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let tags: Vec<&Value> =
        document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        assert!(tags.contains(&&operation["tags"][0]), "{method} {path}: {}", operation["tags"]);
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let parameters = operation["parameters"].as_array().unwrap();
            let name = name.trim_end_matches('}');
            assert!(parameters.iter().any(|p| p["name"] == name && p["in"] == "path"), "{path}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{method} {path}: {parameter}");
        }
    }
}

#[test]
fn every_refusal_is_problem_details() {
    let document = document();
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        let schema = &response["content"]["application/problem+json"]["schema"];
        assert_eq!(schema["$ref"], "#/components/schemas/Problem", "{name}");
    }
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_refusal = status.starts_with('4') || status.starts_with('5');
            assert_eq!(is_refusal, response.get("$ref").is_some(), "{method} {path} {status}");
        }
    }
}
