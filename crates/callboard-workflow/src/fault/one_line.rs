//! Text from a file of strangers, printed so that it stays on its line.

use std::fmt::{self, Write};

/// Writes what is written to it with every control character as its escape: a name with a line end in it must not look
/// like a line of the log.
pub(super) struct OneLine<'a, 'f>(pub(super) &'a mut fmt::Formatter<'f>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive(char::is_control) {
            let plain = piece.trim_end_matches(char::is_control);
            self.0.write_str(plain)?;
            write!(self.0, "{}", piece[plain.len()..].escape_debug())?;
        }
        Ok(())
    }
}
