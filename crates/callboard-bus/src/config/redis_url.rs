//! The address of a Redis server. Pure; it connects to nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Stands where a password was.
const HIDDEN: &str = "***";
const SCHEMES: [&str; 2] = ["redis://", "rediss://"];

/// The address of a Redis server. Neither its text nor its debug output nor its JSON holds the password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

/// A text that is no address of a Redis server. It says what is wrong without the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedisUrlError {
    /// It begins with neither of the two schemes.
    #[error("begins with neither redis:// nor rediss://")]
    Scheme,
    /// There is no host, or it has letters that none has.
    #[error("names no host")]
    Host,
    /// The port is no number from 1 to 65535.
    #[error("has a port that is no number from 1 to 65535")]
    Port,
    /// The database is no number.
    #[error("has a database that is no number")]
    Database,
    /// It was copied from where passwords are hidden.
    #[error("has *** for its password, which stands for one that was hidden")]
    Hidden,
}

impl RedisUrl {
    /// The whole address, with the password: for whoever connects.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let rest = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or(RedisUrlError::Scheme)?;
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        check_address(address)?;
        if !database.is_empty() && !is_number(database) {
            return Err(RedisUrlError::Database);
        }
        if user.ends_with(HIDDEN) {
            return Err(RedisUrlError::Hidden);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hide_password(&self.0))
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

impl Serialize for RedisUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RedisUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| de::Error::custom(format_args!("this address {error}")))
    }
}

/// The same address without its password; of a text that is none, without anything before its last `@`.
pub(super) fn hide_password(text: &str) -> String {
    let Some((before, address)) = text.rsplit_once('@') else { return text.to_owned() };
    let known = SCHEMES.iter().find_map(|scheme| Some((scheme, before.strip_prefix(scheme)?.split_once(':')?.0)));
    match known {
        Some((scheme, user)) => format!("{scheme}{user}:{HIDDEN}@{address}"),
        None => format!("{HIDDEN}@{address}"),
    }
}

/// `host`, `host:port`, or either with an address in brackets for the host.
fn check_address(address: &str) -> Result<(), RedisUrlError> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(RedisUrlError::Host)?,
        None => address.split_at(address.find(':').unwrap_or(address.len())),
    };
    let is_of_host = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '.' | '_' | ':' | '%');
    if host.is_empty() || !host.chars().all(is_of_host) {
        return Err(RedisUrlError::Host);
    }
    match port.strip_prefix(':') {
        Some(port) if is_number(port) && port.parse::<u16>().is_ok_and(|port| port > 0) => Ok(()),
        None if port.is_empty() => Ok(()),
        _ => Err(RedisUrlError::Port),
    }
}

/// The parser of numbers takes a sign, which none of these has.
fn is_number(text: &str) -> bool {
    text.len() <= 5 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_taken_and_anything_else_says_why_not() {
        for text in [
            "redis://localhost:6379",
            "redis://localhost",
            "redis://localhost/",
            "rediss://user:pa:ss@10.0.0.1:6380/15",
            "redis://:secret@redis.example.org",
            "redis://[::1]:6379/0",
        ] {
            assert_eq!(text.parse::<RedisUrl>().map(|url| url.expose().to_owned()).as_deref(), Ok(text));
        }
        let faults = [
            ("localhost:6379", RedisUrlError::Scheme),
            ("http://localhost", RedisUrlError::Scheme),
            ("redis://", RedisUrlError::Host),
            ("redis://:6379", RedisUrlError::Host),
            ("redis://a b", RedisUrlError::Host),
            ("redis://[::1", RedisUrlError::Host),
            ("redis://localhost:0", RedisUrlError::Port),
            ("redis://localhost:65536", RedisUrlError::Port),
            ("redis://localhost:+1", RedisUrlError::Port),
            ("redis://[::1]6379", RedisUrlError::Port),
            ("redis://localhost/first", RedisUrlError::Database),
            ("redis://localhost/1?x=y", RedisUrlError::Database),
            ("redis://user:***@localhost", RedisUrlError::Hidden),
        ];
        for (text, fault) in faults {
            assert_eq!(text.parse::<RedisUrl>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn no_output_of_an_address_holds_its_password() {
        let url: RedisUrl = "redis://user:secret@localhost:6379/1".parse().unwrap();
        let shown = "redis://user:***@localhost:6379/1";
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("RedisUrl({shown})"));
        assert_eq!(serde_json::to_string(&url).unwrap(), format!("\"{shown}\""));
        let read = serde_json::from_str::<RedisUrl>(&format!("\"{shown}\"")).unwrap_err();
        assert!(read.to_string().contains("stands for one that was hidden"), "{read}");
        // What stands alone before the `@` is a user, but may be meant for a password.
        assert_eq!("redis://secret@localhost".parse::<RedisUrl>().unwrap().to_string(), "***@localhost");
    }

    proptest! {
        /// Also where the text is no address, and with letters in it that an address would have to escape.
        #[test]
        fn a_password_is_never_shown(
            before in "(redis://|rediss://|http://|)",
            user in "[a-z]{0,4}",
            password in "[a-z:@/?#]{0,6}SECRET[a-z:@/?#]{0,6}",
            after in "[a-z0-9:/?]{0,12}",
        ) {
            let text = format!("{before}{user}:{password}@{after}");
            let hidden = hide_password(&text);
            prop_assert!(!hidden.contains("SECRET"), "{}", hidden);
            if let Ok(url) = text.parse::<RedisUrl>() {
                let shown = format!("{url} {url:?}");
                prop_assert!(!shown.contains("SECRET"));
            }
        }
    }
}
