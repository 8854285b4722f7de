//! What a method is to its module: [`Role`].

use std::time::Duration;

use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Error, Expr, ExprLit, ImplItemFn, Lit, LitStr, Meta, Receiver, ReceiverKind, Token};

use super::arguments::{checked, some_time};
use super::settings::Settings;
use crate::keys::{key_name, read_duration, set};
use crate::names;

/// See above.
pub(super) enum Role {
    /// `#[request("name", ..)]`
    Request(Box<Request>),
    /// `#[event("pattern", channel = "name")]`
    Event(Hearing),
    /// `#[every("30s")]`
    Every(Duration),
    /// `#[probe]`
    Probe,
    /// `fn start(cx)`, which has no `self`.
    Start,
    /// `fn started(&mut self, cx)`
    Started,
    /// `fn stop(self, why)`
    Stop,
}

/// What stands in the brackets of `#[event(..)]`, which need not be there.
#[derive(Default)]
pub(super) struct Hearing {
    /// None where the type of the event has the name.
    pub(super) pattern: Option<LitStr>,
    pub(super) channel: Option<LitStr>,
}

/// What stands in the brackets of `#[request(..)]`.
pub(super) struct Request {
    pub(super) name: LitStr,
    pub(super) is_idempotent: bool,
    pub(super) is_for_modules: bool,
    /// It blocks its thread, and has one of its own.
    pub(super) is_blocking: bool,
    pub(super) deprecated: Option<LitStr>,
    /// What it takes, as a table.
    pub(super) parameters: Option<Expr>,
    pub(super) settings: Settings,
}

impl Role {
    /// Whether it is an operation that blocks its thread.
    pub(super) fn is_blocking(&self) -> bool {
        matches!(self, Self::Request(request) if request.is_blocking)
    }

    /// Whether it is given something beside itself and the context.
    pub(super) fn takes_message(&self) -> bool {
        matches!(self, Self::Request(_) | Self::Event(_))
    }

    /// The role of a method, whose attribute is taken off; none when it is nobody's business.
    pub(super) fn take(function: &mut ImplItemFn) -> syn::Result<Option<Self>> {
        let mut given = None;
        let mut kept = Vec::new();
        for attribute in std::mem::take(&mut function.attrs) {
            match Self::read(&attribute)? {
                None => kept.push(attribute),
                Some(_) if given.is_some() => {
                    return Err(Error::new_spanned(attribute, "a method has one part in its module"));
                }
                role => given = role,
            }
        }
        function.attrs = kept;
        Ok(given.or_else(|| Self::of_hook(function)))
    }

    fn read(attribute: &Attribute) -> syn::Result<Option<Self>> {
        let path = attribute.path();
        Ok(Some(match () {
            () if path.is_ident("request") => Self::Request(Box::new(attribute.parse_args()?)),
            () if path.is_ident("event") => Self::Event(hearing(attribute)?),
            () if path.is_ident("every") => Self::Every(period(&attribute.parse_args()?)?),
            () if path.is_ident("probe") => {
                attribute.meta.require_path_only()?;
                Self::Probe
            }
            () => return Ok(None),
        }))
    }

    /// By its name and by what becomes of the value: a `stop(&mut self)` is nobody's business.
    fn of_hook(function: &ImplItemFn) -> Option<Self> {
        let is_by_value = |receiver: &Receiver| matches!(receiver.kind, ReceiverKind::Value);
        match (function.sig.ident.to_string().as_str(), function.sig.receiver()) {
            ("start", None) => Some(Self::Start),
            ("started", Some(_)) => Some(Self::Started),
            ("stop", Some(receiver)) if is_by_value(receiver) => Some(Self::Stop),
            _ => None,
        }
    }
}

fn hearing(attribute: &Attribute) -> syn::Result<Hearing> {
    if matches!(attribute.meta, Meta::Path(_)) { Ok(Hearing::default()) } else { attribute.parse_args() }
}

impl Parse for Hearing {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut hearing = Self::default();
        if input.peek(LitStr) {
            hearing.pattern = Some(checked(input.parse()?, names::check_pattern)?);
            if input.parse::<Option<Token![,]>>()?.is_none() {
                return Ok(hearing);
            }
        }
        syn::meta::parser(|meta| hearing.read_one(&meta)).parse2(input.parse()?)?;
        Ok(hearing)
    }
}

impl Hearing {
    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match key_name(&meta.path).as_str() {
            "channel" => set(&mut self.channel, meta, |meta| checked(meta.value()?.parse()?, names::check_channel)),
            other => Err(meta.error(format!("unknown key `{other}`; behind the pattern there is `channel`"))),
        }
    }
}

fn period(text: &LitStr) -> syn::Result<Duration> {
    let period = read_duration(text)?;
    some_time(text, period, "a period of no time never ends")
}

impl Parse for Request {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = checked(input.parse()?, names::check_operation)?;
        let (is_idempotent, is_for_modules, is_blocking) = (false, false, false);
        let settings = Settings::default();
        let mut request =
            Self { name, is_idempotent, is_for_modules, is_blocking, deprecated: None, parameters: None, settings };
        if input.parse::<Option<Token![,]>>()?.is_some() {
            syn::meta::parser(|meta| request.read_one(&meta)).parse2(input.parse()?)?;
        }
        Ok(request)
    }
}

impl Request {
    fn read_one(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        match key_name(&meta.path).as_str() {
            "idempotent" => flag(&mut self.is_idempotent, meta),
            "for_modules" => flag(&mut self.is_for_modules, meta),
            "blocking" => flag(&mut self.is_blocking, meta),
            "deprecated" => set(&mut self.deprecated, meta, |meta| meta.value()?.parse()),
            "parameters" => set(&mut self.parameters, meta, |meta| meta.value()?.parse()),
            _ if self.settings.read_one(meta)? => Ok(()),
            other => {
                let keys = "the keys are `idempotent`, `for_modules`, `blocking`, `deprecated`, `parameters`";
                Err(meta.error(format!("unknown key `{other}`; {keys}, {}", Settings::KEYS)))
            }
        }
    }
}

/// A key that stands once or not at all.
fn flag(place: &mut bool, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
    let mut once = place.then_some(());
    set(&mut once, meta, |_| Ok(()))?;
    *place = true;
    Ok(())
}

/// The first paragraph of what is written above something, on one line.
pub(super) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(documented).map(|line| line.trim().to_owned());
    let paragraph: Vec<_> = lines.skip_while(String::is_empty).take_while(|line| !line.is_empty()).collect();
    paragraph.join(" ")
}

fn documented(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attribute.meta else { return None };
    match &meta.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if meta.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}
