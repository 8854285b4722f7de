//! `#[derive(Event)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{DeriveInput, Error, LitStr, Path, Token};

use crate::{crate_path, names};

/// The `impl DomainEvent` of `input`.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let mut given = input.attrs.iter().filter(|attribute| attribute.path().is_ident("event"));
    let (Some(attribute), None) = (given.next(), given.next()) else {
        return Err(Error::new_spanned(&input.ident, "an event has one name: write `#[event(\"..\")]`"));
    };
    let Said { name, home } = attribute.parse_args()?;
    let home = crate_path::bus(home)?;
    let event = &input.ident;
    let (parameters, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #home::DomainEvent for #event #arguments #bounds {
            const NAME: &'static str = #name;
        }
    })
}

/// `"name"`, or `"name", crate = path`.
struct Said {
    name: LitStr,
    home: Option<Path>,
}

impl Parse for Said {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: LitStr = input.parse()?;
        names::check_topic(&name.value()).map_err(|told| Error::new(name.span(), told))?;
        let mut home = None;
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            home = Some(Path::parse_mod_style(input)?);
        }
        Ok(Said { name, home })
    }
}
