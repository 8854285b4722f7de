//! What makes an actor and a module of the type.

use std::time::Duration;

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{GenericArgument, Ident, PathArguments, Type};

use super::Module;
use super::casing::camel_case;
use super::method::Method;
use super::role::{Request, Role};

impl Module {
    /// Everything but the block and its trait. What has to have a name stands apart from the names of the user.
    pub(super) fn written(&self) -> TokenStream {
        let (actor, module, start) = (self.actor(), self.module(), self.start());
        let handlers = self.methods.iter().map(|method| self.handler(method));
        quote! {
            #actor
            const _: () = {
                #module
                #start
                #(#handlers)*
            };
        }
    }

    fn actor(&self) -> TokenStream {
        let (home, name) = (&self.home, &self.name);
        let started = self.hook(&Role::Started).map(|method| {
            let call = self.call(method, &quote!(cx));
            quote! {
                async fn started(&mut self, cx: &mut #home::__private::Context<Self>)
                    -> ::core::result::Result<(), #home::__private::Fault>
                {
                    #home::__private::outcome(#call)
                }
            }
        });
        let stopped = self.hook(&Role::Stop).map(|method| {
            let call = self.call(method, &quote!(why));
            quote! {
                async fn stopped(self, why: #home::__private::StopReason) {
                    let _ = &why;
                    let () = #call;
                }
            }
        });
        quote! {
            #[automatically_derived]
            impl #home::__private::Actor for #name { #started #stopped }
        }
    }

    /// The path of `callboard_bus` in code that the compiler is to say of that it stands elsewhere: a path begins where its first
    /// word does.
    pub(super) fn home_at(&self, place: Span) -> TokenStream {
        let moved = |mut token: TokenTree| {
            token.set_span(token.span().located_at(place));
            token
        };
        self.home.to_token_stream().into_iter().map(moved).collect()
    }

    fn hook(&self, role: &Role) -> Option<&Method> {
        self.with_role(|known| std::mem::discriminant(known) == std::mem::discriminant(role)).next()
    }

    fn start(&self) -> Option<TokenStream> {
        let (home, name) = (&self.home, &self.name);
        let method = &self.hook(&Role::Start)?.name;
        Some(quote! {
            #[automatically_derived]
            impl #home::Start for #name {
                async fn start(cx: &mut #home::__private::Context<Self>)
                    -> ::core::result::Result<Self, #home::__private::Fault>
                {
                    #home::__private::outcome(<#name>::#method(cx).await)
                }
            }
        })
    }

    fn module(&self) -> TokenStream {
        let (home, name, said) = (&self.home, &self.name, self.said());
        let parts = self.methods.iter().map(|method| self.part(method));
        quote! {
            #[automatically_derived]
            impl #home::Module for #name {
                fn manifest() -> #home::Manifest<Self> {
                    #said #(#parts)*
                }
            }
        }
    }

    /// The manifest as far as the arguments speak of it.
    fn said(&self) -> TokenStream {
        let (home, arguments) = (&self.home, &self.arguments);
        let name = &arguments.name;
        let version =
            arguments.version.as_ref().map_or(quote!(::core::env!("CARGO_PKG_VERSION")), |text| quote!(#text));
        let description = arguments.description.as_ref().map_or_else(
            || Some(&self.documentation).filter(|text| !text.is_empty()).map(|text| quote!(.description(#text))),
            |text| Some(quote!(.description(#text))),
        );
        let owner = arguments.owner.iter();
        let tags = arguments.tags.iter().flatten();
        let requires = arguments.requires.iter().flatten();
        let may_use = arguments.may_use.iter().flatten();
        let publishes = arguments.publishes.iter().flatten();
        let protocols = arguments.protocols.iter().map(|listed| quote!(.protocols([#(#home::Protocol::#listed),*])));
        let level = arguments.security_level.iter();
        let permissions = arguments.required_permissions.iter().flatten();
        let advertises = arguments.advertises.iter().flatten();
        let (balance, weight, replicas) =
            (arguments.balance.iter(), arguments.weight.iter(), arguments.replicas.iter());
        quote! {
            #home::Manifest::new(#name, #version)
                #description
                #(.owner(#owner))* #(.tag(#tags))* #(.requires(#requires))* #(.may_use(#may_use))*
                #(.publishes(#publishes))* #(#protocols)* #(.security_level(#home::SecurityLevel::#level))*
                #(.required_permission(#permissions))* #(.advertises(#advertises))*
                #(.balance(#home::Balance::#balance))* #(.weight(#weight))* #(.replicas(#replicas))*
        }
    }

    /// What a method adds to the manifest.
    fn part(&self, method: &Method) -> Option<TokenStream> {
        match &method.role {
            Role::Request(request) => Some(self.operation(method, request)),
            Role::Event(hearing) => {
                let (home, own, event) = (&self.home, own_message(method), &method.message);
                let named = || quote!(<#event as #home::DomainEvent>::NAME);
                let pattern = hearing.pattern.as_ref().map_or_else(named, |pattern| quote!(#pattern));
                Some(match &hearing.channel {
                    None => quote! { .hears::<#own>(#pattern) },
                    Some(channel) => quote! { .hears_on::<#own>(#channel, #pattern) },
                })
            }
            Role::Every(period) => {
                let (own, period) = (own_message(method), duration(*period));
                Some(quote! { .every::<#own>(#period) })
            }
            Role::Probe => Some(quote! { .probe() }),
            Role::Start | Role::Started | Role::Stop => None,
        }
    }

    fn operation(&self, method: &Method, request: &Request) -> TokenStream {
        let (message, name, place) = (&method.message, &request.name, method.place());
        let home = &self.home_at(place);
        let of = if is_fallible(method.output.as_ref()) {
            quote_spanned! { place => #home::Operation::fallible::<#message, _, _> }
        } else {
            quote_spanned! { place => #home::Operation::new::<#message> }
        };
        let description = Some(&method.documentation).filter(|text| !text.is_empty()).into_iter();
        let idempotent = request.is_idempotent.then(|| quote!(.idempotent()));
        let for_modules = request.is_for_modules.then(|| quote!(.for_modules()));
        let blocking = request.is_blocking.then(|| quote!(.blocking()));
        let deprecated = request.deprecated.iter();
        let (parameters, settings) = (request.parameters.iter(), request.settings.written(&self.home));
        quote! {
            .offer(#of(#name) #(.description(#description))* #idempotent #for_modules #blocking #(.deprecated(#deprecated))*
                #(.parameters(#parameters))* #settings)
        }
    }

    /// What lets the actor take the message of a method.
    fn handler(&self, method: &Method) -> Option<TokenStream> {
        let home = &self.home;
        match &method.role {
            Role::Request(request) => {
                let call = if request.is_blocking { self.blocking(method) } else { self.call(method, &quote!(cx)) };
                let message = method.message.clone()?;
                let (place, home) = (method.place(), self.home_at(method.place()));
                let reply = quote_spanned! { place => <#message as #home::__private::Message>::Reply };
                let answer = self.turn(method, &reply, &call);
                Some(self.handles(method, &quote!(#message), &reply, &answer))
            }
            Role::Event(_) => Some(self.event_handler(method)),
            Role::Every(_) => {
                let (own, call) = (own_message(method), self.call(method, &quote!(cx)));
                let handler =
                    self.handles(method, &quote!(#own), &quote!(()), &quote!(#home::__private::outcome(#call)));
                Some(quote! {
                    #[derive(::core::default::Default)]
                    struct #own;
                    impl #home::__private::Message for #own { type Reply = (); }
                    #handler
                })
            }
            Role::Probe => {
                let (call, health) = (self.call(method, &quote!(cx)), quote!(#home::Health));
                let answer = self.turn(method, &health, &call);
                Some(self.handles(method, &quote!(#home::Probe), &health, &answer))
            }
            Role::Start | Role::Started | Role::Stop => None,
        }
    }

    /// A message of its own for each method, so that the type tells which of them is meant.
    fn event_handler(&self, method: &Method) -> TokenStream {
        let (home, own, event) = (&self.home, own_message(method), &method.message);
        let call = self.call(method, &quote!(cx));
        let answer = quote! {
            match <#event as #home::__private::FromEvent>::from_event(&message.0) {
                ::core::result::Result::Ok(message) => #home::__private::outcome(#call),
                ::core::result::Result::Err(fault) => {
                    #home::__private::unreadable(cx, &message.0, &fault);
                    ::core::result::Result::Ok(())
                }
            }
        };
        let handler = self.handles(method, &quote!(#own), &quote!(()), &answer);
        quote! {
            struct #own(#home::Event);
            impl ::core::convert::From<#home::Event> for #own {
                fn from(event: #home::Event) -> Self { Self(event) }
            }
            impl #home::__private::Message for #own {
                type Reply = ();
                const KEEP: ::core::option::Option<fn(&mut Self) -> Self> = ::core::option::Option::Some(|heard| Self(heard.0.split()));
                const CONTENT: ::core::option::Option<fn(&Self) -> &dyn ::core::any::Any> = ::core::option::Option::Some(|heard| &heard.0);
            }
            #handler
        }
    }

    /// The one kind of handler for what waits, and the other for what does not.
    fn handles(
        &self,
        method: &Method,
        message: &TokenStream,
        reply: &TokenStream,
        answer: &TokenStream,
    ) -> TokenStream {
        let (name, place) = (&self.name, method.place());
        let home = self.home_at(place);
        let (handler, asyncness) = if method.is_async || method.is_blocking() {
            (quote_spanned!(place => Handler), quote_spanned!(place => async))
        } else {
            (quote_spanned!(place => SyncHandler), quote!())
        };
        let handler = quote_spanned! { place => #home::__private::#handler<#message> };
        let signature = quote_spanned! { place =>
            #asyncness fn handle(&mut self, message: #message, cx: &mut #home::__private::Context<Self>)
                -> ::core::result::Result<#reply, #home::__private::Fault>
        };
        let mut body = Group::new(Delimiter::Brace, quote! { let _ = (&message, &cx); #answer });
        body.set_span(place);
        quote! {
            #[automatically_derived]
            impl #handler for #name {
                #signature #body
            }
        }
    }

    /// What a method returns, as the end of a turn; the compiler is to point at it when it is something else.
    fn turn(&self, method: &Method, reply: &TokenStream, call: &TokenStream) -> TokenStream {
        let home = &self.home;
        let place = method.output.as_ref().map_or(method.name.span(), Spanned::span);
        quote_spanned! { place => <_ as #home::__private::IntoTurn<#reply>>::into_turn(#call) }
    }

    /// The method on the pool for what blocks, with a copy of the value if it wants one; at the `self` that wants it the
    /// compiler says what the type lacks.
    fn blocking(&self, method: &Method) -> TokenStream {
        let (own, name) = (&self.name, &method.name);
        let work = match &method.shared {
            None => quote! { move || <#own>::#name(message) },
            Some(receiver) => quote_spanned! { receiver.span() => {
                let shared = ::core::clone::Clone::clone(&*self);
                move || <#own>::#name(&shared, message)
            } },
        };
        quote! { cx.run_blocking(#work).await? }
    }

    /// The method itself, with what it is given.
    fn call(&self, method: &Method, more: &TokenStream) -> TokenStream {
        let (own, name) = (&self.name, &method.name);
        let message = method.message.as_ref().map(|_| quote!(, message));
        let more = method.takes_more.then(|| quote!(, #more));
        let wait = method.is_async.then(|| quote!(.await));
        quote! { <#own>::#name(self #message #more) #wait }
    }
}

/// The type by which the actor is told what only this method hears.
fn own_message(method: &Method) -> Ident {
    format_ident!("{}", camel_case(&method.name.to_string()))
}

pub(super) fn duration(duration: Duration) -> TokenStream {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    quote! { ::core::time::Duration::new(#seconds, #nanos) }
}

/// A `Result` whose error is the answer's and not the supervisor's.
pub(super) fn is_fallible(output: Option<&Type>) -> bool {
    let Some(Type::Path(path)) = output else { return false };
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "Result") else { return false };
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return true };
    let error = arguments.args.iter().nth(1);
    !error.is_some_and(|error| matches!(error, GenericArgument::Type(Type::Path(path)) if is_fault(path)))
}

fn is_fault(path: &syn::TypePath) -> bool {
    path.path.segments.last().is_some_and(|last| last.ident == "Fault")
}
