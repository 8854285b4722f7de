//! The names of modules, operations and events, checked where they are written. The grammar is that of the bus, which
//! checks what only comes to be at run time; a test of the bus holds both to it.

/// The longest name of a module or an operation, in bytes.
const LONGEST: usize = 128;

/// The longest name or pattern of events, in bytes.
const LONGEST_TOPIC: usize = 255;

/// The most tokens of a name or pattern of events.
const MOST_TOKENS: usize = 16;

type Checked = Result<(), String>;

/// The name of a module: one or more names with dots between them.
pub(crate) fn check_module(name: &str) -> Checked {
    check_length(name)?;
    name.split('.').try_for_each(check_operation)
}

/// The name of an operation.
pub(crate) fn check_operation(name: &str) -> Checked {
    check_length(name)?;
    if name.is_empty() {
        return Err("an empty name".to_owned());
    }
    if name.starts_with('$') {
        return Err(format!("`{name}` begins with `$`, as the names of the system do"));
    }
    let bad = |letter: char| letter.is_whitespace() || letter.is_control() || ".*?#>@".contains(letter);
    match name.chars().find(|&letter| bad(letter)) {
        Some(letter) => Err(format!("`{name}` has {letter:?} in it, which no name has")),
        None => Ok(()),
    }
}

/// `module.operation`, or `module.operation@requirement`.
pub(crate) fn check_address(address: &str) -> Checked {
    let (name, requirement) = address.split_once('@').map_or((address, None), |(name, rest)| (name, Some(rest)));
    let Some((module, operation)) = name.rsplit_once('.') else {
        return Err(format!("`{address}` has no dot: an operation is named `module.operation`"));
    };
    check_module(module)?;
    check_operation(operation)?;
    requirement.map_or(Ok(()), check_requirement)
}

/// A semantic version.
pub(crate) fn check_version(version: &str) -> Checked {
    semver::Version::parse(version).map(drop).map_err(|error| format!("`{version}` is no version: {error}"))
}

/// The name of an event, which anybody may publish.
pub(crate) fn check_topic(name: &str) -> Checked {
    if let Some(wildcard) = name.chars().find(|letter| "*?>".contains(*letter)) {
        return Err(format!("`{name}` has the wildcard `{wildcard}`: an event has one name"));
    }
    if name.starts_with('$') {
        return Err(format!("`{name}` is reserved for the system: begin the name without `$`"));
    }
    check_pattern(name)
}

/// The name of a channel.
pub(crate) fn check_channel(name: &str) -> Checked {
    check_length(name)?;
    if name.is_empty() {
        return Err("an empty name".to_owned());
    }
    if name.starts_with('$') {
        return Err(format!("`{name}` is reserved for the system: begin the name without `$`"));
    }
    let bad = |letter: char| letter.is_whitespace() || letter.is_control() || "*?>".contains(letter);
    match name.chars().find(|&letter| bad(letter)) {
        Some(letter) => Err(format!("`{name}` has {letter:?} in it, which no channel has")),
        None => Ok(()),
    }
}

/// Which events are heard.
pub(crate) fn check_pattern(pattern: &str) -> Checked {
    let tokens: Vec<&str> = pattern.split('.').collect();
    if pattern.len() > LONGEST_TOPIC || tokens.len() > MOST_TOKENS {
        return Err(format!("more than {LONGEST_TOPIC} bytes or {MOST_TOKENS} tokens"));
    }
    for (place, token) in tokens.iter().enumerate() {
        check_token(pattern, token, place == 0, place + 1 == tokens.len())?;
    }
    Ok(())
}

fn check_token(pattern: &str, token: &str, is_first: bool, is_last: bool) -> Checked {
    if token.is_empty() {
        return Err(format!(
            "`{pattern}` lacks a token: write tokens with one dot between them, like `orders.created`"
        ));
    }
    if token == ">" {
        let told = || format!("`{pattern}` has `>` before its end: it stands for all that follows");
        return if is_last { Ok(()) } else { Err(told()) };
    }
    if token.contains("**") {
        return Err(format!("`{pattern}` has `**`: write `*` within one token, or `>` for all that follow"));
    }
    let word = if is_first { token.strip_prefix('$').unwrap_or(token) } else { token };
    if word.is_empty() {
        return Err(format!("`{pattern}` has a `$` that nothing follows"));
    }
    let good = |letter: char| letter.is_ascii_alphanumeric() || "_-*?".contains(letter);
    match word.chars().find(|&letter| !good(letter)) {
        Some(letter) => {
            Err(format!("`{pattern}` has {letter:?}: a token has letters, digits, `_` and `-`, and `*` or `?`"))
        }
        None => Ok(()),
    }
}

fn check_length(name: &str) -> Checked {
    if name.len() > LONGEST { Err(format!("a name of more than {LONGEST} bytes")) } else { Ok(()) }
}

fn check_requirement(requirement: &str) -> Checked {
    if requirement.trim().is_empty() {
        return Err("nothing follows the `@`".to_owned());
    }
    let read = semver::VersionReq::parse(requirement);
    read.map(drop).map_err(|error| format!("`{requirement}` is no version requirement: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_name_is_held_to_its_grammar() {
        let told = |checked: Checked| checked.err().unwrap_or_default();
        assert_eq!(check_module("lab.storage"), Ok(()));
        assert_eq!(told(check_module("lab storage")), "`lab storage` has ' ' in it, which no name has");
        assert_eq!(told(check_operation("a.b")), "`a.b` has '.' in it, which no name has");
        assert_eq!(told(check_operation("")), "an empty name");
        assert_eq!(check_address("lab.storage.put@^1.2"), Ok(()));
        assert_eq!(told(check_address("put")), "`put` has no dot: an operation is named `module.operation`");
        assert_eq!(told(check_address("a.b@")), "nothing follows the `@`");
        assert!(told(check_version("one")).starts_with("`one` is no version: "));
        assert_eq!(check_channel("Configuration.v2"), Ok(()));
        assert_eq!(told(check_channel("a b")), "`a b` has ' ' in it, which no channel has");
        assert_eq!(check_pattern("lab.LabStep*"), Ok(()));
        assert_eq!(check_pattern("orders.>"), Ok(()));
        assert_eq!(told(check_pattern("a.>.b")), "`a.>.b` has `>` before its end: it stands for all that follows");
        assert!(told(check_pattern("a..b")).starts_with("`a..b` lacks a token"));
        assert!(told(check_topic("orders.*")).contains("an event has one name"));
        assert!(told(check_topic("$sys.over")).contains("reserved for the system"));
    }
}
