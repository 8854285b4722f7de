//! What happens at the start of an actor, after a fault, and at its end: the state table, as code.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use std::time::Duration;

use super::{AfterClose, Build, Closing, Driver, Flow, Phase};
use crate::actor::{Actor, StopReason};
use crate::breaker::{BreakerMode, BreakerState, Outcome, Transition};
use crate::cell::{ActorCell, Directive, FENCED, Remains, Tally};
use crate::child::Restart;
use crate::clock::Nanos;
use crate::context::Leaving;
use crate::dead_letter::{DeadReason, Kept, Quarantined};
use crate::envelope::{Envelope, TellAsker};
use crate::error::AskFailure;
use crate::fault::{Fault, FaultClass, FaultKind, Incident, catch, drop_quietly};
use crate::gate::ActorState;
use crate::lineage::Lineage;
use crate::mailbox::{CONTROL, Overflow, Pushed};
use crate::message::{MessageId, Priority};
use crate::observer::BreakerChange;
use crate::supervisor::{GiveUp, Report, Strategy};
use crate::sync::Ordering;
use crate::system::System;
use crate::turn::{Ending, Failure, LocalFuture, Salvage};

impl<A: Actor> Driver<A> {
    /// Builds a value, and runs its `started`.
    pub(super) fn build(&mut self, build: Build, task: &mut Task<'_>) -> Flow {
        let polled = match build {
            Build::Due => match self.call_factory(task) {
                Some(polled) => polled,
                None => return Flow::Again,
            },
            Build::Built => self.turn.begin_started(task),
            Build::Factory | Build::Started => self.turn.poll(task),
        };
        match polled {
            Poll::Pending => self.wait_for_start(build, task),
            Poll::Ready(Ending::Built(value)) => {
                self.turn.install(*value);
                self.phase = Phase::Building(Build::Built);
                Flow::Again
            }
            Poll::Ready(Ending::Failed(failure)) => self.failed_start(failure.fault),
            Poll::Ready(_) => self.start_serving(),
        }
    }

    /// Runs the factory; `None` when it has answered at once.
    fn call_factory(&mut self, task: &mut Task<'_>) -> Option<Poll<Ending<A>>> {
        let Some(generation) = self.cell.core.next_generation(self.generation()) else {
            self.phase = Phase::Ended;
            return None;
        };
        self.generation = generation;
        self.turn.context().set_generation(generation.into());
        let cell = Arc::clone(&self.cell);
        match catch(|| cell.factory.at_once()) {
            Ok(None) => return Some(self.turn.begin_build(cell, task)),
            Ok(Some(value)) => {
                self.turn.install(value);
                self.phase = Phase::Building(Build::Built);
            }
            Err(fault) => {
                self.failed_start(fault);
            }
        }
        None
    }

    fn wait_for_start(&mut self, build: Build, task: &mut Task<'_>) -> Flow {
        let limit = self.cell.core.policy.start_limit;
        let due = match build {
            Build::Due | Build::Factory => Build::Factory,
            Build::Built | Build::Started => Build::Started,
        };
        self.phase = Phase::Building(due);
        let deadline = self.extras.due();
        let deadline = deadline.unwrap_or_else(|| self.cell.core.system.clock.after(limit));
        if !self.poll_timer(deadline, task) {
            return Flow::Wait;
        }
        drop(self.turn.abandon());
        let text = format!("the start took longer than its limit of {limit:?}");
        self.failed_start(Fault::new(FaultKind::StartTimeout, FaultClass::Retryable, text))
    }

    fn failed_start(&mut self, fault: Fault) -> Flow {
        self.extras.forget_timer();
        let kind = if fault.kind() == FaultKind::StartTimeout { FaultKind::StartTimeout } else { FaultKind::Start };
        self.fail(Failure { fault: fault.seen_as(kind), salvage: Salvage::nothing() });
        Flow::Again
    }

    /// The value is ready: `started` has ended well, and its effects leave.
    fn start_serving(&mut self) -> Flow {
        self.extras.forget_timer();
        self.phase = Phase::Serving;
        if let Err(fault) = self.turn.context().release_effects() {
            return self.failed_start(fault);
        }
        let leaving = self.turn.context().leaving.take();
        let core = &self.cell.core;
        if core.gate.state() != ActorState::Probing {
            core.gate.set_state(ActorState::Running, 0);
        }
        if self.generation() > 1 {
            crate::monitor::announce_restart(&*self.cell, self.generation());
        }
        if !core.policy.says_when_started {
            core.tell_started();
        }
        tracing::debug!(target: "callboard::supervisor", actor = %core.name(), generation = self.generation(), "serving");
        if let Some(leaving) = leaving {
            self.leave(leaving);
        }
        Flow::Again
    }

    /// Waits out a back-off or the reset time of the breaker.
    pub(super) fn wait(&mut self, until: Nanos, then: ActorState, task: &mut Task<'_>) -> Flow {
        if !self.poll_timer(until, task) {
            return Flow::Wait;
        }
        self.extras.forget_timer();
        match then {
            ActorState::Running => self.phase = Phase::Serving,
            _ => self.begin_again(then),
        }
        Flow::Again
    }

    fn rebuild(&mut self) {
        self.cell.core.gate.set_state(ActorState::Restarting, 0);
        self.phase = Phase::Building(Build::Due);
    }

    /// One supervised restart, after which a single message shows whether the actor works again. What is queued holds
    /// the permit; only when nothing is, a new message may have it.
    fn begin_probing(&mut self) {
        let health = self.extras.health_or_new(&self.cell.core.policy);
        health.breaker.begin_probing();
        let is_automatic = health.is_automatic();
        self.publish_breaker();
        if !is_automatic {
            // Held open by hand meanwhile: nothing new gets in, and what is queued needs no test.
            return self.rebuild();
        }
        let queue_holds_permit = self.has_work();
        let permits = if queue_holds_permit { 0 } else { self.cell.core.policy.breaker.permits };
        self.cell.core.gate.probe(permits);
        if let Some(health) = self.extras.health_mut() {
            health.queue_holds_permit = queue_holds_permit;
        }
        self.phase = Phase::Building(Build::Due);
    }

    fn has_work(&self) -> bool {
        self.extras.has_retry() || !self.cell.mailbox.is_empty(self.private())
    }

    /// While probing, when all that was queued is gone without a turn, a new message may be the probe.
    pub(super) fn offer_permits(&mut self) {
        let core = &self.cell.core;
        let Some(health) = self.extras.health_mut() else { return };
        if core.gate.state() == ActorState::Probing && std::mem::take(&mut health.queue_holds_permit) {
            core.gate.probe(core.policy.breaker.permits);
        }
    }

    /// The message used a permit and was no test: another one may be.
    pub(super) fn return_permit(&mut self) {
        if let Some(epoch) = self.running.probe.take() {
            self.cell.core.gate.give_back(epoch);
        }
    }

    /// The breaker is told that a turn begins. Answers how long it may take: a probe has a limit of its own.
    pub(super) fn begin_watched(&mut self, now: Nanos) -> Option<Duration> {
        let core = &self.cell.core;
        if let Some(health) = self.extras.health_mut() {
            health.begin(Duration::from_nanos(now));
        }
        let probing = core.gate.state() == ActorState::Probing;
        let probe_limit = if probing { core.policy.breaker.probe_limit } else { None };
        match (core.policy.turn_limit, probe_limit) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    pub(super) fn took(&mut self, took: Nanos, now: Nanos) {
        if let Some(health) = self.extras.health_mut() {
            health.took = Duration::from_nanos(took);
            health.ended = Some(Duration::from_nanos(now));
        }
    }

    /// A turn ended well, and somebody counts that.
    #[cold]
    pub(super) fn succeeded(&mut self) {
        let core = &self.cell.core;
        let Some(health) = self.extras.health_mut() else { return };
        health.in_a_row = 0;
        let roll = health.roll(core.seed());
        let now = health.ended.take().unwrap_or_else(|| core.system.clock.elapsed());
        let transition = health.record(Outcome::Success, now, roll);
        let probing = core.gate.state() == ActorState::Probing;
        match transition {
            Some(Transition::Closed) => {
                health.licence.renew();
                // The probe may have ended its actor, or been the last turn of one that was told to stop.
                if probing {
                    let is_leaving = matches!(self.phase, Phase::Closing(_));
                    core.gate.set_state(if is_leaving { ActorState::Restarting } else { ActorState::Running }, 0);
                }
            }
            // A rule on slow turns opens the breaker of an actor that works: it is rebuilt as after a fault.
            Some(Transition::Opened(reset)) if matches!(self.phase, Phase::Serving) => return self.open_for(reset),
            _ if probing => self.return_permit(),
            _ => return,
        }
        self.publish_breaker();
    }

    /// Something of the actor failed: the one path that every fault takes.
    #[cold]
    pub(super) fn fail(&mut self, failure: Failure<A>) {
        let Failure { fault, salvage } = failure;
        let core = &self.cell.core;
        let now = core.system.clock.elapsed();
        let incident = Incident::new(core.name(), self.generation(), salvage.message, fault);
        self.log_fault(&incident);
        core.with_rare(|rare| {
            rare.faults.faults += 1;
            rare.faults.last = Some(incident.clone());
        });
        let asker = self.take_care_of(salvage, &incident, now);
        self.discard_value();
        self.decide(incident.clone(), now);
        // Told last, so that whoever knows of the fault finds its record, and the gate as the fault has left it.
        if let Some(tell) = asker {
            tell(AskFailure::Faulted(incident));
        }
    }

    /// With the names of the message that the turn was for; where there was none the ids are those of the fault.
    fn log_fault(&self, incident: &Incident) {
        let fresh = MessageId::at(self.cell.core.system.clock.wall());
        let lineage = match incident.message() {
            Some(_) => self.lineage_of_turn(fresh),
            None => Lineage::new(fresh, None, None),
        };
        tracing::warn!(target: "callboard::supervisor", message_id = %lineage.message_id,
            correlation_id = %lineage.correlation_id, trace_id = %lineage.trace_id(), module = incident.actor(),
            operation = incident.message().unwrap_or("-"), code = incident.code().code(), kind = ?incident.kind(),
            generation = self.generation(), %incident, "fault");
    }

    fn lineage_of_turn(&self, otherwise: MessageId) -> Lineage {
        let message_id = self.scope.along(|along| along.message_id).flatten().unwrap_or(otherwise);
        Lineage::within(&self.scope, message_id)
    }

    /// A kept message is tried again before the rest of its lane, or quarantined; of others the record remains. Answers with
    /// the asker that is to be told.
    fn take_care_of(&mut self, salvage: Salvage<A>, incident: &Incident, now: Duration) -> Option<TellAsker> {
        let core = &self.cell.core;
        core.in_hand.store(0, Ordering::Relaxed);
        let message = salvage.message?;
        let lane = usize::from(self.lane);
        match salvage.kept {
            Some(envelope) if salvage.attempts < core.policy.attempts => {
                core.in_hand.store(1, Ordering::Relaxed);
                self.extras.keep_for_retry(lane, envelope);
                None
            }
            mut kept => {
                let asker = salvage.asker.or_else(|| kept.as_mut().and_then(Envelope::take_asker));
                let failed = Failed { message, attempts: salvage.attempts, is_awaited: asker.is_some() };
                self.quarantine(lane, failed, kept, incident, now);
                asker
            }
        }
    }

    fn quarantine(
        &mut self,
        lane: usize,
        Failed { message, attempts, is_awaited }: Failed,
        mut kept: Option<Envelope<A>>,
        incident: &Incident,
        now: Duration,
    ) {
        let core = &self.cell.core;
        let at = core.system.clock.wall_at(now);
        let case = kept.as_mut().and_then(|envelope| envelope.header().as_ref()?.redelivered_from);
        let id = case.unwrap_or_else(|| MessageId::at(at));
        let record = Quarantined {
            id,
            at,
            message,
            priority: Priority::of_lane(lane),
            attempts,
            incident: incident.clone(),
            is_kept: kept.is_some(),
            actor_id: core.id,
            is_awaited,
            lineage: self.lineage_of_turn(id),
        };
        Tally::add(&core.tally.losses().quarantined, 1);
        let content = kept.as_ref().map(Envelope::content);
        let system = System::of(&core.system);
        core.system.observers.tell(|observer| observer.quarantined(&system, &record, content));
        let kept = kept.map(|envelope| {
            Box::new(KeptMessage { cell: Arc::downgrade(&self.cell), lane, envelope }) as Box<dyn Kept>
        });
        core.system.quarantine.add(record, kept);
    }

    /// The value goes, with its timers, its futures and the effects of its turn.
    fn discard_value(&mut self) {
        drop(self.abandon_turn());
        drop_quietly(self.extras.take_left());
        drop_quietly(self.turn.remove());
        self.turn.context().reset();
    }

    /// What becomes of the actor after a fault.
    fn decide(&mut self, incident: Incident, now: Duration) {
        match &self.phase {
            Phase::Draining(_) | Phase::Finishing(_) => return self.end(StopReason::Faulted(incident)),
            Phase::Halting { refuse } => {
                let refuse = *refuse;
                return self.halted(refuse);
            }
            _ => {}
        }
        if self.cell.core.policy.restart == Restart::Temporary {
            return self.end(StopReason::Faulted(incident));
        }
        let probing = self.cell.core.gate.state() == ActorState::Probing;
        let (roll, opened) = self.count_failure(probing, now);
        if let Some(Transition::Opened(reset)) = opened {
            return self.open_for(reset);
        }
        if self.cell.core.policy.strategy != Strategy::OneForOne && !probing {
            self.publish_breaker();
            self.hand_over(ActorState::Restarting);
            return self.cell.core.report(Report::fault(self.cell.core.id, incident));
        }
        self.restart_alone(incident, roll, now);
    }

    /// The breaker is told, and opens if a rule of its own is met or if it was the probe that failed. Answers with the
    /// draw that this fault's delays are made with.
    fn count_failure(&mut self, was_probing: bool, now: Duration) -> (f64, Option<Transition>) {
        let core = &self.cell.core;
        let seed = core.seed();
        let health = self.extras.health_or_new(&core.policy);
        let roll = health.roll(seed);
        let opened = health.record(Outcome::Failure, now, roll);
        (roll, opened.or_else(|| was_probing.then(|| health.breaker.trip(now, roll)).flatten()))
    }

    /// The supervisor decides; until then the value is out of service.
    fn hand_over(&mut self, state: ActorState) {
        self.phase = Phase::Halted;
        self.cell.core.gate.set_state(state, self.reopens());
    }

    /// The restart that needs nobody's leave: the licence allows it. A supervisor that waits for the start waits no more.
    fn restart_alone(&mut self, incident: Incident, roll: f64, now: Duration) {
        self.cell.core.tell_started();
        let policy = &self.cell.core.policy;
        let health = self.extras.health_or_new(policy);
        let granted = match &policy.licence {
            Some(shared) => shared.lock().take(policy.intensity, now),
            None => health.licence.take(policy.intensity, now),
        };
        health.in_a_row = health.in_a_row.saturating_add(1);
        match granted {
            Some(nth) => self.restart_after(policy.backoff.delay(nth, roll)),
            None if policy.give_up == GiveUp::Escalate => {
                self.hand_over(ActorState::Failed);
                self.cell.core.report(Report::gave_up(self.cell.core.id, incident));
            }
            None => self.give_up(roll, now),
        }
    }

    /// Too many restarts: the breaker opens, unless it is held by hand or does not heed the intensity.
    fn give_up(&mut self, roll: f64, now: Duration) {
        let policy = &self.cell.core.policy;
        let health = self.extras.health_or_new(policy);
        let nth = policy.intensity.restarts.saturating_add(health.in_a_row);
        let opened = if policy.breaker.trips_on_intensity() && health.is_automatic() {
            health.breaker.trip(now, roll)
        } else {
            None
        };
        match opened {
            Some(Transition::Opened(reset)) => self.open_for(reset),
            _ => self.restart_after(policy.backoff.delay(nth, roll)),
        }
    }

    fn restart_after(&mut self, delay: Duration) {
        let core = &self.cell.core;
        core.with_rare(|rare| rare.faults.restarts += 1);
        self.publish_breaker();
        let then = if self.is_to_be_probed() { ActorState::Probing } else { ActorState::Restarting };
        if delay.is_zero() {
            return self.begin_again(then);
        }
        let core = &self.cell.core;
        let until = core.system.clock.after(delay);
        core.gate.set_state(ActorState::BackingOff, until);
        self.phase = Phase::Waiting { until, then };
    }

    /// Whether its breaker has not closed yet: a new value then has to show by a probe that it works.
    fn is_to_be_probed(&self) -> bool {
        let state = self.extras.health().map(|health| health.breaker.state());
        matches!(state, Some(BreakerState::Open | BreakerState::HalfOpen))
    }

    fn begin_again(&mut self, then: ActorState) {
        match then {
            ActorState::Probing => self.begin_probing(),
            _ => self.rebuild(),
        }
    }

    /// The breaker is open for so long; then a probe decides. Nobody waits that long for a start.
    fn open_for(&mut self, reset: Duration) {
        self.cell.core.tell_started();
        if self.turn.has_value() {
            self.discard_value();
        }
        let core = &self.cell.core;
        let until = core.system.clock.after(reset);
        core.gate.set_state(ActorState::Failed, until);
        core.with_rare(|rare| rare.faults.restarts += 1);
        tracing::warn!(target: "callboard::breaker", actor = %core.name(), ?reset, "breaker open");
        self.phase = Phase::Waiting { until, then: ActorState::Probing };
        self.publish_breaker();
    }

    fn publish_breaker(&self) {
        let Some(health) = self.extras.health() else { return };
        let (core, to) = (&self.cell.core, health.breaker.state());
        let seen = (to, health.breaker.totals());
        let before = core.with_rare(|rare| rare.faults.breaker.replace(seen));
        let from = before.map_or(BreakerState::Closed, |(state, _)| state);
        if from == to {
            return;
        }
        let now = core.system.clock.elapsed();
        let retry_after = health.breaker.opens_until().map(|until| until.saturating_sub(now));
        let change = BreakerChange { actor: core.name(), actor_id: core.id, from, to, retry_after };
        let system = System::of(&core.system);
        core.system.observers.tell(|observer| observer.breaker_changed(&system, &change));
    }

    /// Does what it was told to, past the lanes.
    #[cold]
    pub(super) fn obey(&mut self) {
        // What the stuck driver was told is for the one that takes over, which is out of service first: a group that restarts
        // waits to hear so.
        if let Phase::TakingOver(incident) = &self.phase {
            let incident = incident.clone();
            self.take_over(incident);
        }
        self.cell.mailbox.clear_directed();
        let directives = self.cell.core.with_rare(|rare| std::mem::take(&mut rare.directives));
        for directive in directives {
            if matches!(self.phase, Phase::Ended) {
                return;
            }
            self.obey_one(directive);
        }
    }

    fn obey_one(&mut self, directive: Directive) {
        match directive {
            Directive::Kill(reason) => self.kill(&reason),
            Directive::Stop(reason) => self.stop(reason),
            Directive::Drain(reason) => self.drain(reason),
            Directive::Fault { generation, fault } => self.task_failed(generation, fault),
            Directive::Halt { refuse } => self.halt(refuse),
            Directive::Resume { after } if matches!(self.phase, Phase::Halted) => self.restart_after(after),
            Directive::Fail if matches!(self.phase, Phase::Halted) => self.fail_as_told(),
            // It is at work, or waits for something else.
            Directive::Resume { .. } if !matches!(self.phase, Phase::Building(_)) => self.cell.core.tell_started(),
            Directive::Resume { .. } | Directive::Fail => {}
            Directive::ResetBreaker => self.reset_breaker(),
            Directive::Breaker(mode) => self.set_breaker(mode),
            Directive::Keep { asked, left } => self.keep_for_turn(asked, left),
        }
    }

    /// An asker has gone. Its turn goes on if it runs, and otherwise never begins: what has been said before this directive
    /// was, that its end is closed, is seen by all turns after it.
    fn keep_for_turn(&mut self, asked: Nanos, left: Box<dyn Any + Send>) {
        let in_turn = self.turn.is_active() || self.held.is_some();
        if in_turn && self.scope.deadline.get() == asked {
            self.scope.has_loose_ends.set(true);
            self.extras.keep_left(left);
        } else {
            drop_quietly(left);
        }
    }

    /// The directive of a supervisor that gives up on a whole group.
    fn fail_as_told(&mut self) {
        let core = &self.cell.core;
        let seed = core.seed();
        let health = self.extras.health_or_new(&core.policy);
        let roll = health.roll(seed);
        let now = self.cell.core.system.clock.elapsed();
        self.give_up(roll, now);
    }

    fn reset_breaker(&mut self) {
        self.cell.core.gate.force_open(false);
        if let Some(health) = self.extras.health_mut() {
            let _ = health.breaker.reset();
            health.licence.renew();
        }
        match self.phase {
            Phase::Waiting { .. } => {
                self.extras.forget_timer();
                self.rebuild();
            }
            _ if self.cell.core.gate.state() == ActorState::Probing => self.stop_probing(),
            _ => {}
        }
        self.publish_breaker();
    }

    /// The breaker has been closed, or held, by hand: no probe has to show any more whether the actor works.
    fn stop_probing(&mut self) {
        let is_built = !matches!(self.phase, Phase::Building(_));
        let state = if is_built { ActorState::Running } else { ActorState::Restarting };
        self.cell.core.gate.set_state(state, 0);
    }

    fn set_breaker(&mut self, mode: BreakerMode) {
        let policy = Arc::clone(&self.cell.core.policy);
        let health = self.extras.health_or_new(&policy);
        let is_new = health.breaker.mode() != mode;
        health.breaker.set_mode(mode);
        self.cell.core.gate.force_open(mode == BreakerMode::ForcedOpen);
        if is_new && self.cell.core.gate.state() == ActorState::Probing {
            self.stop_probing();
        }
        let waits_for_breaker = matches!(self.phase, Phase::Waiting { then: ActorState::Probing, .. });
        if waits_for_breaker && mode != BreakerMode::ForcedOpen {
            self.extras.forget_timer();
            self.rebuild();
        }
        self.publish_breaker();
    }

    /// A timer, an interval or a spawned future has failed. One of an earlier value concerns nobody any more.
    fn task_failed(&mut self, generation: u64, fault: Fault) {
        if generation != self.generation() || !self.turn.has_value() {
            return;
        }
        let salvage = self.abandon_turn();
        self.unwatch_turn();
        self.fail(Failure { fault, salvage });
    }

    fn kill(&mut self, reason: &StopReason) {
        let salvage = self.abandon_turn();
        if let Some(message) = salvage.message {
            self.bury_turn(message, salvage);
        }
        self.unwatch_turn();
        self.discard_value();
        self.finalize(reason);
    }

    /// Drops the running turn where it stands, be it in its handler or in its commit.
    fn abandon_turn(&mut self) -> Salvage<A> {
        if self.held.is_none() {
            return self.turn.abandon();
        }
        let abandoned = Fault::new(FaultKind::Error, FaultClass::Permanent, "the turn was dropped");
        match self.finish_held(Err(abandoned)) {
            Ending::Failed(failure) => failure.salvage,
            _ => Salvage::nothing(),
        }
    }

    /// The turn was dropped where it stood.
    fn bury_turn(&mut self, message: &'static str, salvage: Salvage<A>) {
        let core = &self.cell.core;
        core.in_hand.store(0, Ordering::Relaxed);
        let Salvage { asker, mut kept, .. } = salvage;
        let asker = asker.or_else(|| kept.as_mut().and_then(Envelope::take_asker));
        let (content, header) = (kept.as_ref().map(Envelope::content), kept.as_ref().and_then(Envelope::peek));
        let remains = Remains { content, is_awaited: asker.is_some(), header };
        core.bury(message, Priority::of_lane(usize::from(self.lane)), DeadReason::Killed, remains);
        if let Some(tell) = asker {
            tell(AskFailure::Stopped);
        }
    }

    fn stop(&mut self, reason: StopReason) {
        let in_turn = self.turn.is_active() || self.held.is_some();
        match self.phase {
            Phase::Serving | Phase::Draining(_) | Phase::Halting { .. } if in_turn => {
                self.cell.core.gate.set_state(ActorState::Stopping, 0);
                self.phase = Phase::Finishing(Box::new(reason));
            }
            Phase::Closing(ref mut closing) => {
                // A value that was to make room for a new one is the last.
                if matches!(closing.then, AfterClose::Halt | AfterClose::Replace) {
                    closing.then = AfterClose::End(reason);
                    self.cell.core.gate.set_state(ActorState::Stopping, 0);
                }
            }
            Phase::Finishing(_) | Phase::Ended => {}
            _ => self.end(reason),
        }
    }

    /// Without a working value a drain is a stop.
    fn drain(&mut self, reason: StopReason) {
        match self.phase {
            // A message that a test delays is queued like any other.
            Phase::Serving | Phase::Waiting { then: ActorState::Running, .. }
                if self.cell.core.gate.state() == ActorState::Running =>
            {
                self.cell.core.gate.set_state(ActorState::Stopping, 0);
                self.extras.forget_timer();
                self.phase = Phase::Draining(Box::new(reason));
            }
            Phase::Draining(_) => {}
            _ if reason == StopReason::Drained => self.stop(StopReason::Stopped),
            _ => self.stop(reason),
        }
    }

    fn halt(&mut self, refuse: bool) {
        let in_turn = self.turn.is_active() || self.held.is_some();
        match self.phase {
            Phase::Serving if in_turn => {
                self.phase = Phase::Halting { refuse };
                // Its siblings wait for it: a turn without a limit gets one now.
                let due = self.cell.core.system.clock.after(self.cell.core.policy.start_limit);
                self.running.limit = crate::context::earlier(self.running.limit, due);
            }
            Phase::Serving => self.put_aside(refuse),
            Phase::Building(_) | Phase::Waiting { .. } => {
                drop(self.turn.abandon());
                self.extras.forget_timer();
                self.discard_value();
                self.halted(refuse);
            }
            Phase::Halted => self.halted(refuse),
            Phase::Closing(ref mut closing) if matches!(closing.then, AfterClose::Replace) => {
                closing.then = AfterClose::Halt;
                self.close_gate(refuse);
            }
            _ => {}
        }
    }

    /// A healthy value makes room: it may say goodbye.
    fn put_aside(&mut self, refuse: bool) {
        self.close_gate(refuse);
        self.forget_limit();
        self.turn.context().reset();
        match self.turn.remove() {
            Some(value) => {
                self.begin_closing(value, StopReason::Restart, AfterClose::Halt);
            }
            None => self.halted(refuse),
        }
    }

    /// Out of service, until the supervisor says more. One whose breaker has not closed yet refuses in any case: it will
    /// begin again with a probe.
    fn close_gate(&self, refuse: bool) {
        let refuse = refuse || self.is_to_be_probed();
        let state = if refuse { ActorState::Failed } else { ActorState::Restarting };
        self.cell.core.gate.set_state(state, self.reopens());
    }

    fn halted(&mut self, refuse: bool) {
        self.close_gate(refuse);
        self.forget_limit();
        let core = &self.cell.core;
        self.phase = Phase::Halted;
        core.report(Report::halted(core.id));
        crate::monitor::announce_halt(&*self.cell);
    }

    /// The limit that the last turn got when it had to make room is not that of the next one.
    fn forget_limit(&mut self) {
        self.running.limit = 0;
        self.extras.forget_timer();
    }

    /// When it is worth trying again, for all that is known before the supervisor has decided.
    fn reopens(&self) -> Nanos {
        let core = &self.cell.core;
        core.system.clock.after(core.policy.breaker.reset)
    }

    /// The actor wants to end, or its value does.
    pub(super) fn leave(&mut self, leaving: Leaving) {
        if leaving == Leaving::Exit && self.cell.core.policy.restart == Restart::Permanent {
            match self.phase {
                Phase::Serving => return self.finish(),
                // It was about to make room for a new value anyway.
                Phase::Halting { .. } => return,
                _ => {}
            }
        }
        self.end(leaving.reason());
    }

    /// The value of a permanent actor has done its work: it says goodbye, and a new one takes its place. While probing the
    /// gate stays as it is, as the turn that ends here is the probe.
    fn finish(&mut self) {
        if self.cell.core.gate.state() != ActorState::Probing {
            self.cell.core.gate.set_state(ActorState::Restarting, 0);
        }
        self.turn.context().reset();
        match self.turn.remove() {
            Some(value) => {
                self.begin_closing(value, StopReason::Finished, AfterClose::Replace);
            }
            None => self.replace(),
        }
    }

    /// The supervisor answers a normal end with a restart that counts like any other, as in OTP.
    fn replace(&mut self) {
        let core = &self.cell.core;
        let end = Fault::new(FaultKind::Finished, FaultClass::Retryable, "its value has finished");
        let incident = Incident::new(core.name(), self.generation(), None, end);
        let probing = core.gate.state() == ActorState::Probing;
        if core.policy.strategy != Strategy::OneForOne && !probing {
            self.hand_over(ActorState::Restarting);
            return self.cell.core.report(Report::fault(self.cell.core.id, incident));
        }
        let (now, seed) = (core.system.clock.elapsed(), core.seed());
        let health = self.extras.health_or_new(&self.cell.core.policy);
        let roll = health.roll(seed);
        self.restart_alone(incident, roll, now);
    }

    /// Serving is over: the turn that had to be finished first is.
    pub(super) fn after_serving(&mut self) -> Flow {
        if self.turn.is_active() || self.held.is_some() {
            return Flow::Again;
        }
        match &self.phase {
            Phase::Finishing(reason) => {
                let reason = StopReason::clone(reason);
                self.end(reason);
            }
            Phase::Halting { refuse } => {
                let refuse = *refuse;
                self.put_aside(refuse);
            }
            _ => {}
        }
        Flow::Again
    }

    /// Takes nothing more, runs `stopped` of the value, and then is done.
    pub(super) fn end(&mut self, reason: StopReason) {
        self.cell.core.gate.set_state(ActorState::Stopping, 0);
        self.extras.forget_timer();
        drop(self.turn.abandon());
        self.turn.context().reset();
        // A value whose start was cut short may be half-made: it is only dropped.
        if matches!(self.phase, Phase::Building(_)) {
            drop_quietly(self.turn.remove());
        }
        self.empty_mailbox(&reason);
        match self.turn.remove() {
            Some(value) => {
                self.begin_closing(value, reason.clone(), AfterClose::End(reason));
            }
            None => self.finalize(&reason),
        }
    }

    /// Runs `stopped` of the value.
    fn begin_closing(&mut self, value: A, why: StopReason, then: AfterClose) {
        self.phase = Phase::Closing(Box::new(Closing { future: goodbye(value, why), then }));
    }

    /// Goes on with `stopped`, which has a time limit and may panic.
    pub(super) fn close(&mut self, task: &mut Task<'_>) -> Flow {
        let Phase::Closing(closing) = &mut self.phase else { return Flow::Again };
        match catch(|| closing.future.as_mut().poll(task)) {
            Ok(Poll::Pending) if !self.close_is_overdue(task) => return Flow::Wait,
            Ok(_) => {}
            Err(fault) => {
                tracing::warn!(target: "callboard::supervisor", actor = %self.cell.core.name(), %fault, "`stopped` failed");
                self.cell.core.with_rare(|rare| rare.faults.faults += 1);
            }
        }
        self.extras.forget_timer();
        let Phase::Closing(closing) = std::mem::replace(&mut self.phase, Phase::Halted) else {
            return Flow::Again;
        };
        let Closing { future, then } = *closing;
        drop_quietly(future);
        match then {
            AfterClose::End(reason) => self.finalize(&reason),
            AfterClose::Halt => {
                let refuse = self.cell.core.gate.state() == ActorState::Failed;
                self.halted(refuse);
            }
            AfterClose::Replace => self.replace(),
        }
        Flow::Again
    }

    fn close_is_overdue(&mut self, task: &mut Task<'_>) -> bool {
        let deadline = self.extras.due();
        let deadline = deadline.unwrap_or_else(|| self.cell.core.system.clock.after(self.cell.core.policy.start_limit));
        self.poll_timer(deadline, task)
    }

    /// Everything that is queued becomes a dead letter, and every sender that waits gets its message back. An asker hears
    /// of the fault that ended the actor, if one did.
    fn empty_mailbox(&mut self, why: &StopReason) {
        // What was to be tried again has run already, so its outcome is unknown.
        let (failure, of_retry) = match why {
            StopReason::Faulted(incident) => {
                (AskFailure::Ended(incident.clone()), AskFailure::Faulted(incident.clone()))
            }
            _ => (AskFailure::Stopped, AskFailure::Stopped),
        };
        if let Some((lane, envelope)) = self.extras.take_retry() {
            self.cell.core.in_hand.store(0, Ordering::Relaxed);
            self.bury_envelope(lane, envelope, of_retry, DeadReason::Stopped);
        }
        let mut left = match self.extras.away().or_else(|| self.cell.mailbox.private()) {
            Some(private) => self.cell.mailbox.close(private),
            None => self.cell.mailbox.close(&Default::default()),
        };
        let mut lane = CONTROL;
        while let Some(envelope) = left.pop(&mut lane) {
            self.cell.mailbox.count_left(lane);
            self.bury_envelope(lane, envelope, failure.clone(), DeadReason::Stopped);
        }
    }

    fn bury_envelope(&self, lane: usize, mut envelope: Envelope<A>, failure: AskFailure, reason: DeadReason) {
        let is_awaited = envelope.is_awaited();
        envelope.fail(failure);
        if lane == CONTROL {
            // What the framework says to itself is counted, but no loss.
            return Tally::add(&self.cell.core.tally.losses().dead, 1);
        }
        let remains = Remains { content: Some(envelope.content()), is_awaited, header: envelope.peek() };
        self.cell.core.bury(envelope.message(), Priority::of_lane(lane), reason, remains);
        drop_quietly(envelope);
    }

    /// The last thing: the gate says so, and everybody who wants to know is told.
    pub(super) fn finalize(&mut self, reason: &StopReason) {
        drop_quietly(std::mem::replace(&mut self.phase, Phase::Ended));
        if self.is_fenced() {
            return;
        }
        self.discard_value();
        self.empty_mailbox(reason);
        self.cell.mailbox.forget_driver();
        let core = &self.cell.core;
        core.gate.set_state(ActorState::Stopped, 0);
        core.system.directory.remove(&*self.cell);
        crate::monitor::announce_end(&*self.cell, reason);
        tracing::debug!(target: "callboard::supervisor", actor = %core.name(), %reason, "ended");
        core.report(Report::ended(core.id));
    }

    /// A driver elsewhere was stuck. To its actor that is a fault like any other.
    pub(super) fn take_over(&mut self, incident: Incident) -> Flow {
        let core = &self.cell.core;
        // Beyond every number that the old driver can still be waiting to end.
        let fenced = core.turns.load(Ordering::SeqCst) & !FENCED;
        core.turns.store(fenced + 2, Ordering::SeqCst);
        let now = core.system.clock.elapsed();
        self.phase = Phase::Halted;
        self.decide(incident, now);
        Flow::Again
    }

    /// Whether another driver has taken over while a turn kept this thread.
    #[inline]
    pub(super) fn is_fenced(&self) -> bool {
        self.is_replaced || self.cell.core.generation() != self.generation()
    }

    /// Back at last, and replaced: nothing of this generation reaches anyone any more.
    #[cold]
    pub(super) fn leave_fenced(&mut self, ending: Ending<A>) {
        let message = match ending {
            Ending::Fenced(message) => Some(message),
            Ending::Failed(failure) => failure.salvage.message,
            _ => None,
        };
        if let Some(message) = message {
            self.cell.core.bury(message, Priority::of_lane(usize::from(self.lane)), DeadReason::Fenced, Remains::NONE);
        }
        self.phase = Phase::Ended;
        self.discard_value();
        let Some(private) = self.cell.mailbox.private() else { return };
        let mut left = self.cell.mailbox.shut(private);
        let mut lane = CONTROL;
        while let Some(envelope) = left.pop(&mut lane) {
            self.cell.mailbox.count_left(lane);
            self.bury_envelope(lane, envelope, AskFailure::Stopped, DeadReason::Fenced);
        }
    }
}

/// The future of `stopped`; calling it is part of the future, so that a panic in the call is caught with it.
fn goodbye<A: Actor>(value: A, why: StopReason) -> LocalFuture<()> {
    Box::pin(async move { value.stopped(why).await })
}

/// A message whose turns failed, as its record tells.
struct Failed {
    message: &'static str,
    attempts: u32,
    is_awaited: bool,
}

/// A quarantined message that knows its way back.
struct KeptMessage<A: Actor> {
    cell: std::sync::Weak<ActorCell<A>>,
    lane: usize,
    envelope: Envelope<A>,
}

impl<A: Actor> Kept for KeptMessage<A> {
    fn put_back(self: Box<Self>, id: MessageId) -> Result<(), Box<dyn Kept>> {
        let Self { cell, lane, mut envelope } = *self;
        let Some(actor) = cell.upgrade().filter(|actor| actor.core.gate.is_open()) else {
            return Err(Box::new(Self { cell, lane, envelope }));
        };
        if let Some(header) = envelope.header() {
            header.attempts = 0;
            header.redelivered_from = Some(id);
        }
        // Whoever puts it back wants it to run, however long ago its first asker stopped waiting.
        envelope.expires = 0;
        match actor.mailbox.push(lane, envelope, || actor.rouse()) {
            Ok(Pushed::Queued) => Ok(()),
            Ok(Pushed::Shed(oldest)) if actor.core.policy.bounds.overflow == Overflow::DropOldest => {
                actor.shed(lane, oldest);
                Ok(())
            }
            Ok(Pushed::Shed(envelope)) | Err((_, envelope)) => Err(Box::new(Self { cell, lane, envelope })),
        }
    }
}
