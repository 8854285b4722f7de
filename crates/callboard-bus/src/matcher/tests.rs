use std::sync::atomic::{AtomicUsize, Ordering};

use bolero::{check, produce};

use super::*;

/// Names and patterns of few letters, so that they meet.
const NAMES: &[&str] = &["a", "b", "ab", "ba", "aab"];
const TOKENS: &[&str] = &["a", "b", "ab", "*", "a*", "*b", "?", "a?", "?*"];

/// What a name or a pattern is made of: whether it is marked, its tokens, and how a pattern ends.
type Draft = (bool, [u8; 3], u8);

fn topic(draft: &Draft) -> Topic {
    text(draft, NAMES).parse().unwrap()
}

fn pattern(draft: &Draft) -> Pattern {
    let text = match draft.2 % 8 {
        0 => ">".to_owned(),
        1 | 2 => format!("{}.>", text(draft, TOKENS)),
        _ => text(draft, TOKENS),
    };
    text.parse().unwrap()
}

/// One token to three.
fn text((marked, places, end): &Draft, tokens: &[&str]) -> String {
    let tokens: Vec<_> = places.iter().map(|place| tokens[usize::from(*place) % tokens.len()]).collect();
    let length = 1 + usize::from(end / 8) % tokens.len();
    format!("{}{}", if *marked { "$" } else { "" }, tokens[..length].join("."))
}

/// What a matcher is to equal: the patterns of all values.
type Model = Vec<(Pattern, u64)>;

fn equal(matcher: &Matcher<u64>, model: &Model, topics: &[Topic]) {
    let mut all = Vec::new();
    matcher.for_each(&mut |number| all.push(*number));
    all.sort_unstable();
    assert!(all.iter().eq(model.iter().map(|(_, number)| number)));
    assert_eq!(matcher.len(), model.len());
    for topic in topics {
        let mut found: Vec<u64> = matcher.find(topic).into_iter().copied().collect();
        found.sort_unstable();
        let wanted = model.iter().filter(|(pattern, _)| pattern.matches(topic)).map(|(_, number)| *number);
        assert_eq!(found, wanted.collect::<Vec<_>>(), "{topic}");
    }
}

/// F-EVT-03: it finds what looking at each pattern finds, after any changes; one from before does not change; and what
/// is taken out leaves nothing behind. A fuzz target.
#[test]
fn a_matcher_equals_a_list() {
    let steps = produce::<Vec<(bool, Draft, usize)>>().with().len(1usize..40);
    let topics = produce::<Vec<Draft>>().with().len(1usize..8);
    check!().with_iterations(500).with_generator((steps, topics)).for_each(|(steps, topics)| {
        let (mut matcher, mut model) = (Matcher::default(), Model::new());
        let mut before = (matcher.clone(), model.clone());
        for (number, (adds, draft, at)) in (0..).zip(steps) {
            if number == 20 {
                before = (matcher.clone(), model.clone());
            }
            if *adds || model.is_empty() {
                let pattern = pattern(draft);
                matcher = matcher.with(&pattern, number, number);
                model.push((pattern, number));
            } else {
                let (pattern, number) = model.remove(at % model.len());
                matcher = matcher.without(&pattern, number).unwrap();
                assert!(matcher.without(&pattern, number).is_none());
            }
        }
        let topics: Vec<_> = topics.iter().map(topic).collect();
        equal(&matcher, &model, &topics);
        equal(&before.0, &before.1, &topics);
        let left = model.iter().fold(matcher, |left, (pattern, number)| left.without(pattern, *number).unwrap());
        assert!(left.root.is_empty() && left.len() == 0);
    });
}

#[test]
fn values_of_a_pattern_come_in_the_order_of_their_numbers() {
    let pattern = "a.*".parse().unwrap();
    let matcher =
        [3, 1, 2].into_iter().fold(Matcher::default(), |matcher, number| matcher.with(&pattern, number, number));
    assert_eq!(matcher.find(&"a.b".parse().unwrap()), [&1, &2, &3]);
}

/// Counts how often it is copied.
struct Counted<'a>(&'a AtomicUsize);

impl Clone for Counted<'_> {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(self.0)
    }
}

/// How many values are copied while so many come and go, with a reader who holds the matcher from before each time.
fn copies(values: u64, pattern: impl Fn(u64) -> Pattern) -> usize {
    let copied = AtomicUsize::new(0);
    let mut matcher = Matcher::default();
    let mut held = matcher.clone();
    for number in 0..values {
        matcher = matcher.with(&pattern(number), number, Counted(&copied));
        held.clone_from(&matcher);
    }
    for number in 0..values {
        matcher = matcher.without(&pattern(number), number).unwrap();
        held.clone_from(&matcher);
    }
    drop(held);
    copied.into_inner()
}

/// A change costs as much as the length has digits, be it that of one pattern or of all.
#[test]
fn a_change_does_not_copy_what_is_beside_it() {
    assert!(copies(10_000, |_| "a.b".parse().unwrap()) < 10_000 * 2 * 40);
    assert!(copies(1_000, |number| format!("a{number}.b").parse().unwrap()) < 1_000 * 2 * 40);
}
