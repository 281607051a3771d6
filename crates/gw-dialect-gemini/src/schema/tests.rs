#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use gw_core::{Field, RawJson};
use gw_wire::{Document, Limits};

use super::{fit, from_openapi};

fn fitted(schema: &str, standard: bool) -> (String, Vec<String>) {
    let fitted = fit(&RawJson::from_valid(schema), standard);
    let lost = fitted.lost.iter().map(|lost| lost.keyword.clone()).collect();
    (fitted.schema.map(|schema| schema.as_str().to_owned()).unwrap_or_default(), lost)
}

#[test]
fn google_form_becomes_standard_without_touching_property_names() {
    let source = r#"{"type":"OBJECT","properties":{"any_of":{"type":"STRING","nullable":true,"enum":["a"]},
        "n":{"type":"ARRAY","min_items":"2","items":{"type":"NUMBER"}}},"property_ordering":["n"]}"#;
    let document = Document::parse(source, Limits::default()).unwrap();
    assert_eq!(
        from_openapi(document.root()).as_str(),
        r#"{"type":"object","properties":{"any_of":{"type":["string","null"],"enum":["a",null]},"n":{"type":"array","minItems":2,"items":{"type":"number"}}},"propertyOrdering":["n"]}"#
    );
}

#[test]
fn accepted_schemas_pass_unchanged() {
    let schema = r##"{"type":"object","properties":{"a":{"type":"integer","minimum":1.50,"format":"int32"},"b":{"$ref":"#/$defs/B"}},"required":["a"],"additionalProperties":false,"$defs":{"B":{"type":["string","null"]}}}"##;
    assert_eq!(fitted(schema, true), (schema.to_owned(), Vec::new()));
}

#[test]
fn row_50_unsupported_keywords_move_into_the_description_and_are_reported() {
    let schema = r#"{"$schema":"x","type":"object","properties":{"p":{"type":"string","pattern":"^a$","description":"P"},
        "c":{"const":"k"},"i":{"type":"integer","exclusiveMinimum":4},"f":{"type":"number","exclusiveMaximum":2}}}"#;
    let (out, lost) = fitted(schema, true);
    assert_eq!(
        out,
        r#"{"type":"object","properties":{"p":{"type":"string","description":"P (pattern: \"^a$\")"},"c":{"enum":["k"]},"i":{"type":"integer","minimum":5},"f":{"type":"number","description":"less than 2"}}}"#
    );
    assert_eq!(lost, ["$schema", "pattern", "exclusiveMaximum"]);
    let fitted = fit(&RawJson::from_valid(schema), true);
    let notes: Vec<_> = fitted.lost.iter().map(|lost| lost.loss(Field::ToolSchema).note).collect();
    assert!(notes.iter().any(|note| note.contains("pattern")), "{notes:?}");
}

#[test]
fn bugs_26_27_old_definitions_are_normalised_and_dangling_references_cut() {
    let schema = r##"{"type":"object","properties":{"a":{"$ref":"#/definitions/A"},"x":{"$ref":"#/definitions/None"}},"definitions":{"A":{"type":"string"}}}"##;
    let (out, lost) = fitted(schema, true);
    assert_eq!(
        out,
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"x":{}},"$defs":{"A":{"type":"string"}}}"##
    );
    assert_eq!(lost, ["$ref"]);
    let (out, _) = fitted(schema, false);
    assert_eq!(out, r#"{"type":"OBJECT","properties":{"a":{"type":"STRING"},"x":{}}}"#);
}

#[test]
fn siblings_of_any_of_move_into_the_branches() {
    let schema = r#"{"type":"object","properties":{"v":{"type":"string","description":"V","anyOf":[{"enum":["a"]},{"type":"null"}]}}}"#;
    let (out, _) = fitted(schema, true);
    assert!(out.contains(r#"{"description":"V","anyOf":[{"enum":["a"],"type":"string"},{"type":"null"}]}"#), "{out}");
}

#[test]
fn the_older_form_has_upper_case_types_and_nullable() {
    let schema = r#"{"type":"object","properties":{"a":{"type":["string","null"],"format":"email"},"e":{"enum":["x"]},"n":{"type":"integer","enum":[1,2]},"l":{"type":"array"}},"required":["a","zz"],"additionalProperties":false}"#;
    let (out, lost) = fitted(schema, false);
    assert_eq!(
        out,
        r#"{"type":"OBJECT","properties":{"a":{"type":"STRING","nullable":true,"description":"format: email"},"e":{"enum":["x"],"type":"STRING"},"n":{"type":"INTEGER","description":"one of [1,2]"},"l":{"type":"ARRAY","items":{"type":"STRING"}}},"required":["a"]}"#
    );
    assert_eq!(lost, ["format", "enum", "items", "additionalProperties", "required"]);
}

#[test]
fn a_schema_without_properties_says_nothing() {
    for schema in [
        r#"{}"#,
        r#"{"type":"object","properties":{}}"#,
        r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#,
    ] {
        assert_eq!(fitted(schema, true).0, "");
        assert_eq!(fitted(schema, false).0, "");
    }
}

#[test]
fn recursion_ends_in_the_older_form() {
    let schema = r##"{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}},"$defs":{"N":{"type":"object","properties":{"next":{"$ref":"#/$defs/N"}}}}}"##;
    let (out, lost) = fitted(schema, false);
    assert!(out.len() < 2_000 && lost == ["$ref"], "{out}");
}
