use super::*;

fn fault(text: &str) -> String {
    text.parse::<Topic>().expect_err("it is no name").to_string()
}

#[test]
fn a_name_has_tokens_of_ascii() {
    for text in ["a", "data.batch.received", "Lab-1.step_2.X", "$sys.registry.changed", "0"] {
        assert_eq!(text.parse::<Topic>().unwrap().as_str(), text);
    }
    assert!("$sys.a".parse::<Topic>().unwrap().is_reserved());
    assert_ne!("a".parse::<Topic>(), "A".parse());
}

/// F-EVT-01: a bad name is refused, and the refusal says what and where.
#[test]
fn a_bad_name_says_what_and_where() {
    let token = "write tokens with one dot between them, like `orders.created`";
    assert_eq!(fault(""), format!("\"\" lacks a token at byte 0: {token}"));
    assert_eq!(fault("a..b"), format!("\"a..b\" lacks a token at byte 2: {token}"));
    assert_eq!(fault("a."), format!("\"a.\" lacks a token at byte 2: {token}"));
    assert_eq!(fault("$.a"), format!("\"$.a\" lacks a token at byte 1: {token}"));
    let letters = "a token has letters, digits, `_` and `-`";
    assert_eq!(fault("a.b c"), format!("\"a.b c\" has ' ' at byte 3: {letters}"));
    assert_eq!(fault("a.$b"), format!("\"a.$b\" has '$' at byte 2: {letters}"));
    assert_eq!(fault("$a$"), format!("\"$a$\" has '$' at byte 2: {letters}"));
    assert_eq!(fault("é.\n"), format!("\"é.\\n\" has 'é' at byte 0: {letters}"));
    for (text, at) in [("Module*", 6), ("a.?", 2), ("a.>", 2), (">", 0)] {
        assert_eq!(text.parse::<Topic>(), Err(TopicError::Wildcard { text: text.into(), at }));
    }
}

#[test]
fn a_name_has_an_end() {
    assert!(["a"; 16].join(".").parse::<Topic>().is_ok());
    let many = ["a"; 17].join(".").parse::<Topic>();
    assert!(matches!(many, Err(TopicError::TooManyTokens { tokens: 17, .. })));
    assert!("a".repeat(255).parse::<Topic>().is_ok());
    assert_eq!("a".repeat(256).parse::<Topic>(), Err(TopicError::TooLong { bytes: 256 }));
}

#[test]
fn a_name_is_a_text_in_json() {
    let topic: Topic = serde_json::from_str("\"a.b\"").unwrap();
    assert_eq!(serde_json::to_string(&topic).unwrap(), "\"a.b\"");
    assert!(serde_json::from_str::<Topic>("\"a.*\"").is_err());
}
