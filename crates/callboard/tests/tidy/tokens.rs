//! Rust source as tokens: a comment is none, and what stands in a documentation comment is one
//! text, so that only code is seen.

use crate::tree::{read, shown};
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use std::path::Path;

/// All words of the code that are no texts, in their order.
pub(crate) fn idents(path: &Path) -> Vec<Ident> {
    let tokens = flat(tokens(path)).into_iter();
    tokens.filter_map(as_ident).collect()
}

/// What stands in the brackets of each `#[..]` and `#![..]`.
pub(crate) fn attributes(path: &Path) -> Vec<Group> {
    let tokens = flat(tokens(path));
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        if group.delimiter() == Delimiter::Bracket && opens_attribute(&tokens[..i]) {
            found.push(group.clone());
        }
    }
    found
}

/// Whether the word stands anywhere in the group.
pub(crate) fn mentions(group: &Group, word: &str) -> bool {
    let mut words = flat(group.stream()).into_iter().filter_map(as_ident);
    words.any(|ident| ident == word)
}

/// The names that the `use` items of a file bring; none of them may be renamed but to `_`.
pub(crate) fn used_names(path: &Path) -> Vec<String> {
    let tokens = flat(tokens(path));
    let mut names = Vec::new();
    let mut inside = false;
    for (i, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if ident == "use" => inside = true,
            TokenTree::Ident(ident) if inside && is_name(ident, tokens.get(i + 1)) => names.push(ident.to_string()),
            TokenTree::Punct(punct) if punct.as_char() == ';' => inside = false,
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Group(_) | TokenTree::Literal(_) => {}
        }
    }
    names
}

/// Whether it can be written by whoever takes the import: no part of a path, not what is renamed, and not `as _`.
fn is_name(ident: &Ident, next: Option<&TokenTree>) -> bool {
    let is_renamed = matches!(next, Some(TokenTree::Ident(next)) if next == "as");
    !is_sign(next, ':') && !is_renamed && ident != "as" && ident != "_"
}

/// `file:line` of a token.
pub(crate) fn at(path: &Path, span: Span) -> String {
    format!("{}:{}", shown(path), span.start().line)
}

fn opens_attribute(before: &[TokenTree]) -> bool {
    let last = before.last();
    let last_but_one = before.iter().rev().nth(1);
    is_sign(last, '#') || (is_sign(last, '!') && is_sign(last_but_one, '#'))
}

fn is_sign(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn as_ident(token: TokenTree) -> Option<Ident> {
    match token {
        TokenTree::Ident(ident) => Some(ident),
        TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    }
}

/// All tokens in their order; a group stands before what is in it.
fn flat(tokens: TokenStream) -> Vec<TokenTree> {
    let mut all = Vec::new();
    for token in tokens {
        let inner = match &token {
            TokenTree::Group(group) => flat(group.stream()),
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
        };
        all.push(token);
        all.extend(inner);
    }
    all
}

fn tokens(path: &Path) -> TokenStream {
    let parsed = read(path).parse();
    parsed.unwrap_or_else(|error| panic!("{}: {error}", shown(path)))
}
