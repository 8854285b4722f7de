//! A method that has a part in its module: [`Method`].

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{
    Error, FnArg, Ident, ImplItemFn, ItemImpl, Receiver, ReceiverKind, ReturnType, Signature, Type, TypeReference,
};

use super::role::{Role, documentation};
use super::{functions, gather};

/// See above.
pub(super) struct Method {
    pub(super) role: Role,
    pub(super) name: Ident,
    pub(super) is_async: bool,
    /// `&self`, where it is shared.
    pub(super) shared: Option<Receiver>,
    /// What it is given beside itself and the context.
    pub(super) message: Option<Type>,
    /// Whether it is given more: the context, or why it stops.
    pub(super) takes_more: bool,
    /// What it returns; nothing for `()`.
    pub(super) output: Option<Type>,
    pub(super) documentation: String,
}

impl Method {
    /// Takes the attributes off a block.
    ///
    /// # Errors
    ///
    /// All faults of all methods.
    pub(super) fn take_all(block: &mut ItemImpl) -> syn::Result<Vec<Self>> {
        let mut faults = Vec::new();
        let mut methods = Vec::new();
        for function in functions(block) {
            match Self::take(function) {
                Ok(method) => methods.extend(method),
                Err(fault) => faults.push(fault),
            }
        }
        faults.extend(twins(&methods));
        gather(faults)?;
        Ok(methods)
    }

    fn take(function: &mut ImplItemFn) -> syn::Result<Option<Self>> {
        let Some(role) = Role::take(function)? else { return Ok(None) };
        let signature = &function.sig;
        check(&role, signature)?;
        let mut types = signature.inputs.iter().filter_map(type_of);
        let message = if role.takes_message() { types.next() } else { None };
        Ok(Some(Self {
            name: signature.ident.clone(),
            is_async: signature.asyncness.is_some(),
            shared: signature.receiver().filter(|receiver| is_shared(receiver)).cloned(),
            message,
            takes_more: types.next().is_some(),
            output: output(signature),
            documentation: documentation(&function.attrs),
            role,
        }))
    }

    fn written_message(&self) -> String {
        self.message.to_token_stream().to_string()
    }

    /// Where the compiler is to point when its message is none; names mean there what they mean in other code that is written.
    pub(super) fn place(&self) -> Span {
        Span::call_site().located_at(self.message.as_ref().map_or(self.name.span(), Spanned::span))
    }

    /// Whether it blocks its thread.
    pub(super) fn is_blocking(&self) -> bool {
        self.role.is_blocking()
    }

    /// The name of its operation, if it is one.
    pub(super) fn operation(&self) -> Option<String> {
        if let Role::Request(request) = &self.role { Some(request.name.value()) } else { None }
    }
}

fn type_of(input: &FnArg) -> Option<Type> {
    if let FnArg::Typed(typed) = input { Some((*typed.ty).clone()) } else { None }
}

fn output(signature: &Signature) -> Option<Type> {
    if let ReturnType::Type(_, output) = &signature.output { Some((**output).clone()) } else { None }
}

/// What a method of this role is given: the least and the most, beside itself.
fn check(role: &Role, signature: &Signature) -> syn::Result<()> {
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(&signature.generics, "what is called by the framework has no parameters"));
    }
    let (least, most, told) = match role {
        Role::Request(request) if request.is_blocking => {
            (1, 1, "an operation that blocks is given its message alone: the context stays with its actor")
        }
        Role::Request(_) => (1, 2, "an operation is given its message, and then the context if it wants it"),
        Role::Event(_) => (1, 2, "it is given the event, and then the context if it wants it"),
        Role::Every(_) | Role::Probe => (0, 1, "it is given nothing but the context, if it wants it"),
        Role::Start => (1, 1, "`start` is given the context: `async fn start(cx: &mut Context<Self>)`"),
        Role::Started => {
            (1, 1, "`started` is given the context: `async fn started(&mut self, cx: &mut Context<Self>)`")
        }
        Role::Stop => {
            (0, 1, "`stop` is given nothing but why it stops, if it wants it: `async fn stop(self, why: StopReason)`")
        }
    };
    check_context(role, signature, told)?;
    let given = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).count();
    if !(least..=most).contains(&given) {
        let mut typed = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
        return Err(match typed.nth(most) {
            Some(extra) => Error::new_spanned(extra, told),
            None => Error::new(signature.ident.span(), told),
        });
    }
    check_receiver(role, signature)?;
    check_asyncness(role, signature)
}

/// The context in the place of the message, which would else be taken for a message that nothing can be done with.
fn check_context(role: &Role, signature: &Signature, told: &str) -> syn::Result<()> {
    let mut typed = signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
    let Some(context) = typed.next().filter(|first| role.takes_message() && is_context(first)) else { return Ok(()) };
    let told = match typed.next() {
        Some(message) if !role.is_blocking() => {
            format!("the context comes last: write it after `{}`", shown(message))
        }
        _ => told.to_owned(),
    };
    Err(Error::new_spanned(context, told))
}

/// `&mut Context<..>`, by whatever path; what else might have this name is no message either, as it is borrowed.
fn is_context(input: &FnArg) -> bool {
    let Some(Type::Reference(TypeReference { mutability: Some(_), elem, .. })) = type_of(input) else { return false };
    matches!(&*elem, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Context"))
}

/// A parameter as it was written, as far as the tokens still say.
fn shown(input: &FnArg) -> String {
    input.to_token_stream().to_string().replace(" :", ":")
}

fn check_receiver(role: &Role, signature: &Signature) -> syn::Result<()> {
    if matches!(role, Role::Start | Role::Stop) {
        return Ok(());
    }
    if role.is_blocking() {
        return match signature.receiver().filter(|receiver| !is_shared(receiver)) {
            Some(receiver) => Err(Error::new_spanned(
                receiver,
                "write `&self`, or no `self`: what blocks runs on a copy of the value",
            )),
            None => Ok(()),
        };
    }
    let is_exclusive = |receiver: &Receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, Some(_)));
    let told = "write `&mut self`: a turn has its actor to itself";
    match signature.receiver() {
        Some(receiver) if is_exclusive(receiver) => Ok(()),
        Some(receiver) => Err(Error::new_spanned(receiver, told)),
        None => Err(Error::new_spanned(&signature.ident, told)),
    }
}

fn check_asyncness(role: &Role, signature: &Signature) -> syn::Result<()> {
    if matches!(role, Role::Start | Role::Started | Role::Stop) && signature.asyncness.is_none() {
        return Err(Error::new_spanned(signature.fn_token, "write `async fn`"));
    }
    match signature.asyncness.filter(|_| role.is_blocking()) {
        Some(asyncness) => {
            Err(Error::new_spanned(asyncness, "what waits does not block: leave out `async` or `blocking`"))
        }
        None => Ok(()),
    }
}

fn is_shared(receiver: &Receiver) -> bool {
    matches!(receiver.kind, ReceiverKind::Reference(_, _, None))
}

/// Operations of one name, and operations that take one type of message: told at the second of both.
fn twins(methods: &[Method]) -> Vec<Error> {
    let mut faults = Vec::new();
    for (place, method) in methods.iter().enumerate() {
        let Role::Request(request) = &method.role else { continue };
        let before = || methods[..place].iter().filter(|other| matches!(other.role, Role::Request(_)));
        if before().any(|other| other.operation() == method.operation()) {
            faults.push(Error::new(request.name.span(), format!("two operations `{}`", request.name.value())));
        }
        if before().any(|other| other.written_message() == method.written_message()) {
            let told = "another operation takes the same type: give each a message of its own";
            faults.push(Error::new_spanned(&method.message, told));
        }
    }
    faults
}
