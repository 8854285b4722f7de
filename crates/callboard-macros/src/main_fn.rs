//! `#[callboard::main]`.

use crate::crate_path;
use crate::keys::read_path;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::{Error, ItemFn, Path, Signature};

/// The plain function around the asynchronous one, which stays whole inside, so that the
/// compiler speaks of its body as the user wrote it.
pub(crate) fn expand(arguments: TokenStream, function: ItemFn) -> syn::Result<TokenStream> {
    let home = crate_path::resolve(read_arguments(arguments)?)?;
    check(&function.sig)?;
    let ItemFn { attrs, vis, sig, block, .. } = function;
    let (name, output) = (&sig.ident, &sig.output);
    let run = match sig.inputs.len() {
        0 => quote! { #home::block_on(#name()) },
        _ => quote! { #home::System::builder().run(#name).expect("a system of all defaults starts") },
    };
    Ok(quote! {
        #(#attrs)*
        #vis fn #name() #output {
            #sig #block
            #run
        }
    })
}

fn read_arguments(arguments: TokenStream) -> syn::Result<Option<Path>> {
    let mut home = None;
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("crate") {
            return Err(meta.error("unknown argument; the only one is `crate`"));
        }
        home = Some(read_path(&meta)?);
        Ok(())
    });
    parser.parse2(arguments)?;
    Ok(home)
}

fn check(signature: &Signature) -> syn::Result<()> {
    if signature.asyncness.is_none() {
        let told = "write `async fn`: what is not asynchronous needs no `main` of callboard";
        return Err(Error::new_spanned(signature.fn_token, told));
    }
    let inputs = &signature.inputs;
    refuse(inputs.len() > 1, inputs, "this function is called with a `System` or with nothing")?;
    let generics = &signature.generics;
    refuse(!generics.params.is_empty(), generics, "this function cannot be generic")
}

fn refuse(wrong: bool, at: &impl ToTokens, told: &str) -> syn::Result<()> {
    if wrong {
        return Err(Error::new_spanned(at, told));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn error(arguments: TokenStream, function: ItemFn) -> String {
        match expand(arguments, function) {
            Ok(_) => panic!("an error is expected"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_function_becomes_plain_and_keeps_what_stood_around_it() {
        let function = parse_quote! { #[cfg(unix)] pub async fn main() -> u8 { 7 } };
        let expanded = expand(quote!(crate = home), function).unwrap();
        let expected = quote! {
            #[cfg(unix)]
            pub fn main() -> u8 {
                async fn main() -> u8 { 7 }
                home::block_on(main())
            }
        };
        assert_eq!(expanded.to_string(), expected.to_string());
    }

    #[test]
    fn one_that_takes_a_system_gets_one() {
        let function = parse_quote! { async fn main(system: System) {} };
        let expanded = expand(quote!(crate = home), function).unwrap();
        let expected = quote! {
            fn main() {
                async fn main(system: System) {}
                home::System::builder().run(main).expect("a system of all defaults starts")
            }
        };
        assert_eq!(expanded.to_string(), expected.to_string());
    }

    #[test]
    fn what_cannot_be_called_plainly_is_refused() {
        let home = || quote!(crate = home);
        let plain = error(home(), parse_quote! { fn main() {} });
        assert_eq!(plain, "write `async fn`: what is not asynchronous needs no `main` of callboard");
        let called = error(home(), parse_quote! { async fn main(system: System, text: String) {} });
        assert_eq!(called, "this function is called with a `System` or with nothing");
        let generic = error(home(), parse_quote! { async fn main<T>() {} });
        assert_eq!(generic, "this function cannot be generic");
    }

    #[test]
    fn an_unknown_argument_is_refused() {
        let told = error(quote!(workers = 4), parse_quote! { async fn main() {} });
        assert_eq!(told, "unknown argument; the only one is `crate`");
    }
}
