//! How the calls of an operation are made, as far as its attribute says so: [`Settings`].

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::token::Paren;
use syn::{Error, Expr, Ident, LitInt, LitStr, Path, Token, parenthesized};

use super::arguments::{known_among, some_time};
use super::written::duration;
use crate::keys::{key_name, read_duration, set};

const RATE: &str = "a rate is of so many calls in so long: `rate(100, \"1s\")`";
const CLASSES: [&str; 3] = ["Transient", "Unknown", "Permanent"];

/// In the words of `CallSettings`.
#[derive(Default)]
pub(super) struct Settings {
    timeout: Option<Duration>,
    retry: Option<Expr>,
    breaker: Option<Expr>,
    no_breaker: Option<()>,
    rate: Option<(u32, Duration)>,
    dead_letters: Option<Vec<Ident>>,
}

impl Settings {
    pub(super) const KEYS: &str = "`timeout`, `retry`, `breaker`, `no_breaker`, `rate` and `dead_letters`";

    /// False for a key that is none of these.
    pub(super) fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<bool> {
        match key_name(&meta.path).as_str() {
            "timeout" => set(&mut self.timeout, meta, timeout)?,
            "retry" => set(&mut self.retry, meta, |meta| meta.value()?.parse())?,
            "breaker" => set(&mut self.breaker, meta, |meta| meta.value()?.parse())?,
            "no_breaker" => set(&mut self.no_breaker, meta, |_| Ok(()))?,
            "rate" => set(&mut self.rate, meta, rate)?,
            "dead_letters" => set(&mut self.dead_letters, meta, |meta| known_among(meta, "class", &CLASSES))?,
            _ => return Ok(false),
        }
        if self.breaker.is_some() && self.no_breaker.is_some() {
            return Err(meta.error("there is a breaker or there is none: leave out one of the two"));
        }
        Ok(true)
    }

    /// What is called on an operation for them; nothing where nothing is said.
    pub(super) fn written(&self, home: &Path) -> Option<TokenStream> {
        let Self { timeout, retry, breaker, no_breaker, rate, dead_letters } = self;
        let timeout = timeout.map(duration).into_iter();
        let (retry, breaker) = (retry.iter(), breaker.iter());
        let no_breaker = no_breaker.map(|()| quote!(.no_breaker()));
        let rate = rate.map(|(calls, per)| (calls, duration(per))).map(|(calls, per)| quote!(.rate(#calls, #per)));
        let dead_letters =
            dead_letters.as_ref().map(|classes| quote!(.dead_letters([#(#home::retry::FailureClass::#classes),*])));
        let said = quote! {
            #(.timeout(#timeout))* #(.retry(#retry))* #(.breaker(#breaker))* #no_breaker #rate #dead_letters
        };
        (!said.is_empty()).then(|| quote!(.settings(#home::CallSettings::new() #said)))
    }
}

fn timeout(meta: &ParseNestedMeta<'_>) -> syn::Result<Duration> {
    let text = meta.value()?.parse()?;
    some_time(&text, read_duration(&text)?, "no time at all leaves none for an answer")
}

/// `(100, "1s")`
fn rate(meta: &ParseNestedMeta<'_>) -> syn::Result<(u32, Duration)> {
    if !meta.input.peek(Paren) {
        return Err(meta.error(RATE));
    }
    let listed;
    parenthesized!(listed in meta.input);
    let number: LitInt = listed.parse()?;
    listed.parse::<Token![,]>()?;
    let per: LitStr = listed.parse()?;
    listed.parse::<Option<Token![,]>>()?;
    if !listed.is_empty() {
        return Err(listed.error(RATE));
    }
    match number.base10_parse()? {
        0 => Err(Error::new(number.span(), "a rate of no calls lets none through")),
        calls => Ok((calls, some_time(&per, read_duration(&per)?, "a rate is of a span of time")?)),
    }
}
