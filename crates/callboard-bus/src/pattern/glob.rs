//! Wildcards inside one token: `*` for any characters or none, `?` for one.

/// Whether a token is one of those that `glob` stands for. No wildcard stands for the `$` before a token.
///
/// On a mismatch only the last `*` takes one character more, as an earlier one could gain nothing that the last one
/// cannot; so it takes no stack and at most as many steps as the lengths multiplied.
pub(crate) fn matches(glob: &str, token: &str) -> bool {
    token.starts_with('$') == glob.starts_with('$') && matches_bytes(glob.as_bytes(), token.as_bytes())
}

fn matches_bytes(glob: &[u8], token: &[u8]) -> bool {
    let (mut in_glob, mut in_token) = (0, 0);
    let mut last_star = None;
    while in_token < token.len() {
        match glob.get(in_glob) {
            Some(b'*') => {
                last_star = Some((in_glob, in_token));
                in_glob += 1;
            }
            Some(letter) if *letter == b'?' || *letter == token[in_token] => {
                in_glob += 1;
                in_token += 1;
            }
            _ => {
                let Some((star, taken)) = last_star else { return false };
                last_star = Some((star, taken + 1));
                (in_glob, in_token) = (star + 1, taken + 1);
            }
        }
    }
    glob[in_glob..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    /// What the words say, tried in every way.
    fn naive(glob: &[u8], token: &[u8]) -> bool {
        match (glob.split_first(), token.split_first()) {
            (None, _) => token.is_empty(),
            (Some((b'*', rest)), _) => (0..=token.len()).any(|taken| naive(rest, &token[taken..])),
            (Some((letter, rest)), Some((first, others))) => {
                (*letter == b'?' || letter == first) && naive(rest, others)
            }
            (Some(_), None) => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_glob_equals_its_model(glob in "[ab*?]{0,8}", token in "[ab]{0,10}") {
            prop_assert_eq!(super::matches(&glob, &token), naive(glob.as_bytes(), token.as_bytes()));
        }
    }
}
