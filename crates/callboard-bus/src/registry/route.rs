//! The way to one operation: everybody who offers it, and whose turn it is.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use callboard_actor::{Message, Recipient};
use semver::{Version, VersionReq};

use super::entry::Entry;
use super::standing::Standing;
use crate::callable::Callable;
use crate::descriptor::OperationDescriptor;
use crate::lookup::{LookupError, Unavailable, UnavailableInstance, UnavailableReason};
use crate::operation::OperationState;

/// Everybody who offers one operation. There is at least one.
pub(crate) struct Route {
    /// Highest version first.
    versions: Vec<Equals>,
}

/// Those of one version, who take turns.
struct Equals {
    /// In the order of their arrival.
    offers: Vec<Offer>,
    /// Whose turn it is; it goes on from one snapshot to the next.
    turn: Arc<AtomicUsize>,
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
        Self { versions }
    }

    /// The next instance to ask: of those that serve, the highest version, and of equals the one whose turn it is. Where
    /// nobody serves yet, one that is starting.
    #[inline]
    pub(crate) fn choose(&self, requirement: Option<&VersionReq>) -> Option<&Offer> {
        self.choose_of(requirement, |_| true)
    }

    fn choose_of(&self, requirement: Option<&VersionReq>, suits: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        let first = |wanted| {
            let is_wanted = |offer: &Offer| offer.entry.standing() == wanted && suits(offer);
            self.fitting(requirement).find_map(|equals| equals.next(is_wanted))
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
        let offer = self.choose_of(requirement, |offer| offer.takes(TypeId::of::<M>()));
        let recipient = offer.and_then(|offer| offer.operation.recipient().downcast_ref().cloned());
        recipient.ok_or_else(|| self.no_recipient::<M>(requirement))
    }

    /// What all who offer it share.
    pub(crate) fn state(&self) -> &Arc<OperationState> {
        self.versions[0].offers[0].operation.state()
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

impl Equals {
    fn new(first: Offer, before: Option<&Route>) -> Self {
        let before = before.and_then(|route| route.versions.iter().find(|equals| equals.version_is(&first)));
        let turn = before.map_or_else(Arc::default, |equals| Arc::clone(&equals.turn));
        Self { offers: vec![first], turn }
    }

    /// One whose turn has not come leaves it to the next, so that nobody has to be counted.
    #[inline]
    fn next(&self, is_wanted: impl Fn(&Offer) -> bool) -> Option<&Offer> {
        if let [only] = &self.offers[..] {
            return Some(only).filter(|only| is_wanted(only));
        }
        // Looking costs nobody a turn.
        self.offers.iter().find(|offer| is_wanted(offer))?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (passed, offer) = self.from(turn).enumerate().find(|(_, offer)| is_wanted(offer))?;
        if passed > 0 {
            // Those that were passed over have had their turns: the next one is not that of the same stand-in.
            self.turn.fetch_add(passed, Ordering::Relaxed);
        }
        Some(offer)
    }

    /// All of them, from the one whose turn it is.
    fn in_turn(&self) -> impl Iterator<Item = &Offer> {
        self.from(self.turn.load(Ordering::Relaxed))
    }

    /// All of them, from the one whose turn this is.
    fn from(&self, turn: usize) -> impl Iterator<Item = &Offer> {
        let (before, behind) = self.offers.split_at(turn % self.offers.len());
        behind.iter().chain(before)
    }

    fn version(&self) -> &Version {
        &self.offers[0].entry.descriptor().version
    }

    fn version_is(&self, offer: &Offer) -> bool {
        self.offers[0].entry.is_equal(&offer.entry)
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

impl Entry {
    fn unavailable(&self, tried: &Tried) -> UnavailableInstance {
        UnavailableInstance {
            name: self.descriptor().instance.clone(),
            version: self.descriptor().version.clone(),
            reason: tried.get(&self.number()).cloned().unwrap_or_else(|| self.reason()),
        }
    }
}
