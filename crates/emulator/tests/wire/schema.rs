//! The schemas that editors check with, against the files that they are for: what the program takes, they take.

use avnm_emulator::Settings;
use avnm_emulator::world::file::DEFAULT_WORLD;
use avnm_emulator::{settings, world};
use regex::Regex;
use serde_json::{Value, json};

/// What of a value its schema refuses, by the value's place: as much of JSON Schema as the two schemas use.
fn refusals(schema: &Value, root: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut all = Vec::new();
    let Some(fields) = schema.as_object() else { return all };
    for (word, wanted) in fields {
        match word.as_str() {
            "$ref" => {
                let target = wanted.as_str().unwrap().trim_start_matches('#');
                all.extend(refusals(root.pointer(target).expect(target), root, value, place));
            }
            "type" => {
                let types: Vec<&Value> =
                    wanted.as_array().map_or(vec![wanted], |types| types.iter().collect());
                if !types.iter().any(|it| is(it.as_str().unwrap(), value)) {
                    all.push(format!("{place}: {value} is not {wanted}"));
                }
            }
            "enum" => {
                all.extend(
                    (!wanted.as_array().unwrap().contains(value)).then(|| format!("{place}: {value}")),
                );
            }
            "const" => all.extend((wanted != value).then(|| format!("{place}: {value} is not {wanted}"))),
            "pattern" => {
                let good = value
                    .as_str()
                    .is_none_or(|it| Regex::new(wanted.as_str().unwrap()).unwrap().is_match(it));
                all.extend((!good).then(|| format!("{place}: {value} does not match {wanted}")));
            }
            "minimum" => {
                let good = value.as_f64().is_none_or(|it| it >= wanted.as_f64().unwrap());
                all.extend((!good).then(|| format!("{place}: {value} is less than {wanted}")));
            }
            "maximum" => {
                let good = value.as_f64().is_none_or(|it| it <= wanted.as_f64().unwrap());
                all.extend((!good).then(|| format!("{place}: {value} is more than {wanted}")));
            }
            "exclusiveMinimum" => {
                let good = value.as_f64().is_none_or(|it| it > wanted.as_f64().unwrap());
                all.extend((!good).then(|| format!("{place}: {value} is not more than {wanted}")));
            }
            "minItems" => {
                let good = value.as_array().is_none_or(|it| it.len() as u64 >= wanted.as_u64().unwrap());
                all.extend((!good).then(|| format!("{place}: is too short")));
            }
            "oneOf" | "anyOf" => {
                let fits = |it: &&Value| refusals(it, root, value, place).is_empty();
                let count = wanted.as_array().unwrap().iter().filter(fits).count();
                let good = if word == "oneOf" { count == 1 } else { count > 0 };
                all.extend((!good).then(|| format!("{place}: {value} fits {count} of {wanted}")));
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    all.extend(refusals(wanted, root, item, &format!("{place}[{index}]")));
                }
            }
            "required" if value.is_object() => {
                for name in wanted.as_array().unwrap().iter().filter_map(Value::as_str) {
                    all.extend(value.get(name).is_none().then(|| format!("{place}: no {name}")));
                }
            }
            "properties" | "additionalProperties" => {
                let known = &schema["properties"];
                for (name, item) in value.as_object().into_iter().flatten() {
                    let place = format!("{place}.{name}");
                    match (word.as_str(), known.get(name)) {
                        ("properties", Some(known)) => all.extend(refusals(known, root, item, &place)),
                        ("additionalProperties", None) if *wanted == json!(false) => all.push(place),
                        ("additionalProperties", None) => all.extend(refusals(wanted, root, item, &place)),
                        _ => {}
                    }
                }
            }
            "required" | "$schema" | "$defs" | "title" | "description" | "default" | "format" => {}
            other => panic!("{place}: the schema uses {other}, which this check does not know"),
        }
    }
    all
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a schema's type {other}"),
    }
}

fn against(schema: &str, value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    refusals(&schema, &schema, value, "")
}

fn world(yaml: &str) -> Vec<String> {
    against(&world::schema::text(), &serde_saphyr::from_str(yaml).unwrap())
}

fn file(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_schema_takes_the_worlds_that_there_are() {
    let readme = file("README.md");
    let shown = readme.split("```yaml,fragment\n").nth(1).unwrap().split("```").next().unwrap();
    for world_file in [DEFAULT_WORLD, &file("../../tests/sdk/world.yaml"), shown] {
        assert_eq!(world(world_file), Vec::<String>::new());
        avnm_emulator::world::file::WorldFile::parse(world_file).unwrap().check().unwrap();
    }
}

/// Why this is worth a test: an editor that shows no line under such a mistake is taken for consent.
#[test]
fn the_schema_refuses_words_and_ids_that_the_program_refuses() {
    for (good, bad) in [
        ("[Connectivity, SecurityAdmin, Routing]", "[Connectvity]"),
        ("memberType: Subnet", "memberType: Network"),
        ("tenants:\n  - {id: 24680975-1234-abcd-56ef-121314ab5643", "tenants:\n  - {id: central"),
        ("[/subscriptions/13579864-1234-5678-abcd-0987654321ab]", "[garbage]"),
        ("subnets: [default, app]", "subnets: [{nam: app}]"),
        ("          - scope: /subscriptions", "          - scope: subscriptions"),
    ] {
        assert!(DEFAULT_WORLD.contains(good), "{good}");
        let yaml = DEFAULT_WORLD.replacen(good, bad, 1);
        assert!(!world(&yaml).is_empty(), "{bad}");
        let parsed = avnm_emulator::world::file::WorldFile::parse(&yaml);
        assert!(parsed.and_then(|file| file.check()).is_err(), "{bad}");
    }
    let sdk = file("../../tests/sdk/world.yaml");
    assert!(!world(&sdk.replacen("role: Reader", "role: Looker", 1)).is_empty());
}

#[test]
fn the_default_world_names_its_schema_for_editors() {
    assert!(DEFAULT_WORLD.starts_with("# yaml-language-server: $schema=world.schema.json\n"));
}

#[test]
fn the_schema_of_the_settings_takes_and_refuses_what_the_program_does() {
    let check =
        |patch: &Value| (against(&settings::schema::text(), patch), Settings::default().merged(patch));
    let some =
        json!({"graphQuota": {"size": 0, "refillPerSecond": 0.5}, "pageSize": 1000, "pairing": "onPut"});
    for good in [json!({}), json!(Settings::default()), json!(Settings::instant()), some] {
        let (refusals, merged) = check(&good);
        assert_eq!(refusals, Vec::<String>::new());
        merged.unwrap();
    }
    for bad in [
        json!({"pagesize": 3}),
        json!({"pageSize": 0}),
        json!({"pairing": "never"}),
        json!({"missingServicePrincipal": 700_016}),
        json!({"graphQuota": {"size": -1, "refillPerSecond": 1}}),
        json!({"graphQuota": {"size": 1, "refillPerSecond": 0}}),
        json!({"latencyMs": {"min": 0, "max": 86_400_001}}),
        json!({"latencyMs": 5}),
    ] {
        let (refusals, merged) = check(&bad);
        assert!(!refusals.is_empty() && merged.is_err(), "{bad}");
    }
}
