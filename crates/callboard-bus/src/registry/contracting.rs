//! Contracts in the registry: made, looked at again when a side of them changes and from time to time, and forgotten with
//! their consumers.

use std::sync::Weak;
use std::time::Duration;

use callboard_actor::{Context, Fault, Message, Recipient, SyncHandler};

use super::{Registry, Snapshot};
use crate::contract::{Agreement, Contract, ContractChange, Contracts, Need, NegotiateError, negotiate};
use crate::discovery::Permissions;

/// So often all contracts are looked at.
const PERIOD: Duration = Duration::from_secs(60);

/// Finds the best for a need and keeps the contract.
pub(crate) struct Negotiate {
    pub(crate) need: Need,
    pub(crate) permissions: Permissions,
}

impl Message for Negotiate {
    type Reply = Result<Agreement, NegotiateError>;
}

impl SyncHandler<Negotiate> for Registry {
    fn handle(
        &mut self,
        Negotiate { need, permissions }: Negotiate,
        cx: &mut Context<Self>,
    ) -> Result<Result<Agreement, NegotiateError>, Fault> {
        Ok(self.negotiate(&need, &permissions, cx))
    }
}

/// Looks at all contracts.
struct CheckContracts;

impl Message for CheckContracts {
    type Reply = ();
}

impl SyncHandler<CheckContracts> for Registry {
    fn handle(&mut self, _: CheckContracts, cx: &mut Context<Self>) -> Result<(), Fault> {
        let before = self.board.snapshot();
        let (contracts, changes) = before.rechecked(|_| true);
        if !changes.is_empty() {
            self.publish_contracts(before.with_contracts(contracts), &changes, cx);
        }
        self.board.contracts_checked(cx.system().elapsed());
        Ok(())
    }
}

/// Adds a watcher of contracts, for as long as somebody holds on to the watch.
pub(crate) struct WatchContracts(pub(crate) Recipient<ContractChange>, pub(crate) Weak<()>);

impl Message for WatchContracts {
    type Reply = ();
}

impl SyncHandler<WatchContracts> for Registry {
    fn handle(&mut self, watch: WatchContracts, cx: &mut Context<Self>) -> Result<(), Fault> {
        let there = self.board.snapshot().contracts().changes();
        self.board.contract_watchers().add(watch.0, watch.1, there.into());
        self.tell(cx);
        Ok(())
    }
}

impl Registry {
    fn negotiate(
        &mut self,
        need: &Need,
        permissions: &Permissions,
        cx: &mut Context<Self>,
    ) -> Result<Agreement, NegotiateError> {
        let before = self.board.snapshot();
        let consumer = need.consumer().to_owned();
        if before.instances(&consumer).is_empty() {
            let near = before.near_module(&consumer);
            return Err(NegotiateError::UnknownConsumer { consumer, near });
        }
        let agreement = negotiate(need, permissions, &before.catalogue().now())?;
        let mut contracts = before.contracts().clone();
        contracts.keep(agreement.contract.clone(), agreement.doubts.clone());
        let made = ContractChange::Made(agreement.contract.clone());
        self.publish_contracts(before.with_contracts(contracts), &[made], cx);
        self.check_from_now_on(cx);
        Ok(agreement)
    }

    fn publish_contracts(&mut self, snapshot: Snapshot, changes: &[ContractChange], cx: &mut Context<Self>) {
        self.board.publish(snapshot);
        self.note_contracts(changes);
        self.tell(cx);
    }

    pub(super) fn note_contracts(&self, changes: &[ContractChange]) {
        for change in changes {
            if let ContractChange::Broken { breach, .. } = change {
                // As a quoted text: the names in it are those of schemas, which may be anything.
                let reason = breach.to_string();
                tracing::warn!(target: "callboard::contracts", code = %breach.code(), ?reason, "a contract holds no more");
            }
            self.board.contract_watchers().note(change);
        }
    }

    /// Begins with the first contract; where there is none nothing is looked at.
    pub(super) fn check_from_now_on(&mut self, cx: &mut Context<Self>) {
        let has_some = self.board.snapshot().contracts().iter().next().is_some();
        if has_some && self.checking.is_none() {
            self.checking = Some(cx.send_every(PERIOD, || CheckContracts));
        }
    }
}

impl Snapshot {
    /// The same with what a change of a module does to contracts.
    pub(super) fn settled(self, module: &str) -> (Self, Vec<ContractChange>) {
        let is_side = |contract: &Contract| contract.consumer == module || contract.provider == module;
        if !self.contracts().iter().any(|held| is_side(&held.contract)) {
            return (self, Vec::new());
        }
        let (mut contracts, mut changes) = self.rechecked(is_side);
        if self.instances(module).is_empty() {
            let forgotten = contracts.forget(module);
            changes.retain(|change| change.contract().consumer != module);
            changes.extend(forgotten.into_iter().map(ContractChange::Forgotten));
        }
        (self.with_contracts(contracts), changes)
    }

    fn rechecked(&self, is_concerned: impl Fn(&Contract) -> bool) -> (Contracts, Vec<ContractChange>) {
        let mut contracts = self.contracts().clone();
        let find = |provider: &str, capability_id: &str| self.capabilities(provider, capability_id);
        let changes = contracts.recheck(is_concerned, find);
        (contracts, changes)
    }
}
