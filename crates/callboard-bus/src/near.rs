//! The known name that somebody probably meant. Pure.

/// A longer name is not compared: the cost of comparing grows with the square of the length.
const LONGEST: usize = 64;

/// The known name nearest to `name`, if it is near enough to be a slip of the fingers: a third of the letters wrong at
/// most, by the distance of optimal string alignment. Of equally near ones, the first.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    if name.len() > LONGEST {
        return None;
    }
    let most = (name.chars().count() / 3).max(1);
    let distances =
        known.into_iter().filter(|other| other.len() <= LONGEST).map(|other| (distance(name, other), other));
    let (least, best) = distances.min_by_key(|(distance, _)| *distance)?;
    (least <= most).then(|| best.to_owned())
}

/// The same name in other case is as near as can be.
fn distance(name: &str, other: &str) -> usize {
    if name.eq_ignore_ascii_case(other) { 0 } else { strsim::osa_distance(name, other) }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_is_seen_and_another_word_is_not() {
        let known = ["depends_on", "handler", "when"];
        assert_eq!(nearest("depend_on", known).as_deref(), Some("depends_on"));
        assert_eq!(nearest("HANDLER", known).as_deref(), Some("handler"));
        assert_eq!(nearest("wehn", known).as_deref(), Some("when"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"w".repeat(100), known), None);
    }
}
