//! What `#[module]` says of a name where it is written is what the bus says of it at run time: one grammar, read twice.

// The derives cannot depend on the bus, nor hand out what they are made of.
#[allow(dead_code)]
#[path = "../../../callboard-macros/src/names.rs"]
mod names;

use callboard_bus::{Address, ChannelName, Pattern, Topic};
use proptest::prelude::*;

/// Texts that are names now and then, and otherwise nearly.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        r"[ab.*?>$@_ -]{0,8}",
        r"([a-z]{1,3}\.){0,3}[a-z*?$]{0,3}(@[\^~]?[0-9.]{0,4})?",
        r"([a-z]\.){12,18}[a-z]",
        "[a-z]{120,260}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn both_agree(text in text()) {
        prop_assert_eq!(names::check_address(&text).is_ok(), text.parse::<Address>().is_ok(), "{}", text);
        prop_assert_eq!(names::check_pattern(&text).is_ok(), text.parse::<Pattern>().is_ok(), "{}", text);
        prop_assert_eq!(names::check_channel(&text).is_ok(), text.parse::<ChannelName>().is_ok(), "{}", text);
        let is_free = text.parse::<Topic>().is_ok_and(|topic| !topic.is_reserved());
        prop_assert_eq!(names::check_topic(&text).is_ok(), is_free, "{}", text);
    }
}
