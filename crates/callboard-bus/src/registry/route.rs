//! The way to one operation: everybody who offers it, and whose turn it is.

mod equals;

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use callboard_actor::{Message, Recipient, Target, TellError};
use semver::VersionReq;

use self::equals::Equals;
use super::entry::Entry;
use super::standing::Standing;
use crate::balance::CallKey;
use crate::callable::Callable;
use crate::descriptor::OperationDescriptor;
use crate::lookup::{LookupError, Unavailable, UnavailableInstance, UnavailableReason};
use crate::operation::OperationState;
use crate::unsent::{SendError, Unsent};

/// Everybody who offers one operation. There is at least one.
pub(crate) struct Route {
    /// Highest version first.
    versions: Vec<Equals>,
}

/// An operation of an instance.
pub(crate) struct Offer {
    entry: Arc<Entry>,
    operation: Arc<dyn Callable>,
}

/// The numbers of instances that were asked in vain, and why.
pub(crate) type Tried = HashMap<u64, UnavailableReason>;

impl Route {
    /// The offers are those of one operation, in their rank. The turns go on where those of the way before it were.
    pub(super) fn new(offers: Vec<Offer>, before: Option<&Self>) -> Self {
        let mut versions: Vec<Equals> = Vec::new();
        for offer in offers {
            match versions.last_mut().filter(|equals| equals.version_is(&offer)) {
                Some(equals) => equals.offers.push(offer),
                None => versions.push(Equals::new(offer, before)),
            }
        }
        versions.iter_mut().for_each(Equals::settle);
        Self { versions }
    }

    /// The next instance to ask: of those that serve, the highest version, and of equals the one that their balance says.
    /// Where nobody serves yet, one that is starting.
    #[inline]
    pub(crate) fn choose(&self, requirement: Option<&VersionReq>, key: Option<CallKey>) -> Option<&Offer> {
        self.choose_of(requirement, key, |_| true)
    }

    fn choose_of(
        &self,
        requirement: Option<&VersionReq>,
        key: Option<CallKey>,
        suits: impl Fn(&Offer) -> bool,
    ) -> Option<&Offer> {
        let first = |wanted| {
            let is_wanted = |offer: &Offer| offer.entry.standing() == wanted && suits(offer);
            self.fitting(requirement).find_map(|equals| equals.next(key, is_wanted))
        };
        first(Standing::Serving).or_else(|| first(Standing::Starting))
    }

    /// Whom to ask when this one has handed a call back: all others that take calls, each once, in the same order. It costs
    /// nobody a turn; see [`took`](Self::took).
    #[cold]
    pub(crate) fn others(&self, requirement: Option<&VersionReq>, asked: &Offer) -> Vec<&Offer> {
        let others = self.fitting(requirement).flat_map(Equals::in_turn).filter(|offer| !offer.is_of(&asked.entry));
        let mut others: Vec<_> = others.map(|offer| (offer.entry.standing(), offer)).collect();
        others.retain(|(standing, _)| standing.takes_calls());
        others.sort_by_key(|(standing, _)| *standing);
        others.into_iter().map(|(_, offer)| offer).collect()
    }

    /// One of the others has taken the call: it has had its turn, and those that stood before it as well.
    #[cold]
    pub(crate) fn took(&self, taker: &Offer) {
        for equals in self.versions.iter().filter(|equals| equals.version_is(taker)) {
            let passed = equals.in_turn().position(|offer| offer.is_of(&taker.entry));
            equals.turn.fetch_add(passed.map_or(0, |passed| passed + 1), Ordering::Relaxed);
        }
    }

    /// A reference to the instance whose turn it is, of those that take this type of message.
    pub(crate) fn recipient<M: Message>(&self, requirement: Option<&VersionReq>) -> Result<Recipient<M>, LookupError> {
        let offer = self.choose_of(requirement, None, |offer| offer.takes(TypeId::of::<M>()));
        let recipient = offer.and_then(Offer::recipient);
        recipient.ok_or_else(|| self.no_recipient::<M>(requirement))
    }

    /// What all who offer it share.
    pub(crate) fn state(&self) -> &Arc<OperationState> {
        self.versions[0].offers[0].operation.state()
    }

    /// Sends a message to the instance whose turn it is, or to the next that has room for it now.
    pub(crate) fn send<M: Message>(&self, requirement: Option<&VersionReq>, message: M) -> Result<(), Unsent<M>> {
        let takes = |offer: &Offer| offer.takes(TypeId::of::<M>());
        let first = self.choose_of(requirement, None, takes);
        let Some(first) = first else {
            return Err(Unsent { error: self.no_recipient::<M>(requirement).into(), message });
        };
        match first.send(message) {
            Ok(()) => Ok(()),
            Err(refused) => self.send_to_others(requirement, first, refused),
        }
    }

    #[cold]
    fn send_to_others<M: Message>(
        &self,
        requirement: Option<&VersionReq>,
        first: &Offer,
        refused: TellError<M>,
    ) -> Result<(), Unsent<M>> {
        let (mut tried, mut last, mut refused) = (Tried::new(), first, refused);
        let mut others = self.others(requirement, first).into_iter();
        while let Some(reason) = why_not_taken(&refused) {
            tried.insert(last.entry.number(), reason);
            let Some(other) = others.find(|other| other.takes(TypeId::of::<M>())) else { break };
            last = other;
            match other.send(refused.into_message()) {
                Ok(()) => {
                    self.took(other);
                    return Ok(());
                }
                Err(error) => refused = error,
            }
        }
        last.recipient::<M>().inspect(Target::bury);
        let error = match &refused {
            TellError::Denied { reason, .. } => {
                SendError::Denied { instance: last.instance().to_owned(), reason: reason.clone() }
            }
            _ => self.refusal(requirement, &tried).into(),
        };
        Err(Unsent { error, message: refused.into_message() })
    }

    /// What the highest version that matches says of the operation, whether or not it serves now.
    pub(crate) fn describe(&self, requirement: Option<&VersionReq>) -> Result<Arc<OperationDescriptor>, LookupError> {
        let offer = self.offers(requirement).next().ok_or_else(|| self.no_version(requirement))?;
        Ok(Arc::clone(offer.operation.descriptor()))
    }

    /// Why nobody was found who takes the call.
    #[cold]
    pub(crate) fn refusal(&self, requirement: Option<&VersionReq>, tried: &Tried) -> LookupError {
        match self.unavailable(self.offers(requirement), tried) {
            Some(unavailable) => unavailable.into(),
            None => self.no_version(requirement),
        }
    }

    #[cold]
    fn no_recipient<M: Message>(&self, requirement: Option<&VersionReq>) -> LookupError {
        let takers = self.offers(requirement).filter(|offer| offer.takes(TypeId::of::<M>()));
        match (self.unavailable(takers, &Tried::new()), self.describe(requirement)) {
            (Some(unavailable), _) => unavailable.into(),
            (None, Ok(there)) => LookupError::MessageType {
                name: self.address().to_owned(),
                takes: there.message,
                asked: type_name::<M>(),
            },
            (None, Err(error)) => error,
        }
    }

    fn no_version(&self, requirement: Option<&VersionReq>) -> LookupError {
        LookupError::Version {
            name: self.address().to_owned(),
            requirement: requirement.cloned().unwrap_or_default(),
            there: self.versions.iter().map(|equals| equals.version().clone()).collect(),
        }
    }

    /// What is to be said of these, if there are any.
    fn unavailable<'a>(&self, offers: impl Iterator<Item = &'a Offer>, tried: &Tried) -> Option<Unavailable> {
        let instances: Vec<_> = offers.map(|offer| offer.entry.unavailable(tried)).collect();
        (!instances.is_empty()).then(|| Unavailable::new(self.address().to_owned(), instances))
    }

    fn fitting(&self, requirement: Option<&VersionReq>) -> impl Iterator<Item = &Equals> {
        self.versions.iter().filter(move |equals| requirement.is_none_or(|wanted| wanted.matches(equals.version())))
    }

    fn offers(&self, requirement: Option<&VersionReq>) -> impl Iterator<Item = &Offer> {
        self.fitting(requirement).flat_map(|equals| &equals.offers)
    }

    /// Whether anybody takes this type of message.
    pub(super) fn takes(&self, message: TypeId) -> bool {
        self.offers(None).any(|offer| offer.takes(message))
    }

    /// `module.operation`.
    pub(super) fn address(&self) -> &str {
        &self.versions[0].offers[0].operation.descriptor().address
    }

    /// The name of the operation alone.
    pub(super) fn name(&self) -> &str {
        self.versions[0].offers[0].name()
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

    pub(crate) fn operation(&self) -> &dyn Callable {
        &*self.operation
    }

    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// What takes the messages of the operation, if they are of this type.
    fn recipient<M: Message>(&self) -> Option<Recipient<M>> {
        self.operation.recipient().downcast_ref().cloned()
    }

    /// Leaves a message there, if it is of the type that is taken.
    fn send<M: Message>(&self, message: M) -> Result<(), TellError<M>> {
        match self.operation.recipient().downcast_ref::<Recipient<M>>() {
            Some(recipient) => recipient.try_tell(message),
            None => Err(TellError::Stopped(message)),
        }
    }

    fn instance(&self) -> &str {
        &self.entry.descriptor().instance
    }

    fn weight(&self) -> u64 {
        self.entry.descriptor().weight.into()
    }

    fn is_of(&self, entry: &Entry) -> bool {
        self.entry.number() == entry.number()
    }

    fn takes(&self, message: TypeId) -> bool {
        self.operation.message() == message
    }

    /// The name of the operation alone.
    pub(super) fn name(&self) -> &str {
        &self.operation.descriptor().name
    }
}

/// Why another may take a message that was handed back; nothing where another would be a way around the hook.
fn why_not_taken<M>(refused: &TellError<M>) -> Option<UnavailableReason> {
    match refused {
        TellError::Refused { retry_after, .. } => {
            Some(UnavailableReason::BreakerOpen(Some(*retry_after).filter(|&wait| wait < Duration::MAX)))
        }
        TellError::Full(_) => Some(UnavailableReason::Full),
        TellError::ShuttingDown(_) => Some(UnavailableReason::Stopping),
        TellError::Stopped(_) => Some(UnavailableReason::Stopped),
        _ => None,
    }
}

impl Entry {
    fn unavailable(&self, tried: &Tried) -> UnavailableInstance {
        UnavailableInstance {
            name: self.descriptor().instance.clone(),
            version: self.descriptor().version.clone(),
            reason: tried.get(&self.number()).cloned().unwrap_or_else(|| self.reason()),
        }
    }
}
