//! The way to one operation: everybody who offers it, and whose turn it is.

use std::any::{TypeId, type_name};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callboard_actor::{Message, Recipient};
use semver::{Version, VersionReq};

use super::entry::Entry;
use crate::descriptor::OperationDescriptor;
use crate::lookup::{LookupError, Unavailable, UnavailableInstance, UnavailableReason};
use crate::operation::Operation;

/// Everybody who offers one operation.
pub(crate) struct Route {
    /// Highest version first, then in the order of arrival.
    offers: Vec<Offer>,
    /// Whose turn it is; it goes on from one snapshot to the next.
    turn: Arc<AtomicUsize>,
}

/// An operation of an instance.
pub(crate) struct Offer {
    entry: Arc<Entry>,
    operation: Arc<dyn Operation>,
}

/// Instances that were asked in vain, and why.
pub(crate) type Tried = [(u64, UnavailableReason)];

impl Route {
    /// A way to the first of those who offer the operation; the turns go on where those of the way before it were.
    pub(super) fn new(first: Offer, before: Option<&Self>) -> Self {
        let turn = before.map_or_else(Arc::default, |route| Arc::clone(&route.turn));
        Self { offers: vec![first], turn }
    }

    /// One more who offers the operation, of the same version or a lower one.
    pub(super) fn add(&mut self, offer: Offer) {
        self.offers.push(offer);
    }

    /// The next instance to ask: of those that serve, the highest version, and of equals the one whose turn it is. When
    /// there is none, one whose breaker is open, as it knows when to come back.
    #[inline]
    pub(crate) fn choose(&self, requirement: Option<&VersionReq>, tried: &Tried) -> Option<&Offer> {
        let is_new = |offer: &Offer| tried.iter().all(|(number, _)| *number != offer.entry.number());
        self.ready(requirement, is_new)
            .or_else(|| self.fitting(requirement).find(|offer| offer.entry.is_waiting() && is_new(offer)))
    }

    /// A reference to the instance whose turn it is, of those that take this type of message.
    pub(crate) fn recipient<M: Message>(&self, requirement: Option<&VersionReq>) -> Result<Recipient<M>, LookupError> {
        self.check_versions(requirement)?;
        let recipient = |offer: &Offer| offer.operation.recipient().downcast_ref().cloned();
        let ready = self.ready(requirement, |offer| offer.takes(TypeId::of::<M>()));
        if let Some(recipient) = ready.and_then(recipient) {
            return Ok(recipient);
        }
        let mut fitting = self.fitting(requirement);
        if fitting.any(|offer| offer.takes(TypeId::of::<M>())) {
            return Err(self.unavailable(requirement, &[]).into());
        }
        let takes = self.describe(requirement)?.message;
        Err(LookupError::MessageType { name: self.address().to_owned(), takes, asked: type_name::<M>() })
    }

    /// What the highest version that matches says of the operation, whether or not it serves now.
    pub(crate) fn describe(&self, requirement: Option<&VersionReq>) -> Result<Arc<OperationDescriptor>, LookupError> {
        self.check_versions(requirement)?;
        let offer = self.fitting(requirement).next();
        Ok(Arc::clone(offer.unwrap_or(&self.offers[0]).operation.descriptor()))
    }

    /// Why nobody was found who takes the call.
    #[cold]
    pub(crate) fn refusal(&self, requirement: Option<&VersionReq>, tried: &Tried) -> LookupError {
        self.check_versions(requirement).err().unwrap_or_else(|| self.unavailable(requirement, tried).into())
    }

    /// Equals lie next to each other. One that is not ready leaves its turn to the next, so that nobody has to be counted.
    fn ready(&self, requirement: Option<&VersionReq>, suits: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        let is_ready = |offer: &Offer| offer.entry.is_ready() && suits(offer);
        let fits = |offer: &Offer| requirement.is_none_or(|wanted| wanted.matches(&offer.entry.descriptor().version));
        let first = self.offers.iter().position(|offer| fits(offer) && is_ready(offer))?;
        let behind = &self.offers[first..];
        let (equals, _) = behind.split_at(behind.partition_point(|offer| offer.entry.is_equal(&behind[0].entry)));
        if equals.len() == 1 {
            return Some(&equals[0]);
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % equals.len();
        let mut in_turn = equals[turn..].iter().chain(&equals[..turn]).enumerate();
        // States change meanwhile; whoever was ready first will do then.
        let (passed, offer) = in_turn.find(|(_, offer)| is_ready(offer)).unwrap_or((0, &equals[0]));
        if passed > 0 {
            // Those that were passed over have had their turns: the next one is not that of the same stand-in.
            self.turn.fetch_add(passed, Ordering::Relaxed);
        }
        Some(offer)
    }

    fn fitting(&self, requirement: Option<&VersionReq>) -> impl Iterator<Item = &Offer> {
        let fits = move |version| requirement.is_none_or(|requirement| requirement.matches(version));
        self.offers.iter().filter(move |offer| fits(&offer.entry.descriptor().version))
    }

    fn check_versions(&self, requirement: Option<&VersionReq>) -> Result<(), LookupError> {
        match requirement {
            Some(requirement) if self.fitting(Some(requirement)).next().is_none() => Err(LookupError::Version {
                name: self.address().to_string(),
                requirement: requirement.clone(),
                there: self.versions(),
            }),
            _ => Ok(()),
        }
    }

    fn versions(&self) -> Vec<Version> {
        let mut versions: Vec<_> = self.offers.iter().map(|offer| offer.entry.descriptor().version.clone()).collect();
        versions.dedup();
        versions
    }

    fn unavailable(&self, requirement: Option<&VersionReq>, tried: &Tried) -> Unavailable {
        let instances = self.fitting(requirement).map(|offer| {
            let entry = &offer.entry;
            let known = tried.iter().find(|(number, _)| *number == entry.number());
            UnavailableInstance {
                name: entry.descriptor().instance.clone(),
                version: entry.descriptor().version.clone(),
                reason: known.map_or_else(|| entry.reason(), |(_, reason)| reason.clone()),
            }
        });
        Unavailable::new(self.address().to_string(), instances.collect())
    }

    /// Whether anybody takes this type of message.
    pub(super) fn takes(&self, message: TypeId) -> bool {
        self.offers.iter().any(|offer| offer.takes(message))
    }

    /// `module.operation`.
    pub(super) fn address(&self) -> &str {
        &self.offers[0].operation.descriptor().address
    }

    /// The name of the operation alone.
    pub(super) fn name(&self) -> &str {
        self.offers[0].name()
    }
}

impl Offer {
    pub(super) fn all_of(entry: &Arc<Entry>) -> impl Iterator<Item = Self> {
        let operations = entry.operations().iter();
        operations.map(|operation| Self { entry: Arc::clone(entry), operation: Arc::clone(operation) })
    }

    /// By the names of their operations, and those of one name highest version first, then in the order of arrival.
    pub(super) fn rank(&self, other: &Self) -> std::cmp::Ordering {
        self.name().cmp(other.name()).then_with(|| self.entry.rank(&other.entry))
    }

    pub(crate) fn operation(&self) -> &dyn Operation {
        &*self.operation
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    fn takes(&self, message: TypeId) -> bool {
        self.operation.message() == message
    }

    /// The name of the operation alone.
    pub(super) fn name(&self) -> &str {
        &self.operation.descriptor().name
    }
}
