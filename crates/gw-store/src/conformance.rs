//! One suite for every adapter: the promises of the ports, checked through the traits.
//!
//! Each function expects an empty store and returns the first broken promise. An adapter's tests call all of them.

use crate::{
    ConfigRepo, EndReason, KeyRecord, KeyRepo, StoreError, UsageFilter, UsageProvenance, UsageRecord, UsageRepo,
    UsageSink, UsageTokens, UsageTotals,
};

/// A promise that an adapter broke, in words.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// An answer differs from what the port promises.
    #[error("{0}")]
    Broken(String),
    /// A call failed that must succeed.
    #[error("a call failed that must succeed: {0}")]
    Store(#[from] StoreError),
}

type Outcome = Result<(), Failure>;

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Outcome {
    if found == wanted { Ok(()) } else { Err(Failure::Broken(format!("{what}: found {found:?}, wanted {wanted:?}"))) }
}

fn holds(what: &str, condition: bool) -> Outcome {
    if condition { Ok(()) } else { Err(Failure::Broken(format!("{what}: does not hold"))) }
}

fn refused<T: std::fmt::Debug>(
    what: &str,
    answer: Result<T, StoreError>,
    expected: impl FnOnce(&StoreError) -> bool,
) -> Outcome {
    match answer {
        Err(error) if expected(&error) => Ok(()),
        other => Err(Failure::Broken(format!("{what}: got {other:?}"))),
    }
}

/// A key record whose fields all differ from their defaults and from those of any other `number`.
#[must_use]
pub fn sample_key(number: u8) -> KeyRecord {
    KeyRecord {
        v: KeyRecord::VERSION,
        id: format!("key-{number}"),
        name: format!("name {number} ü"),
        hash: [number; 32],
        hint: format!("ig-…{number:04}"),
        enabled: true,
        expires_at_ms: Some(4_000_000_000_000 + i64::from(number)),
        allowed_models: Some(vec!["gpt-4o".to_owned(), "a/b:c".to_owned()]),
        created_at_ms: 1_000 + i64::from(number),
        updated_at_ms: 2_000 + i64::from(number),
    }
}

/// A usage record whose fields all differ from their defaults; `number` decides the attempt id and the start time.
#[must_use]
pub fn sample_usage(number: u64) -> UsageRecord {
    UsageRecord {
        v: UsageRecord::VERSION,
        attempt_id: format!("attempt-{number:08}"),
        request_id: format!("request-{}", number / 2),
        key_id: format!("key-{}", number % 3),
        key_name: "team \"red\" ü".to_owned(),
        at_ms: 1_700_000_000_000 + i64::try_from(number).unwrap_or(0),
        duration_ms: 1_234 + number,
        first_byte_ms: Some(56),
        ingress: "anthropic".to_owned(),
        operation: "chat".to_owned(),
        requested_model: "fast".to_owned(),
        provider: "mock".to_owned(),
        upstream_model: "vendor/model:1".to_owned(),
        streaming: true,
        status: 200,
        upstream_status: Some(201),
        end: EndReason::Completed,
        usage: UsageTokens::from_array(std::array::from_fn(|field| number + field as u64 + 1)),
        usage_provenance: UsageProvenance::Reported,
        error_code: Some("upstream_timeout".to_owned()),
        losses: vec!["top_k".to_owned(), "logit_bias".to_owned()],
        events_delivered: 7 + number,
        bytes_delivered: 890 + number,
    }
}

/// Checks a [`KeyRepo`].
///
/// # Errors
/// The first broken promise.
pub async fn key_repo(repo: &dyn KeyRepo) -> Outcome {
    equal("an empty store lists nothing", &repo.list().await?, &Vec::new())?;
    let before = repo.revision().await?;
    let (first, second) = (sample_key(1), sample_key(2));
    let second = KeyRecord { expires_at_ms: None, allowed_models: None, ..second };
    repo.insert(&second).await?;
    repo.insert(&first).await?;
    equal("keys come back whole, oldest first", &repo.list().await?, &vec![first.clone(), second.clone()])?;
    equal("a key is found by name", &repo.get_by_name(&first.name).await?, &Some(first.clone()))?;
    equal("an unknown name is none", &repo.get_by_name("nobody").await?, &None)?;
    let none = KeyRecord { allowed_models: Some(Vec::new()), ..sample_key(3) };
    repo.insert(&none).await?;
    equal("an empty list is not `all`", &repo.get_by_name(&none.name).await?, &Some(none.clone()))?;
    repo.delete(&none.id).await?;
    key_conflicts(repo, &first).await?;
    let after_insert = repo.revision().await?;
    holds("insert changes the revision", after_insert != before)?;
    equal("reading does not change the revision", &repo.revision().await?, &after_insert)?;
    key_changes(repo, first, second).await
}

async fn key_conflicts(repo: &dyn KeyRepo, first: &KeyRecord) -> Outcome {
    let before = repo.revision().await?;
    let conflict = |wanted: &'static str| move |error: &StoreError| matches!(error, StoreError::Conflict { field, .. } if *field == wanted);
    let same_id = KeyRecord { id: first.id.clone(), ..sample_key(9) };
    refused("an id is unique", repo.insert(&same_id).await, conflict("id"))?;
    let same_name = KeyRecord { name: first.name.clone(), ..sample_key(9) };
    refused("a name is unique", repo.insert(&same_name).await, conflict("name"))?;
    let same_hash = KeyRecord { hash: first.hash, ..sample_key(9) };
    refused("a hash is unique", repo.insert(&same_hash).await, conflict("key"))?;
    refused("a rotation cannot take another's hash", repo.rotate("key-2", first.hash, "x", 5).await, conflict("key"))?;
    equal("a refused write does not change the revision", &repo.revision().await?, &before)
}

async fn key_changes(repo: &dyn KeyRepo, first: KeyRecord, second: KeyRecord) -> Outcome {
    let mut seen = vec![repo.revision().await?];
    repo.set_enabled(&first.id, false, 7_001).await?;
    seen.push(repo.revision().await?);
    let disabled = KeyRecord { enabled: false, updated_at_ms: 7_001, ..first };
    equal("disable is stored", &repo.get_by_name(&disabled.name).await?, &Some(disabled.clone()))?;
    repo.rotate(&disabled.id, [77; 32], "ig-…new", 7_002).await?;
    seen.push(repo.revision().await?);
    let rotated = KeyRecord { hash: [77; 32], hint: "ig-…new".to_owned(), updated_at_ms: 7_002, ..disabled };
    equal("rotation is stored", &repo.get_by_name(&rotated.name).await?, &Some(rotated.clone()))?;
    repo.delete(&rotated.id).await?;
    seen.push(repo.revision().await?);
    equal("deletion is stored", &repo.list().await?, &vec![second])?;
    let mut distinct = seen.clone();
    distinct.dedup();
    equal("every change changes the revision", &distinct, &seen)?;
    let absent = |error: &StoreError| matches!(error, StoreError::NotFound { .. });
    refused("disable of nothing", repo.set_enabled("nothing", true, 1).await, absent)?;
    refused("rotation of nothing", repo.rotate("nothing", [1; 32], "x", 1).await, absent)?;
    refused("deletion of nothing", repo.delete("nothing").await, absent)
}

/// Checks a [`UsageSink`] with the [`UsageRepo`] of the same store.
///
/// # Errors
/// The first broken promise.
pub async fn usage(sink: &dyn UsageSink, repo: &dyn UsageRepo) -> Outcome {
    let all = UsageFilter::default();
    equal("an empty batch stores nothing", &sink.append_batch(&[]).await?, &0)?;
    equal("an empty store has empty totals", &repo.totals(&all).await?, &UsageTotals::default())?;
    let records: Vec<_> = (0..300).map(sample_usage).collect();
    equal("a batch is new", &sink.append_batch(&records).await?, &300)?;
    equal("the same batch again is not", &sink.append_batch(&records).await?, &0)?;
    let twice = [sample_usage(300), sample_usage(300), sample_usage(5)];
    equal("a repetition inside a batch counts once", &sink.append_batch(&twice).await?, &1)?;
    let changed = UsageRecord { provider: "other".to_owned(), ..sample_usage(5) };
    equal("an attempt is settled once", &sink.append_batch(&[changed]).await?, &0)?;
    equal("count", &repo.count(&all).await?, &301)?;
    let newest_first: Vec<_> = (0..=300).rev().map(sample_usage).collect();
    equal("records come back whole, newest first", &repo.recent(1_000, &all).await?, &newest_first)?;
    equal("the limit holds", &repo.recent(3, &all).await?, &newest_first.iter().take(3).cloned().collect::<Vec<_>>())?;
    equal("no records wanted, none given", &repo.recent(0, &all).await?, &Vec::new())?;
    let mut totals = UsageTotals { records: 301, ..UsageTotals::default() };
    for record in &newest_first {
        totals.usage.add(&record.usage);
        totals.events_delivered += record.events_delivered;
        totals.bytes_delivered += record.bytes_delivered;
    }
    equal("totals", &repo.totals(&all).await?, &totals)?;
    usage_extremes(sink, repo).await?;
    usage_filters(sink, repo).await?;
    usage_retention(repo).await
}

async fn usage_extremes(sink: &dyn UsageSink, repo: &dyn UsageRepo) -> Outcome {
    let mut records = Vec::new();
    for (position, end) in EndReason::ALL.into_iter().enumerate() {
        let provenance = UsageProvenance::ALL.get(position % 4).copied().unwrap_or_default();
        records.push(UsageRecord {
            attempt_id: format!("extreme-{position}"),
            request_id: "extreme".to_owned(),
            at_ms: 9_000_000_000_000 - i64::try_from(position).unwrap_or(0),
            usage: UsageTokens { output_text: i64::MAX as u64, ..UsageTokens::default() },
            end,
            usage_provenance: provenance,
            status: u16::MAX,
            upstream_status: Some(u16::MAX),
            ..UsageRecord::default()
        });
    }
    equal("extreme values are stored", &sink.append_batch(&records).await?, &records.len())?;
    let only = UsageFilter { request_id: Some("extreme".to_owned()), ..UsageFilter::default() };
    equal("extreme values come back", &repo.recent(100, &only).await?, &records)?;
    holds("a sum beyond the range does not fail", repo.totals(&only).await?.usage.output_text >= i64::MAX as u64)
}

async fn usage_filters(sink: &dyn UsageSink, repo: &dyn UsageRepo) -> Outcome {
    let failed = UsageRecord {
        attempt_id: "filter".to_owned(),
        request_id: "filter".to_owned(),
        provider: "slow".to_owned(),
        requested_model: "big".to_owned(),
        status: 504,
        end: EndReason::Timeout,
        ..sample_usage(1_000)
    };
    sink.append_batch(std::slice::from_ref(&failed)).await?;
    let any = UsageFilter::default;
    let filters = [
        UsageFilter { key_id: Some("key-1".to_owned()), ..any() },
        UsageFilter { provider: Some("slow".to_owned()), ..any() },
        UsageFilter { requested_model: Some("big".to_owned()), ..any() },
        UsageFilter { request_id: Some("filter".to_owned()), ..any() },
        UsageFilter { status: Some(504), ..any() },
        UsageFilter { end: Some(EndReason::Timeout), ..any() },
        UsageFilter { from_ms: Some(failed.at_ms), ..any() },
        UsageFilter { until_ms: Some(failed.at_ms), ..any() },
        UsageFilter { provider: Some("slow".to_owned()), end: Some(EndReason::Completed), ..any() },
        UsageFilter { provider: Some("' OR 1=1 --".to_owned()), ..any() },
    ];
    let everything = repo.recent(10_000, &any()).await?;
    for filter in filters {
        let wanted: Vec<_> = everything.iter().filter(|record| filter.matches(record)).cloned().collect();
        equal("a filter selects what it says", &repo.recent(10_000, &filter).await?, &wanted)?;
        equal("a filter counts what it selects", &repo.count(&filter).await?, &(wanted.len() as u64))?;
        equal("a filter sums what it selects", &repo.totals(&filter).await?.records, &(wanted.len() as u64))?;
    }
    Ok(())
}

async fn usage_retention(repo: &dyn UsageRepo) -> Outcome {
    let before = repo.count(&UsageFilter::default()).await?;
    let limit_ms = sample_usage(10).at_ms;
    equal("deletion keeps to its limit", &repo.delete_before(limit_ms, 4).await?, &4)?;
    let left = repo.count(&UsageFilter { until_ms: Some(sample_usage(4).at_ms), ..UsageFilter::default() }).await?;
    equal("the oldest go first", &left, &0)?;
    equal("deletion ends at its time", &repo.delete_before(limit_ms, 100).await?, &6)?;
    equal("nothing is left before that time", &repo.delete_before(limit_ms, 100).await?, &0)?;
    equal("the rest stays", &repo.count(&UsageFilter::default()).await?, &(before - 10))
}

/// Checks a [`ConfigRepo`].
///
/// # Errors
/// The first broken promise.
pub async fn config_repo(repo: &dyn ConfigRepo) -> Outcome {
    equal("an unknown document is none", &repo.get("routes").await?, &None)?;
    let before = repo.config_revision().await?;
    equal("the first write is revision 1", &repo.put("routes", "a: ü", Some(0), 5).await?, &1)?;
    holds("a write changes the revision", repo.config_revision().await? != before)?;
    let stale = |error: &StoreError| matches!(error, StoreError::RevisionMismatch { found: 1, .. });
    refused("a second creation is stale", repo.put("routes", "b", Some(0), 6).await, stale)?;
    equal("a write on top of the read one", &repo.put("routes", "c", Some(1), 7).await?, &2)?;
    equal("an unconditional write", &repo.put("routes", "d", None, 8).await?, &3)?;
    let missing = |error: &StoreError| matches!(error, StoreError::RevisionMismatch { found: 0, .. });
    refused("a change of nothing", repo.put("other", "x", Some(4), 9).await, missing)?;
    let stored = repo.get("routes").await?.map(|document| (document.body, document.revision, document.updated_at_ms));
    equal("the last write stays", &stored, &Some(("d".to_owned(), 3, 8)))
}
