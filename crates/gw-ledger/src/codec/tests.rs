//! Tests of the record codec.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use gw_store::conformance::sample_usage;
use proptest::prelude::*;

use super::*;

fn encoded(record: &UsageRecord) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(record, &mut bytes).unwrap();
    bytes
}

fn any_record() -> impl Strategy<Value = UsageRecord> {
    let texts = proptest::collection::vec("\\PC{0,40}", 8);
    let numbers = (any::<i64>(), any::<[u64; 4]>(), any::<[u64; 16]>(), any::<u16>(), 0..8_u8, 0..4_u8);
    let options = (any::<bool>(), any::<Option<u16>>(), any::<Option<u64>>(), proptest::option::of("[a-z_]{0,30}"));
    let losses = proptest::collection::vec("\\PC{0,20}", 0..5);
    ("\\PC{1,30}", texts, numbers, options, losses).prop_map(|(attempt_id, texts, numbers, options, losses)| {
        let (at_ms, [duration_ms, events_delivered, bytes_delivered, _], usage, status, end, provenance) = numbers;
        let (streaming, upstream_status, first_byte_ms, error_code) = options;
        let [request_id, key_id, key_name, ingress, operation, requested_model, provider, upstream_model] =
            texts.try_into().unwrap();
        UsageRecord {
            v: UsageRecord::VERSION,
            attempt_id,
            request_id,
            key_id,
            key_name,
            at_ms,
            duration_ms,
            first_byte_ms,
            ingress,
            operation,
            requested_model,
            provider,
            upstream_model,
            streaming,
            status,
            upstream_status,
            end: EndReason::from_code(end).unwrap(),
            usage: UsageTokens::from_array(usage),
            usage_provenance: UsageProvenance::from_code(provenance).unwrap(),
            error_code,
            losses,
            events_delivered,
            bytes_delivered,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_record_comes_back(record in any_record()) {
        prop_assert_eq!(decode(&encoded(&record)), Ok(record));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut versioned = vec![VERSION];
        versioned.extend(bytes);
        let _ = decode(&versioned);
    }
}

#[test]
fn every_cut_and_every_extension_is_malformed() {
    let mut bytes = encoded(&sample_usage(7));
    for length in 0..bytes.len() {
        assert_eq!(decode(&bytes[..length]), Err(Malformed), "{length}");
    }
    bytes.push(0);
    assert_eq!(decode(&bytes), Err(Malformed));
}

#[test]
fn a_typical_record_is_small() {
    assert!(encoded(&sample_usage(7)).len() < 256);
}

/// The bytes of layout 1 as first released: whoever changes them must raise the version.
#[test]
fn layout_one_stays_readable() {
    let record = UsageRecord {
        attempt_id: "a1".into(),
        provider: "mock".into(),
        at_ms: -3,
        status: 200,
        end: EndReason::Completed,
        usage: UsageTokens { input_uncached: 300, requests: 1, ..UsageTokens::default() },
        bytes_delivered: 5,
        ..UsageRecord::default()
    };
    let bytes = [
        1, 0, 0, 3, 1, 2, b'a', b'1', 0, 0, 0, 0, 0, 0, 4, b'm', b'o', b'c', b'k', 0, 5, 0, 0xc8, 1, 2, 0, 0xac, 2, 15,
        1, 0, 0, 5,
    ];
    assert_eq!(encoded(&record), bytes);
    assert_eq!(decode(&bytes), Ok(record));
}

#[test]
fn long_texts_are_cut_at_a_character() {
    let record = UsageRecord {
        requested_model: "ü".repeat(5_000),
        losses: (0..100).map(|number| format!("field-{number}")).collect(),
        ..sample_usage(1)
    };
    let bytes = encoded(&record);
    let back = decode(&bytes).unwrap();
    assert_eq!(back.requested_model, "ü".repeat(256));
    assert_eq!(back.losses.len(), 64);
    assert_eq!(back.losses[62], "field-62");
    assert_eq!(back.losses[63], "and 37 more");
}

#[test]
fn the_largest_record_fits_a_frame() {
    let long = "x".repeat(100_000);
    let record = UsageRecord {
        attempt_id: "i".repeat(128),
        request_id: long.clone(),
        key_id: long.clone(),
        key_name: long.clone(),
        ingress: long.clone(),
        operation: long.clone(),
        requested_model: long.clone(),
        provider: long.clone(),
        upstream_model: long.clone(),
        error_code: Some(long.clone()),
        losses: vec![long; 1_000],
        usage: UsageTokens::from_array([u64::MAX; 16]),
        ..sample_usage(1)
    };
    assert!(encoded(&record).len() <= crate::frame::MAX_PAYLOAD_BYTES);
}

#[test]
fn an_attempt_id_is_never_cut() {
    for attempt_id in [String::new(), "x".repeat(129)] {
        let record = UsageRecord { attempt_id, ..sample_usage(1) };
        assert!(matches!(encode(&record, &mut Vec::new()), Err(JournalError::InvalidRecord(_))));
    }
}
