//! Writes XML: every tag that is opened is closed, and no text can break out of its place. Pure.

use std::fmt::Display;

/// The attributes of a tag.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// A document that grows.
#[derive(Debug, Default)]
pub(super) struct Xml {
    text: String,
    open: Vec<&'static str>,
}

impl Xml {
    /// Opens a tag whose content follows.
    pub(super) fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.begin(tag, attributes);
        self.text.push_str(">\n");
        self.open.push(tag);
    }

    /// Closes the tag that was opened last.
    pub(super) fn close(&mut self) {
        if let Some(tag) = self.open.pop() {
            self.indent();
            self.text.push_str(&format!("</{tag}>\n"));
        }
    }

    /// Writes a tag without content.
    pub(super) fn empty(&mut self, tag: &str, attributes: Attributes<'_>) {
        self.begin(tag, attributes);
        self.text.push_str("/>\n");
    }

    /// Writes a tag that holds only text.
    pub(super) fn text(&mut self, tag: &str, attributes: Attributes<'_>, text: &str) {
        self.begin(tag, attributes);
        self.text.push_str(&format!(">{}</{tag}>\n", escaped(text)));
    }

    /// Closes what is open, and gives the document.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn begin(&mut self, tag: &str, attributes: Attributes<'_>) {
        self.indent();
        self.text.push('<');
        self.text.push_str(tag);
        for (name, value) in attributes {
            self.text.push_str(&format!(" {name}=\"{}\"", escaped(&value.to_string())));
        }
    }

    fn indent(&mut self) {
        self.text.push_str(&"  ".repeat(self.open.len()));
    }
}

/// A number as short as a tenth of a pixel allows.
pub(super) fn number(value: f64) -> String {
    let tenths = format!("{value:.1}");
    let short = tenths.strip_suffix(".0").unwrap_or(&tenths);
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // A reader takes it for a line feed unless it is written by its number.
            '\r' => escaped.push_str("&#13;"),
            allowed if is_allowed(allowed) => escaped.push(allowed),
            _ => escaped.push(char::REPLACEMENT_CHARACTER),
        }
    }
    escaped
}

/// Production 2 (`Char`) of XML 1.0.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_comes_back(text in any::<String>()) {
            let mut xml = Xml::default();
            xml.open("outer", &[]);
            xml.text("inner", &[("name", &text)], &text);
            let written = xml.finish();
            let parsed = roxmltree::Document::parse(&written).unwrap();
            let inner = parsed.descendants().find(|node| node.has_tag_name("inner")).unwrap();
            let allowed: String =
                text.chars().map(|c| if c == '\r' || is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect();
            prop_assert_eq!(inner.text().unwrap_or_default(), &allowed);
            // Readers turn white space in an attribute into spaces.
            prop_assert_eq!(inner.attribute("name").unwrap().replace('\r', " "), allowed.replace(['\t', '\n', '\r'], " "));
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.04, -0.04, 1.0, 2.55, -3.26].map(number), ["0", "0", "1", "2.5", "-3.3"]);
    }
}
