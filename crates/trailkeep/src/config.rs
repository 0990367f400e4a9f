//! The configuration: a file with raw settings, resolved once into what the parts take.

mod raw;
mod read;
mod resolve;
mod size;

pub(crate) use self::{
    raw::{LogFormat, RawConfig},
    read::read,
    resolve::{Config, Listen, resolve},
    size::Size,
};

/// The commented file with every default.
pub(crate) const COMMENTED: &str = include_str!("../../../config/trailkeep.toml");

#[cfg(test)]
mod tests {
    use super::*;

    /// STYLE 26: the commented file is the default, and names every key.
    #[test]
    fn commented_file_is_the_default_and_complete() {
        let parsed: RawConfig = toml::from_str(COMMENTED).unwrap();
        assert_eq!(parsed, RawConfig::default());
        let keys = toml::Value::try_from(RawConfig::full()).unwrap();
        for (section, keys) in keys.as_table().unwrap() {
            let start = COMMENTED.find(&format!("\n[{section}]\n")).expect(section);
            let text = COMMENTED.get(start + 2..).unwrap();
            let text = text.split("\n[").next().unwrap();
            for key in keys.as_table().unwrap().keys() {
                let named =
                    |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
                assert!(text.lines().any(named), "[{section}] lacks {key}");
            }
        }
    }

    #[test]
    fn defaults_resolve() {
        let config = resolve(&RawConfig::default()).unwrap();
        assert_eq!(config.store.seal_bytes, 64 << 20);
        assert!(matches!(config.listen, Listen::Plain));
    }
}
