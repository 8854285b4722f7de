//! `#[derive(Message)]`.

use crate::crate_path;
use crate::keys::Keys;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use std::time::Duration;
use syn::{DeriveInput, Generics, Ident, Path, Type, WherePredicate, parse_quote};

/// The `impl Message` of `input`.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut keys = Keys::read(&input.attrs)?;
    let home = crate_path::resolve(keys.home.take())?;
    Ok(written(input, &keys, &home))
}

fn written(input: &DeriveInput, keys: &Keys, home: &Path) -> TokenStream {
    let name = &input.ident;
    let reply = keys.reply.clone().unwrap_or_else(|| parse_quote!(()));
    let priority = keys.priority.as_ref().map(|name| priority(name, home));
    let timeout = keys.timeout.map(timeout);
    let keep = keys.keep.as_ref().map(keep);
    let generics = bounded(&input.generics, &reply, keys.keep.is_some());
    let (parameters, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #parameters #home::Message for #name #arguments #bounds {
            type Reply = #reply;
            #priority
            #timeout
            #keep
        }
    }
}

fn priority(name: &Ident, home: &Path) -> TokenStream {
    quote! { const PRIORITY: #home::Priority = #home::Priority::#name; }
}

fn timeout(timeout: Duration) -> TokenStream {
    let (seconds, nanos) = (timeout.as_secs(), timeout.subsec_nanos());
    quote! {
        const TIMEOUT: ::core::option::Option<::core::time::Duration> =
            ::core::option::Option::Some(::core::time::Duration::new(#seconds, #nanos));
    }
}

/// The copy is named at the place of the word `keep`, so that the compiler points there when
/// the message is not `Clone`.
fn keep(word: &Ident) -> TokenStream {
    let copy = quote_spanned! { word.span() => <Self as ::core::clone::Clone>::clone };
    quote! {
        const KEEP: ::core::option::Option<fn(&mut Self) -> Self> =
            ::core::option::Option::Some(|message| #copy(message));
    }
}

/// The bounds under which a generic type is a message are those of the trait itself, said of
/// the whole type: a bound on each parameter would refuse a `PhantomData<fn() -> Rc<u8>>` for
/// no reason, and none would leave the `impl` unproven. A type without parameters gets none,
/// since what the compiler says of it by itself is the clearest.
fn bounded(generics: &Generics, reply: &Type, kept: bool) -> Generics {
    let mut generics = generics.clone();
    if generics.params.is_empty() {
        return generics;
    }
    let mut bounds: Vec<WherePredicate> =
        vec![parse_quote!(Self: ::core::marker::Send + 'static), parse_quote!(#reply: ::core::marker::Send + 'static)];
    if kept {
        bounds.push(parse_quote!(Self: ::core::clone::Clone));
    }
    generics.make_where_clause().predicates.extend(bounds);
    generics
}
