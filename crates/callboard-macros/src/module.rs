//! `#[module(..)]`.

mod arguments;
mod casing;
mod method;
mod operations;
mod role;
mod settings;
mod written;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Ident, ImplItem, ItemImpl, Path, Type};

use self::arguments::Arguments;
use self::method::Method;
use self::role::Role;
use crate::crate_path;

/// The block as it was, less the attributes that are read here, and what makes a module of its type.
///
/// # Errors
///
/// Everything that is wrong with the block, each fault at its place.
pub(crate) fn expand(arguments: TokenStream, mut block: ItemImpl) -> syn::Result<TokenStream> {
    let mut arguments = Arguments::read(arguments)?;
    let home = crate_path::bus(arguments.home.take())?;
    let name = type_name(&block)?.clone();
    let methods = Method::take_all(&mut block)?;
    check_hooks(&methods)?;
    let module = Module { home, name, arguments, methods, documentation: role::documentation(&block.attrs) };
    let (actor, operations) = (module.written(), module.operations());
    // What a method takes and returns is said by its part, however little it does with it.
    Ok(
        quote! { #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)] #block #actor #operations },
    )
}

/// What was read.
struct Module {
    /// The path of `callboard_bus`.
    home: Path,
    name: Ident,
    arguments: Arguments,
    /// Those that have a part in the module.
    methods: Vec<Method>,
    documentation: String,
}

impl Module {
    fn with_role(&self, is: impl Fn(&Role) -> bool) -> impl Iterator<Item = &Method> {
        self.methods.iter().filter(move |method| is(&method.role))
    }
}

/// The type of `impl Name { .. }`.
fn type_name(block: &ItemImpl) -> syn::Result<&Ident> {
    if let Some((path, _)) = &block.trait_ {
        return Err(Error::new_spanned(path, "write `#[module]` on the type's own `impl`, not on that of a trait"));
    }
    if !block.generics.params.is_empty() {
        return Err(Error::new_spanned(&block.generics, "a module is of one type: it has no parameters"));
    }
    let plain = match &*block.self_ty {
        Type::Path(path) => path.path.segments.last().filter(|last| last.arguments.is_none()),
        _ => None,
    };
    let told = "a module is of one type, named without parameters";
    plain.map(|last| &last.ident).ok_or_else(|| Error::new_spanned(&block.self_ty, told))
}

/// Those that there is one of at most.
fn check_hooks(methods: &[Method]) -> syn::Result<()> {
    let mut probes = methods.iter().filter(|method| matches!(method.role, Role::Probe));
    match (probes.next(), probes.next()) {
        (Some(_), Some(second)) => Err(Error::new_spanned(&second.name, "a module has one probe")),
        _ => Ok(()),
    }
}

/// All faults as one, so that they are told together.
fn gather(faults: impl IntoIterator<Item = Error>) -> syn::Result<()> {
    let together = faults.into_iter().reduce(|mut all, fault| {
        all.combine(fault);
        all
    });
    together.map_or(Ok(()), Err)
}

/// The methods of a block.
fn functions(block: &mut ItemImpl) -> impl Iterator<Item = &mut syn::ImplItemFn> {
    block.items.iter_mut().filter_map(|item| if let ImplItem::Fn(function) = item { Some(function) } else { None })
}
