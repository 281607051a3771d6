//! Command line of the harness.

use std::time::Duration;

use crate::samples::Dialect;

/// What to do, with defaults filled in.
#[derive(Debug, Clone)]
pub struct Arguments {
    pub command: String,
    pub listen: String,
    pub target: String,
    pub prefix: String,
    pub dialect: Dialect,
    pub model: String,
    pub key: String,
    pub connections: usize,
    pub measured: Duration,
    pub warmup: Duration,
    pub prompt_bytes: usize,
    pub stream: bool,
    pub chunks: usize,
    pub pids: Vec<u32>,
}

impl Arguments {
    /// Reads `command --name value ...`.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            command: words.next().ok_or("a command is missing")?,
            listen: "127.0.0.1:0".to_owned(),
            target: String::new(),
            prefix: String::new(),
            dialect: Dialect::OpenAi,
            model: "bench".to_owned(),
            key: String::new(),
            connections: 16,
            measured: Duration::from_secs(10),
            warmup: Duration::from_secs(1),
            prompt_bytes: 300,
            stream: false,
            chunks: 100,
            pids: Vec::new(),
        };
        while let Some(name) = words.next() {
            if name == "--stream" {
                arguments.stream = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{name} needs a value"))?;
            arguments.set(&name, value)?;
        }
        Ok(arguments)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        let bad = |what: &str| format!("{name} must be {what}, got `{value}`");
        let whole = || value.parse::<usize>().map_err(|_| bad("a whole number"));
        let seconds = || value.parse::<f64>().map(Duration::from_secs_f64).map_err(|_| bad("a number of seconds"));
        match name {
            "--listen" => self.listen = value,
            "--target" => self.target = value,
            "--prefix" => self.prefix = value,
            "--model" => self.model = value,
            "--key" => self.key = value,
            "--dialect" => {
                self.dialect = Dialect::from_name(&value).ok_or_else(|| bad("openai, anthropic or gemini"))?;
            }
            "--connections" => self.connections = whole()?,
            "--prompt-bytes" => self.prompt_bytes = whole()?,
            "--chunks" => self.chunks = whole()?,
            "--seconds" => self.measured = seconds()?,
            "--warmup" => self.warmup = seconds()?,
            "--pid" => {
                let pids: Result<_, _> = value.split(',').map(str::parse).collect();
                self.pids = pids.map_err(|_| bad("process ids with commas between"))?;
            }
            _ => return Err(format!("unknown argument `{name}`")),
        }
        Ok(())
    }
}
