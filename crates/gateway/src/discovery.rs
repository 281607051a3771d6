//! Models of providers whose configuration names none: their own model lists, asked for when a client lists models, so
//! that `GET /v1/models` shows what can be used. No other request waits for it.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use arc_swap::ArcSwap;
use gw_core::Operation;
use gw_pipeline::{ModelSource, Pieces, ProviderEntry, Snapshot, Transport};
use gw_spi::{Framing, ModelCard, UpstreamCall};
use gw_wire::{Document, Limits};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Limited};
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A fetched list counts for this long.
const KEPT: Duration = Duration::from_secs(300);
/// A provider that does not answer in this time has no list this time.
const PATIENCE: Duration = Duration::from_secs(4);
const LARGEST_LIST: usize = 8 * 1024 * 1024;
/// Models taken from one list.
const MOST_MODELS: usize = 2_000;

/// Asks providers for their models when somebody lists models, and remembers the answers.
pub(crate) struct Discovery {
    transport: Transport,
    cards: ArcSwap<Vec<ModelCard>>,
    /// When the providers of which snapshot were asked. The lock makes callers wait for one round of questions.
    asked: Mutex<Option<(Instant, Weak<Snapshot>)>>,
}

impl Discovery {
    pub(crate) fn new(transport: Transport) -> Self {
        Self { transport, cards: ArcSwap::default(), asked: Mutex::new(None) }
    }

    async fn ask(&self, snapshot: &Arc<Snapshot>) {
        let mut asked = self.asked.lock().await;
        let current = |(at, of): &(Instant, Weak<Snapshot>)| {
            at.elapsed() < KEPT && of.upgrade().is_some_and(|of| Arc::ptr_eq(&of, snapshot))
        };
        if asked.as_ref().is_some_and(current) {
            return;
        }
        let fetches = unlisted(snapshot).map(|provider| async move {
            match tokio::time::timeout(PATIENCE, fetch(&self.transport, provider)).await {
                Ok(Ok(names)) => names.into_iter().map(|name| card(provider, &name)).collect(),
                Ok(Err(fault)) => told(provider, &format!("{fault:#}")),
                Err(_) => told(provider, "no answer in time"),
            }
        });
        let cards: Vec<Vec<ModelCard>> = futures_util::future::join_all(fetches).await;
        self.cards.store(Arc::new(cards.into_iter().flatten().collect()));
        *asked = Some((Instant::now(), Arc::downgrade(snapshot)));
    }
}

impl ModelSource for Discovery {
    fn known(&self) -> Arc<Vec<ModelCard>> {
        self.cards.load_full()
    }

    fn refresh<'s>(&'s self, snapshot: &'s Arc<Snapshot>) -> Pin<Box<dyn Future<Output = ()> + Send + 's>> {
        Box::pin(self.ask(snapshot))
    }
}

fn told(provider: &ProviderEntry, why: &str) -> Vec<ModelCard> {
    tracing::info!(provider = %provider.name, reason = why, "a provider's model list could not be fetched; its models work without it");
    Vec::new()
}

/// Providers of which no model is listed yet.
fn unlisted(snapshot: &Snapshot) -> impl Iterator<Item = &Arc<ProviderEntry>> {
    let listed = |provider: &ProviderEntry| snapshot.catalogue().iter().any(|card| *card.owner == *provider.name);
    snapshot.providers().iter().filter(move |provider| !listed(provider))
}

fn card(provider: &ProviderEntry, name: &str) -> ModelCard {
    let capabilities = provider.provider.capabilities(name);
    ModelCard {
        id: format!("{}/{name}", provider.name),
        owner: provider.name.as_ref().to_owned(),
        display_name: None,
        max_output: capabilities.max_output,
        context: capabilities.context,
        created: gw_pipeline::now_ms() / 1_000,
    }
}

async fn fetch(transport: &Transport, entry: &ProviderEntry) -> anyhow::Result<Vec<String>> {
    let provider = entry.provider.as_ref();
    let ways = provider.speaks(Operation::ListModels, "");
    let way = ways.first().context("it has no model list")?;
    let call = UpstreamCall {
        operation: Operation::ListModels,
        dialect: way.dialect,
        model: "",
        stream: false,
        framing: Framing::Json,
        native_path: None,
        method: &Method::GET,
    };
    let prepared = provider.prepare(&call).map_err(|fault| anyhow!("{fault}"))?;
    let mut request = Request::new(Pieces::default());
    *request.uri_mut() = prepared.uri;
    *request.headers_mut() = prepared.headers;
    let response = transport.send(request).await.map_err(|fault| anyhow!("{fault}"))?;
    if !response.status().is_success() {
        bail!("it answered {}", response.status());
    }
    let body = Limited::new(response.into_body(), LARGEST_LIST).collect().await.map_err(|fault| anyhow!("{fault}"))?;
    names(&body.to_bytes())
}

/// Names in any of the usual shapes: `data[].id` (OpenAI, Anthropic) or `models[].name` (Gemini, as `models/<name>`).
fn names(body: &[u8]) -> anyhow::Result<Vec<String>> {
    let document = Document::from_bytes(body, Limits::default())?;
    let root = document.root();
    let named = |list: &str, field: &str| -> Vec<String> {
        let items = root.get(list).into_iter().flat_map(|list| list.items());
        let names = items.filter_map(|item| item.get(field)?.string());
        names.map(|name| name.strip_prefix("models/").unwrap_or(&name).to_owned()).take(MOST_MODELS).collect()
    };
    let found = named("data", "id");
    Ok(if found.is_empty() { named("models", "name") } else { found })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn both_shapes_of_lists_are_read() {
        assert_eq!(names(br#"{"data":[{"id":"a"},{"id":"b/c"},{"x":1}]}"#).unwrap(), ["a", "b/c"]);
        assert_eq!(names(br#"{"models":[{"name":"models/g"}]}"#).unwrap(), ["g"]);
        assert!(names(b"<html>").is_err());
        assert!(names(b"{}").unwrap().is_empty());
    }
}
