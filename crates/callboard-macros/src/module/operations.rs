//! The trait by which the operations of a module are called as methods of its reference.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

use super::Module;
use super::casing::snake_case;
use super::method::Method;
use super::role::Role;
use super::written::is_fallible;

impl Module {
    /// `trait NameOperations`, implemented for the reference of the actor; nothing for a module without operations.
    pub(super) fn operations(&self) -> TokenStream {
        let requests = self.with_role(|role| matches!(role, Role::Request(_)));
        let methods: Vec<_> = requests.enumerate().map(|(place, method)| self.ask(place, method)).collect();
        if methods.is_empty() {
            return TokenStream::new();
        }
        let (home, name) = (&self.home, &self.name);
        let operations = format_ident!("{name}Operations");
        let documentation = format!("The operations of [`{name}`], as methods of its reference.");
        let (signatures, bodies): (Vec<_>, Vec<_>) = methods.into_iter().unzip();
        quote! {
            #[doc = #documentation]
            #[allow(private_interfaces, private_bounds, unreachable_pub, dead_code)]
            pub trait #operations {
                #(#signatures;)*
            }
            #[automatically_derived]
            #[allow(private_interfaces, private_bounds)]
            impl #operations for #home::__private::ActorRef<#name> {
                #(#bodies)*
            }
        }
    }

    /// The signature, and the same with a body. The place is that among the operations of the manifest.
    fn ask(&self, place: usize, method: &Method) -> (TokenStream, TokenStream) {
        let (name, message, at) = (&self.name, &method.message, method.place());
        let home = self.home_at(at);
        let operation = operation_name(method);
        let documentation = format!("Asks for `{}`. {}", method.operation().unwrap_or_default(), method.documentation);
        let signature = quote_spanned! { at =>
            fn #operation(&self, message: #message) -> #home::OperationCall<'_, #name, #message>
        };
        let (kind, reading) = if is_fallible(method.output.as_ref()) {
            (quote_spanned!(at => fallible), quote_spanned!(at => reading_ok))
        } else {
            (quote_spanned!(at => plain), quote_spanned!(at => reading))
        };
        let body = quote_spanned! { at =>
            use #home::__private::{Copies as _, Of, Reads as _, ReadsOk as _, Shows as _};
            type Reply = <#message as #home::__private::Message>::Reply;
            const KIND: &#home::__private::OperationKind<#message> =
                &#home::__private::OperationKind::#kind(#place, || #home::__private::Forms {
                    copy: (&Of::<#message>(::core::marker::PhantomData)).copying(),
                    show: (&Of::<#message>(::core::marker::PhantomData)).showing(),
                    read: (&Of::<#message>(::core::marker::PhantomData)).reading(),
                    read_reply: (&Of::<Reply>(::core::marker::PhantomData)).#reading(),
                });
            #home::OperationCall::new(self, message, KIND)
        };
        (quote! { #[doc = #documentation] #signature }, quote! { #signature { #body } })
    }
}

fn operation_name(method: &Method) -> Ident {
    let name = snake_case(&method.operation().unwrap_or_default());
    let span = method.name.span();
    // A keyword, or what does not begin as a name of Rust does.
    match syn::parse_str::<Ident>(&name) {
        Ok(_) => Ident::new(&name, span),
        Err(_) => format_ident!("call_{name}", span = span),
    }
}
