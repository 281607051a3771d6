//! Tests of the settlement record.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

#[test]
fn codes_and_names_come_back() {
    for (position, reason) in EndReason::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(reason.code()), position);
        assert_eq!(EndReason::from_code(reason.code()), Some(reason));
        assert_eq!(EndReason::from_name(reason.as_str()), Some(reason));
    }
    for (position, provenance) in UsageProvenance::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(provenance.code()), position);
        assert_eq!(UsageProvenance::from_code(provenance.code()), Some(provenance));
        assert_eq!(UsageProvenance::from_name(provenance.as_str()), Some(provenance));
    }
    assert_eq!(EndReason::from_code(8), None);
    assert_eq!(UsageProvenance::from_name("guessed"), None);
}

#[test]
fn the_vector_names_its_fields_in_order() {
    let values: [u64; UsageTokens::COUNT] = std::array::from_fn(|position| position as u64 + 1);
    let tokens = UsageTokens::from_array(values);
    assert_eq!(tokens.to_array(), values);
    let json = serde_json::to_value(tokens).unwrap();
    for (name, value) in UsageTokens::FIELDS.iter().zip(values) {
        assert_eq!(json[*name], value, "{name}");
    }
    assert_eq!(tokens.input_total() + tokens.output_total(), values[..8].iter().sum::<u64>());
}

#[test]
fn the_parts_add_up_to_the_providers_total() {
    let usage = gw_core::Usage {
        input_uncached: 1,
        cache_read: 2,
        cache_write_5m: 4,
        cache_write_1h: 8,
        cache_write_other: 16,
        tool_prompt: 32,
        output: 640,
        reasoning: 140,
        audio_input: 3,
        ..gw_core::Usage::default()
    };
    let tokens = UsageTokens::of(&usage, 1);
    assert_eq!(tokens.input_total(), usage.input_total());
    assert_eq!((tokens.output_text, tokens.output_reasoning, tokens.requests), (500, 140, 1));
    let odd = UsageTokens::of(&gw_core::Usage { output: 5, reasoning: 9, ..gw_core::Usage::default() }, 1);
    assert_eq!(odd.output_total(), 5);
}

#[test]
fn names_are_those_of_the_vocabulary() {
    for reason in [gw_core::EndReason::Completed, gw_core::EndReason::Internal, gw_core::EndReason::Refused] {
        assert_eq!(EndReason::from(reason).as_str(), reason.as_str());
    }
    for provenance in [gw_core::Provenance::None, gw_core::Provenance::Counted, gw_core::Provenance::Reported] {
        assert_eq!(UsageProvenance::from(provenance).as_str(), provenance.as_str());
    }
}

#[test]
fn a_record_written_by_an_older_program_still_reads() {
    let record: UsageRecord = serde_json::from_str(r#"{"v":1,"attempt_id":"a","end":"client_cancelled"}"#).unwrap();
    assert_eq!(
        record,
        UsageRecord { attempt_id: "a".into(), end: EndReason::ClientCancelled, ..UsageRecord::default() }
    );
}
