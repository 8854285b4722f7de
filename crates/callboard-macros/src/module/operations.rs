//! The trait by which the operations of a module are called as methods of its reference.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use super::Module;
use super::casing::snake_case;
use super::method::Method;
use super::role::Role;

impl Module {
    /// `trait NameOperations`, implemented for the reference of the actor; nothing for a module without operations.
    pub(super) fn operations(&self) -> TokenStream {
        let methods: Vec<_> =
            self.with_role(|role| matches!(role, Role::Request(_))).map(|method| self.ask(method)).collect();
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

    /// The signature, and the same with a body.
    fn ask(&self, method: &Method) -> (TokenStream, TokenStream) {
        let (home, name, message) = (&self.home, &self.name, &method.message);
        let operation = operation_name(method);
        let documentation = format!("Asks for `{}`. {}", method.operation().unwrap_or_default(), method.documentation);
        let signature = quote! {
            fn #operation(&self, message: #message)
                -> #home::__private::Ask<'_, #home::__private::ActorRef<#name>, #message>
        };
        let body = quote! { #signature { #home::__private::ActorRef::ask(self, message) } };
        (quote! { #[doc = #documentation] #signature }, body)
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
