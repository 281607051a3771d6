//! Tests of the key index.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn principal(name: &str) -> Principal {
    Principal {
        key_id: format!("id-{name}"),
        name: name.to_owned(),
        hint: "ig-…a1b2".to_owned(),
        enabled: true,
        expires_at_ms: None,
        allowed_models: None,
        created_at_ms: 0,
        source: KeySource::Store,
    }
}

fn index(entries: Vec<(&str, Principal)>) -> KeyIndex {
    let mut builder = KeyIndex::builder();
    for (key, principal) in entries {
        builder.insert(KeyHash::of(key), principal).unwrap();
    }
    builder.build()
}

#[test]
fn answers_are_exact() {
    let index = index(vec![
        ("good-key", principal("good")),
        ("off-key", Principal { enabled: false, expires_at_ms: Some(5), ..principal("off") }),
        ("old-key", Principal { expires_at_ms: Some(1_000), ..principal("old") }),
    ]);
    assert_eq!(index.lookup("good-key", 0), Lookup::Found(Arc::new(principal("good"))));
    assert_eq!(index.lookup("off-key", 10), Lookup::Disabled);
    assert!(matches!(index.lookup("old-key", 999), Lookup::Found(found) if found.name == "old"));
    assert_eq!(index.lookup("old-key", 1_000), Lookup::Expired);
    for other in ["", "good-ke", "good-key ", "GOOD-KEY", "good-keyx"] {
        assert_eq!(index.lookup(other, 0), Lookup::Unknown, "{other:?}");
    }
}

#[test]
fn equal_leading_bytes_are_different_keys() {
    let mut builder = KeyIndex::builder();
    let first = KeyHash([7; 32]);
    let mut bytes = [7; 32];
    bytes[31] = 8;
    builder.insert(first, principal("first")).unwrap();
    builder.insert(KeyHash(bytes), principal("second")).unwrap();
    let index = builder.build();
    assert_eq!(index.principals[&first].name, "first");
    assert_eq!(index.principals[&KeyHash(bytes)].name, "second");
}

#[test]
fn the_first_of_two_equal_keys_stays() {
    let mut builder = KeyIndex::builder();
    builder.insert(KeyHash::of("same"), principal("file")).unwrap();
    let error = builder.insert(KeyHash::of("same"), principal("store")).unwrap_err();
    assert_eq!(error, DuplicateKey { kept: "file".into(), refused: "store".into() });
    assert!(matches!(builder.build().lookup("same", 0), Lookup::Found(found) if found.name == "file"));
}

#[test]
fn models_are_compared_exactly() {
    assert!(principal("all").allows_model("anything"));
    let some = Principal { allowed_models: Some(vec!["gpt-4o".into()]), ..principal("some") };
    assert!(some.allows_model("gpt-4o"));
    assert!(!some.allows_model("gpt-4o-mini"));
    assert!(!Principal { allowed_models: Some(vec![]), ..principal("none") }.allows_model("gpt-4o"));
}

#[test]
fn ten_thousand_keys_are_all_found() {
    let keys: Vec<_> = (0..10_000).map(|number| format!("key-number-{number}")).collect();
    let index = index(keys.iter().map(|key| (key.as_str(), principal(key))).collect());
    assert_eq!(index.len(), 10_000);
    for key in &keys {
        assert!(matches!(index.lookup(key, 0), Lookup::Found(found) if found.name == *key));
    }
}

#[test]
fn a_replacement_holds_for_every_later_lookup() {
    let directory = KeyDirectory::new(index(vec![("key", principal("one"))]));
    assert!(KeyDirectory::default().snapshot().is_empty());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut looked = 0_u64;
                    while !stop.load(Ordering::Relaxed) {
                        assert!(matches!(directory.lookup("key", 0), Lookup::Found(_)));
                        looked += 1;
                    }
                    looked
                })
            })
            .collect();
        for round in 0..500 {
            directory.replace(index(vec![("key", principal(&round.to_string()))]));
            assert!(matches!(directory.lookup("key", 0), Lookup::Found(found) if found.name == round.to_string()));
        }
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    directory.replace(index(vec![("key", Principal { enabled: false, ..principal("off") })]));
    assert_eq!(directory.lookup("key", 0), Lookup::Disabled);
}
