//! Mock providers: as a command, and inside the gateway.

use std::collections::HashMap;

use anyhow::{Context as _, anyhow};
use clap::Args;
use gw_mock::{MockServer, MockService, Settings};

use crate::cli;

/// `irongate mock`.
#[derive(Debug, Args)]
pub(crate) struct MockArgs {
    /// Address to listen on.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9090")]
    listen: String,
    /// Behaviour of every answer, for example `delay=50ms;chunks=20`; a request overrides it with header x-mock.
    #[arg(long, value_name = "OPTIONS")]
    options: Option<String>,
}

/// Runs the mock providers until interrupted.
pub(crate) async fn run(args: MockArgs) -> anyhow::Result<()> {
    let mut settings = Settings::default();
    if let Some(options) = &args.options {
        settings.behaviour = gw_mock::Behaviour::parse(options).map_err(|fault| anyhow!("--options: {fault}"))?;
    }
    let listener = tokio::net::TcpListener::bind(&args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    cli::say(&format!("mock providers listening on http://{}", listener.local_addr()?));
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    gw_mock::serve(listener, MockService::new(settings), stop).await.context("the mock providers failed")
}

/// Mock providers inside the gateway, one per set of options; they live as long as the process.
#[derive(Default)]
pub(crate) struct MockPool {
    servers: HashMap<String, MockServer>,
}

impl MockPool {
    /// Address of a mock provider that behaves as the options say (name to JSON text).
    pub(crate) async fn url<'o>(
        &mut self,
        options: impl IntoIterator<Item = (&'o String, &'o String)>,
    ) -> anyhow::Result<String> {
        let mut settings = Settings::default();
        let mut identity = String::new();
        for (name, json) in options {
            let value = json.trim().trim_matches('"');
            settings.behaviour.apply(name, value).map_err(|fault| anyhow!("option '{name}': {fault}"))?;
            identity.push_str(&format!("{name}={value};"));
        }
        if let Some(server) = self.servers.get(&identity) {
            return Ok(server.url());
        }
        let server = MockServer::start(settings).await.context("the mock provider could not start")?;
        let url = server.url();
        self.servers.insert(identity, server);
        Ok(url)
    }
}
