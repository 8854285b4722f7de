//! Names as Rust writes them.

/// `ExecuteStep` and `execute-step` as `execute_step`.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let mut before = None;
    for letter in name.chars() {
        if letter.is_uppercase() && before.is_some_and(|before: char| before.is_lowercase() || before.is_ascii_digit())
        {
            snake.push('_');
        }
        snake.extend(if letter.is_alphanumeric() { letter } else { '_' }.to_lowercase());
        before = Some(letter);
    }
    snake
}

/// `on_updated` as `OnUpdated`.
pub(super) fn camel_case(name: &str) -> String {
    name.trim_start_matches("r#").split('_').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_their_case() {
        let snakes =
            ["process_data", "ExecuteStep", "execute-step", "NotifyChange", "put2Disk", "HTTP"].map(snake_case);
        assert_eq!(snakes, ["process_data", "execute_step", "execute_step", "notify_change", "put2_disk", "http"]);
        assert_eq!(["on_updated", "sweep", "_a__b"].map(camel_case), ["OnUpdated", "Sweep", "AB"]);
    }
}
