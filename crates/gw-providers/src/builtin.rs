//! The kinds that come with the gateway: one folder of data each.

/// Base URL that stands for the server inside the process.
pub(crate) const IN_PROCESS: &str = "mock://local";

macro_rules! folders {
    ($($folder:literal),+ $(,)?) => {
        &[$((
            include_str!(concat!($folder, "/profile.toml")),
            include_str!(concat!($folder, "/models.toml")),
        )),+]
    };
}

/// `profile.toml` and `models.toml` of every folder. `openai-compatible` comes first: others extend it.
pub(crate) const FOLDERS: &[(&str, &str)] = folders![
    "openai-compatible",
    "anthropic",
    "baichuan",
    "cerebras",
    "cohere",
    "deepseek",
    "fireworks",
    "gemini",
    "groq",
    "hunyuan",
    "lmstudio",
    "mistral",
    "mock",
    "moonshot",
    "nvidia",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "qianfan",
    "qwen",
    "siliconflow",
    "together",
    "vllm",
    "xai",
    "zhipu",
];

#[cfg(test)]
mod tests {
    use super::FOLDERS;
    use crate::profile::Profile;

    #[test]
    fn every_folder_is_listed_under_its_own_kind() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders: Vec<String> = std::fs::read_dir(source)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().join("profile.toml").is_file())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        folders.sort();
        let mut kinds: Vec<String> = FOLDERS
            .iter()
            .map(|(profile, models)| Profile::from_folder(profile, models).unwrap().kind().to_owned())
            .collect();
        kinds.sort();
        assert_eq!(kinds, folders, "add the missing folder to FOLDERS in src/builtin.rs");
    }
}
