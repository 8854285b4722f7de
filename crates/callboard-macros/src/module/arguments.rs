//! What stands in the brackets of `#[module(..)]`.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::token::Paren;
use syn::{Error, Expr, Ident, LitInt, LitStr, Path, Token, parenthesized};

use crate::keys::{key_name, read_path, set};
use crate::names;

const KEYS: &str = "the keys are `name`, `version`, `description`, `owner`, `tags`, `requires`, `may_use`, \
                    `publishes`, `advertises`, `protocols`, `security_level`, `required_permissions`, `balance`, `weight`, \
                    `replicas` and `crate`";
const PROTOCOLS: [&str; 7] =
    ["RequestResponse", "PubSub", "EventDriven", "Broadcast", "PointToPoint", "Workflow", "Stream"];
const BALANCES: [&str; 4] = ["RoundRobin", "LeastLoaded", "Weighted", "ConsistentHash"];
const LEVELS: [&str; 4] = ["Public", "Authenticated", "Authorized", "Privileged"];

/// See above.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) name: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) description: Option<LitStr>,
    pub(super) owner: Option<LitStr>,
    pub(super) tags: Option<Vec<LitStr>>,
    pub(super) requires: Option<Vec<LitStr>>,
    pub(super) may_use: Option<Vec<LitStr>>,
    pub(super) publishes: Option<Vec<LitStr>>,
    pub(super) advertises: Option<Vec<Expr>>,
    pub(super) protocols: Option<Vec<Ident>>,
    pub(super) security_level: Option<Ident>,
    pub(super) required_permissions: Option<Vec<LitStr>>,
    pub(super) balance: Option<Ident>,
    pub(super) weight: Option<u32>,
    pub(super) replicas: Option<usize>,
    pub(super) home: Option<Path>,
}

impl Arguments {
    /// # Errors
    ///
    /// For the first key that is unknown, stands twice, or has a value that is none; the error points at that key or value.
    pub(super) fn read(tokens: TokenStream) -> syn::Result<Self> {
        let mut arguments = Self::default();
        syn::meta::parser(|meta| arguments.read_one(&meta)).parse2(tokens)?;
        match &arguments.name {
            Some(_) => Ok(arguments),
            None => Err(Error::new(Span::call_site(), "a module has a name: write `name = \"..\"`")),
        }
    }

    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match key_name(&meta.path).as_str() {
            "name" => set(&mut self.name, meta, |meta| text(meta, names::check_module)),
            "version" => set(&mut self.version, meta, |meta| text(meta, names::check_version)),
            "description" => set(&mut self.description, meta, |meta| text(meta, |_| Ok(()))),
            "owner" => set(&mut self.owner, meta, |meta| text(meta, |_| Ok(()))),
            "tags" => set(&mut self.tags, meta, |meta| texts(meta, |_| Ok(()))),
            "requires" => set(&mut self.requires, meta, |meta| texts(meta, names::check_address)),
            "may_use" => set(&mut self.may_use, meta, |meta| texts(meta, names::check_address)),
            "publishes" => set(&mut self.publishes, meta, |meta| texts(meta, names::check_topic)),
            "advertises" => set(&mut self.advertises, meta, expressions),
            "protocols" => set(&mut self.protocols, meta, |meta| known_among(meta, "protocol", &PROTOCOLS)),
            "security_level" => set(&mut self.security_level, meta, |meta| one_of(meta, "security level", &LEVELS)),
            "required_permissions" => set(&mut self.required_permissions, meta, |meta| texts(meta, |_| Ok(()))),
            "balance" => set(&mut self.balance, meta, |meta| one_of(meta, "balance", &BALANCES)),
            "weight" => set(&mut self.weight, meta, |meta| at_least_one(meta, "a module has a weight of one at least")),
            "replicas" => {
                set(&mut self.replicas, meta, |meta| at_least_one(meta, "a module has one instance at least"))
            }
            "crate" => set(&mut self.home, meta, read_path),
            other => Err(meta.error(format!("unknown key `{other}`; {KEYS}"))),
        }
    }
}

type Check = fn(&str) -> Result<(), String>;

/// The text, or what is wrong with it, at its place.
pub(super) fn checked(text: LitStr, check: Check) -> syn::Result<LitStr> {
    check(&text.value()).map_err(|told| Error::new(text.span(), told))?;
    Ok(text)
}

fn text(meta: &ParseNestedMeta<'_>, check: Check) -> syn::Result<LitStr> {
    checked(meta.value()?.parse()?, check)
}

fn texts(meta: &ParseNestedMeta<'_>, check: Check) -> syn::Result<Vec<LitStr>> {
    check_list(meta)?;
    let listed;
    parenthesized!(listed in meta.input);
    let listed = Punctuated::<LitStr, Token![,]>::parse_terminated(&listed)?;
    listed.into_iter().map(|text| checked(text, check)).collect()
}

fn expressions(meta: &ParseNestedMeta<'_>) -> syn::Result<Vec<Expr>> {
    check_list(meta)?;
    let listed;
    parenthesized!(listed in meta.input);
    Ok(Punctuated::<Expr, Token![,]>::parse_terminated(&listed)?.into_iter().collect())
}

/// That the values of a key stand in brackets; when they stand after a `=`, or not at all, what to write instead.
///
/// # Errors
///
/// At the key and all that was written for it.
fn check_list(meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    if meta.input.peek(Paren) {
        return Ok(());
    }
    let equals: Option<Token![=]> = meta.input.parse()?;
    let value: Option<Expr> = equals.map(|_| meta.input.parse()).transpose()?;
    let (key, values) = (key_name(&meta.path), value.as_ref().and_then(shown).unwrap_or_else(|| "..".to_owned()));
    let (path, told) = (&meta.path, format!("what `{key}` lists stands in brackets: write `{key}({values})`"));
    Err(Error::new_spanned(quote!(#path #equals #value), told))
}

/// One value or an array of them, as a list would have them; nothing for what is too long to be repeated.
fn shown(value: &Expr) -> Option<String> {
    match value {
        Expr::Array(array) => array.elems.iter().map(shown).collect::<Option<Vec<_>>>().map(|all| all.join(", ")),
        Expr::Lit(_) => Some(value.to_token_stream().to_string()),
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        _ => None,
    }
}

/// `(One, Other)`, of words that are known.
pub(super) fn known_among(meta: &ParseNestedMeta<'_>, what: &str, all: &[&str]) -> syn::Result<Vec<Ident>> {
    check_list(meta)?;
    let listed;
    parenthesized!(listed in meta.input);
    let listed = Punctuated::<Ident, Token![,]>::parse_terminated(&listed)?;
    listed.into_iter().map(|name| known(name, what, all)).collect()
}

/// `= One`
fn one_of(meta: &ParseNestedMeta<'_>, what: &str, all: &[&str]) -> syn::Result<Ident> {
    known(meta.value()?.parse()?, what, all)
}

fn known(name: Ident, what: &str, known: &[&str]) -> syn::Result<Ident> {
    if known.iter().any(|known| name == known) {
        return Ok(name);
    }
    Err(Error::new(name.span(), format!("unknown {what} `{name}`; there are `{}`", known.join("`, `"))))
}

fn at_least_one<T>(meta: &ParseNestedMeta<'_>, told: &str) -> syn::Result<T>
where
    T: std::str::FromStr<Err: std::fmt::Display> + Default + PartialEq,
{
    let number: LitInt = meta.value()?.parse()?;
    let count: T = number.base10_parse()?;
    if count == T::default() { Err(Error::new(number.span(), told)) } else { Ok(count) }
}

/// A span of time that was written, which must not be none.
pub(super) fn some_time(text: &LitStr, time: Duration, told: &str) -> syn::Result<Duration> {
    if time.is_zero() { Err(Error::new(text.span(), told)) } else { Ok(time) }
}
