//! The keys of `#[message(..)]`.

use crate::duration;
use std::time::Duration;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Ident, LitStr, Path, Type};

const PRIORITIES: [&str; 5] = ["Critical", "High", "Normal", "Low", "Background"];
const KEYS: &str = "the keys are `reply`, `priority`, `timeout`, `keep` and `crate`";

/// What the attributes of one message type say.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) reply: Option<Type>,
    /// One of the five names, with the place where it was written.
    pub(crate) priority: Option<Ident>,
    pub(crate) timeout: Option<Duration>,
    /// The word `keep` itself, whose place an absent `Clone` is reported at.
    pub(crate) keep: Option<Ident>,
    pub(crate) home: Option<Path>,
}

impl Keys {
    /// Reads every `#[message(..)]` among `attributes`.
    ///
    /// # Errors
    ///
    /// For the first key that is unknown, stands twice, or has a value that is none; the error
    /// points at that key or value.
    pub(crate) fn read(attributes: &[Attribute]) -> syn::Result<Self> {
        let mut keys = Self::default();
        for attribute in attributes {
            if attribute.path().is_ident("message") {
                attribute.parse_nested_meta(|meta| keys.read_one(&meta))?;
            }
        }
        Ok(keys)
    }

    /// The values are read key by key because `Result<A, B>` is a type but no expression, so
    /// that the attribute as a whole is not what `syn` calls a meta item.
    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match key_name(&meta.path).as_str() {
            "reply" => set(&mut self.reply, meta, |meta| meta.value()?.parse()),
            "priority" => set(&mut self.priority, meta, read_priority),
            "timeout" => set(&mut self.timeout, meta, read_timeout),
            "keep" => set(&mut self.keep, meta, |meta| meta.path.require_ident().cloned()),
            "crate" => set(&mut self.home, meta, read_path),
            other => Err(meta.error(format!("unknown key `{other}`; {KEYS}"))),
        }
    }
}

/// The path that follows a key and its `=`.
pub(crate) fn read_path(meta: &ParseNestedMeta<'_>) -> syn::Result<Path> {
    meta.value()?.call(Path::parse_mod_style)
}

/// Fills the place of a key that may stand once.
pub(crate) fn set<T>(
    place: &mut Option<T>,
    meta: &ParseNestedMeta<'_>,
    read: impl FnOnce(&ParseNestedMeta<'_>) -> syn::Result<T>,
) -> syn::Result<()> {
    if place.is_some() {
        return Err(meta.error(format!("`{}` stands twice", key_name(&meta.path))));
    }
    *place = Some(read(meta)?);
    Ok(())
}

fn read_priority(meta: &ParseNestedMeta<'_>) -> syn::Result<Ident> {
    let name: Ident = meta.value()?.parse()?;
    if PRIORITIES.iter().any(|known| name == known) {
        return Ok(name);
    }
    let known = PRIORITIES.join("`, `");
    let told = format!("unknown priority `{name}`; the priorities are `{known}`");
    Err(syn::Error::new(name.span(), told))
}

fn read_timeout(meta: &ParseNestedMeta<'_>) -> syn::Result<Duration> {
    let text = meta.value()?.parse()?;
    let timeout = read_duration(&text)?;
    let told = "an ask with no time at all can never be answered";
    if timeout.is_zero() { Err(syn::Error::new(text.span(), told)) } else { Ok(timeout) }
}

/// A span of time, which may be none.
pub(crate) fn read_duration(text: &LitStr) -> syn::Result<Duration> {
    duration::parse(&text.value()).map_err(|fault| syn::Error::new(text.span(), fault.to_string()))
}

/// The key as it was written.
pub(crate) fn key_name(path: &Path) -> String {
    let names = path.segments.iter().map(|segment| segment.ident.to_string());
    names.collect::<Vec<_>>().join("::")
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::ToTokens;
    use syn::{DeriveInput, parse_quote};

    fn keys(input: &DeriveInput) -> syn::Result<Keys> {
        Keys::read(&input.attrs)
    }

    fn error(input: &DeriveInput) -> String {
        match keys(input) {
            Ok(_) => panic!("an error is expected"),
            Err(error) => error.to_string(),
        }
    }

    fn written(tokens: Option<impl ToTokens>) -> Option<String> {
        tokens.map(|tokens| tokens.to_token_stream().to_string())
    }

    #[test]
    fn without_an_attribute_nothing_is_set() {
        let keys = keys(&parse_quote! { struct Plain; }).unwrap();
        assert!(keys.reply.is_none() && keys.priority.is_none() && keys.timeout.is_none());
        assert!(keys.keep.is_none() && keys.home.is_none());
    }

    #[test]
    fn every_key_is_read() {
        let keys = keys(&parse_quote! {
            #[message(reply = Result<u64, a::Error>, priority = Low, timeout = "1m 30s", keep, crate = my::home)]
            struct Full;
        })
        .unwrap();
        assert_eq!(written(keys.reply).as_deref(), Some("Result < u64 , a :: Error >"));
        assert_eq!(written(keys.priority).as_deref(), Some("Low"));
        assert_eq!(keys.timeout, Some(Duration::from_secs(90)));
        assert!(keys.keep.is_some());
        assert_eq!(written(keys.home).as_deref(), Some("my :: home"));
    }

    #[test]
    fn keys_may_be_spread_over_attributes_and_end_with_a_comma() {
        let keys = keys(&parse_quote! {
            #[message(keep,)]
            #[serde(rename_all = "snake_case")]
            #[message(reply = (u8, &'static str),)]
            struct Spread;
        })
        .unwrap();
        assert!(keys.keep.is_some() && keys.reply.is_some());
    }

    #[test]
    fn every_priority_has_its_name() {
        for name in PRIORITIES {
            let name = Ident::new(name, proc_macro2::Span::call_site());
            let keys = keys(&parse_quote! { #[message(priority = #name)] struct P; }).unwrap();
            assert_eq!(keys.priority, Some(name));
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_the_known_ones() {
        let told = error(&parse_quote! { #[message(retries = 3)] struct M; });
        assert_eq!(told, format!("unknown key `retries`; {KEYS}"));
    }

    #[test]
    fn a_key_stands_once_also_over_two_attributes() {
        let told = error(&parse_quote! { #[message(keep)] #[message(keep)] struct M; });
        assert_eq!(told, "`keep` stands twice");
    }

    #[test]
    fn an_unknown_priority_is_named_with_the_known_ones() {
        let told = error(&parse_quote! { #[message(priority = Urgent)] struct M; });
        assert_eq!(
            told,
            "unknown priority `Urgent`; the priorities are \
             `Critical`, `High`, `Normal`, `Low`, `Background`"
        );
    }

    #[test]
    fn a_timeout_is_a_text_with_a_unit_and_not_nothing() {
        let unit = error(&parse_quote! { #[message(timeout = "2")] struct M; });
        assert_eq!(unit, "`2` has no unit; write `2s` or `2ms`");
        let text = error(&parse_quote! { #[message(timeout = 2)] struct M; });
        assert_eq!(text, "expected string literal");
        let zero = error(&parse_quote! { #[message(timeout = "0s")] struct M; });
        assert_eq!(zero, "an ask with no time at all can never be answered");
    }

    #[test]
    fn a_key_with_a_value_needs_one_and_keep_takes_none() {
        assert_eq!(error(&parse_quote! { #[message(reply)] struct M; }), "expected `=`");
        assert_eq!(error(&parse_quote! { #[message(keep = true)] struct M; }), "expected `,`");
    }
}
