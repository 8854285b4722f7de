//! Where the written code finds the framework.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::Span;
use syn::{Ident, Path, parse_quote};

/// The facade stands first: a package that depends on both means the facade, and one below it
/// cannot depend on it.
const HOMES: [&str; 2] = ["callboard", "callboard-actor"];

/// The path that the user gave, or the one that the dependencies of the expanding package give.
pub(crate) fn resolve(given: Option<Path>) -> syn::Result<Path> {
    given.or_else(|| HOMES.iter().find_map(|home| found(home))).ok_or_else(not_found)
}

/// The path of the bus: that inside of the facade that the user gave, or what the dependencies of the expanding package
/// give.
pub(crate) fn bus(given: Option<Path>) -> syn::Result<Path> {
    let inside = |facade: Path| parse_quote!(#facade::bus);
    let found = || found("callboard").map(inside).or_else(|| self::found("callboard-bus"));
    given.map(inside).or_else(found).ok_or_else(no_bus)
}

/// A home that expands its own macros is named by its outside name, not by `crate`: the tests
/// and doc-tests of a package are crates of their own, yet look like the package itself from
/// here. A home that uses them in its own modules says `extern crate self as ..`.
fn found(home: &str) -> Option<Path> {
    let name = match crate_name(home).ok()? {
        FoundCrate::Itself => home.replace('-', "_"),
        FoundCrate::Name(name) => name,
    };
    let name = Ident::new(&name, Span::call_site());
    Some(parse_quote!(::#name))
}

fn not_found() -> syn::Error {
    syn::Error::new(
        Span::call_site(),
        "neither `callboard` nor `callboard-actor` is a dependency of this package: \
         add one, or say where the framework is found with `crate = path`",
    )
}

fn no_bus() -> syn::Error {
    syn::Error::new(
        Span::call_site(),
        "neither `callboard` nor `callboard-bus` is a dependency of this package: \
         add one, or say where the framework is found with `crate = path`",
    )
}
