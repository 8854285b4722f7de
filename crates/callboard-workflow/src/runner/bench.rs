//! What the turns of a run's actor and its pump work on together.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use callboard_actor::{ActorRef, Priority, System};
use callboard_bus::picture::short_time;
use callboard_bus::{CallError, Modules, RetryPolicy, Value};

use super::alarm::Alarm;
use super::errand::{Errand, Key, Outcome, Wanted, failure};
use super::errands::Errands;
use super::order::Order;
use super::timers::Timers;
use super::vigil::Vigil;
use super::{BATCH, Runner};
use crate::limits::Limits;
use crate::news::News;
use crate::progress::{RunSummary, TaskProgress};
use crate::record::Record;
use crate::run::{Command, Event, Run, RunState, StepState, Task, Timer};
use crate::run_ref::RunError;
use crate::seat::Seat;
use crate::slots::RunKey;
use crate::stuck::StuckRun;
use crate::tail::Progress;

/// How much longer than the run itself a call may take. The run's own deadline is to come first, because a call that
/// is late has failed and a run that is late has not.
const GRACE: Duration = Duration::from_secs(1);

/// How the actor of a run begins.
pub(crate) struct Outset {
    pub(crate) seat: Arc<Seat>,
    pub(crate) limits: Limits,
    pub(crate) modules: Modules,
    pub(crate) news: News,
    /// When somebody is to be told that nothing happens in it.
    pub(crate) stuck_after: Duration,
    /// A run that goes on, and what it wants done. `None` for a new one.
    pub(crate) continued: Option<(Box<Record>, Vec<Command>)>,
}

/// See the head of this module.
pub(super) struct Bench {
    seat: Arc<Seat>,
    limits: Limits,
    key: RunKey,
    modules: Modules,
    news: News,
    system: System,
    me: ActorRef<Runner>,
    state: RefCell<State>,
    errands: RefCell<Errands<Key, Errand>>,
    /// That of the pump.
    waker: RefCell<Option<Waker>>,
    /// Room to write idempotency keys in.
    key_text: RefCell<String>,
    /// The run takes note of what changes, as somebody watches.
    takes_notes: Cell<bool>,
    /// The last one that was set; it may be early.
    alarm: RefCell<Option<Alarm>>,
    /// The last look at the clock: nothing that could take time has been done since.
    now: Cell<Duration>,
    /// The run was paused, and its calls still stand in the queues for places.
    withdraws: Cell<bool>,
}

struct State {
    /// Taken out at the end.
    record: Option<Box<Record>>,
    todo: VecDeque<Command>,
    /// Calls that were to be made while the run is paused.
    held: VecDeque<Command>,
    /// Empty but while an event is applied.
    fresh: Vec<Command>,
    timers: Timers,
    vigil: Vigil,
}

impl Outset {
    pub(super) fn actor_name(&self) -> String {
        ["workflow/", &self.seat.name.workflow, "/", &self.seat.name.run].concat()
    }
}

impl Bench {
    pub(super) fn new(outset: Outset, system: System, me: ActorRef<Runner>) -> Self {
        let Outset { seat, limits, modules, news, stuck_after, continued } = outset;
        let now = system.elapsed();
        let (record, commands) = continued.unwrap_or_else(|| {
            // Room for the deadline and the first call, which is all that most runs ever have at a time.
            let mut commands = Vec::with_capacity(2);
            let (definition, input) = (&seat.registered.definition, seat.input.clone());
            let record = Record::start(definition, &seat.name, input, now, &mut commands);
            (Box::new(record), commands)
        });
        let mut state = State {
            record: Some(record),
            todo: VecDeque::with_capacity(1),
            held: VecDeque::new(),
            fresh: commands,
            timers: Timers::new(),
            vigil: Vigil::new(stuck_after, now),
        };
        state.sort_commands();
        if let Some(record) = &mut state.record {
            // Somebody may have watched it before its end.
            record.run.note_changes(false);
            if news.may_be_wanted() {
                news.tell_run(&RunSummary::of(&record.run));
            }
        }
        Self {
            key: limits.new_run(),
            seat,
            limits,
            modules,
            news,
            system,
            me,
            state: RefCell::new(state),
            errands: RefCell::new(Errands::new()),
            waker: RefCell::default(),
            key_text: RefCell::default(),
            takes_notes: Cell::new(false),
            alarm: RefCell::default(),
            now: Cell::new(now),
            withdraws: Cell::new(false),
        }
    }

    /// Carries out commands and takes answers until there is nothing to do.
    pub(super) fn pump(&self, task: &mut Context<'_>) -> Poll<()> {
        if self.waker.borrow().as_ref().is_none_or(|waker| !waker.will_wake(task.waker())) {
            self.waker.replace(Some(task.waker().clone()));
        }
        self.read_clock();
        for _ in 0..BATCH {
            if self.withdraws.take() {
                self.withdraw();
            }
            let command = self.state.borrow_mut().todo.pop_front();
            match command {
                // One that somebody wanted to try again meanwhile is not over.
                Some(Command::Finished { .. }) if !self.is_over() => {}
                Some(Command::Finished { .. }) => {
                    self.finish();
                    return Poll::Ready(());
                }
                Some(command) => self.carry_out(command, task),
                None => {
                    let polled = self.errands.borrow_mut().poll_next(task);
                    match polled {
                        Poll::Ready((key, outcome)) => self.take(key, outcome, task),
                        // An answer that is there comes before the moment at which it would be too late.
                        Poll::Pending if self.look_at_clock() => {}
                        Poll::Pending => return self.rest(task),
                    }
                }
            }
        }
        self.look_at_clock();
        task.waker().wake_by_ref();
        Poll::Pending
    }

    /// What is wanted of the run.
    pub(super) fn obey(&self, order: Order) -> Result<(), RunError> {
        let event = match &self.state.borrow().record {
            Some(record) => order.event(&record.run)?,
            None => return Err(RunError::Ended),
        };
        event.into_iter().for_each(|event| self.apply(event));
        self.wake();
        Ok(())
    }

    /// Looks at the run. `None` if it has ended.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Record) -> T) -> Option<T> {
        self.state.borrow().record.as_deref().map(look)
    }

    /// Whether nothing has happened for too long.
    pub(super) fn stuck(&self) -> Option<StuckRun> {
        let state = self.state.borrow();
        state.vigil.stuck(&state.record.as_ref()?.run, self.system.elapsed())
    }

    fn wake(&self) {
        let waker = self.waker.borrow().clone();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether a moment has come, of which the run is told then.
    fn look_at_clock(&self) -> bool {
        let now = self.read_clock();
        let has_come = self.next_moment().is_some_and(|at| at <= now);
        if has_come {
            self.tell_due(now);
        }
        has_come
    }

    /// Tells the run of all moments that have come.
    #[cold]
    fn tell_due(&self, now: Duration) {
        loop {
            let due = self.state.borrow_mut().timers.take_due(now);
            let Some(timer) = due else { break };
            self.apply_at(Event::TimerFired(timer), now);
        }
        let stuck = self.state.borrow_mut().look_after(now);
        stuck.iter().for_each(|stuck| self.tell_stuck(stuck));
    }

    /// The nearest moment that the run waits for, or that is to be looked at whether it goes on.
    fn next_moment(&self) -> Option<Duration> {
        let state = self.state.borrow();
        state.timers.next().into_iter().chain(state.vigil.next()).min()
    }

    /// The pump has nothing to do before the nearest moment.
    fn rest(&self, task: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.next_moment() else { return Poll::Pending };
        let mut alarm = self.alarm.borrow_mut();
        // One that is set for an earlier moment stays: it wakes the pump in vain, which comes back here.
        let set = alarm.take().filter(|set| set.at <= at);
        let set = alarm.insert(set.unwrap_or_else(|| Alarm::new(at, self.read_clock())));
        if Pin::new(set).poll(task).is_ready() {
            *alarm = None;
            task.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn read_clock(&self) -> Duration {
        self.now.set(self.system.elapsed());
        self.now.get()
    }

    fn apply(&self, event: Event) {
        self.apply_at(event, self.read_clock());
    }

    fn apply_at(&self, event: Event, now: Duration) {
        let state = &mut *self.state.borrow_mut();
        let Some(record) = &mut state.record else { return };
        let (before, is_watched) = (record.run.state(), self.seat.is_watched() || self.news.may_be_wanted());
        if self.takes_notes.replace(is_watched) != is_watched {
            record.run.note_changes(is_watched);
        }
        record.apply(event, now, &mut state.fresh);
        let run = &mut record.run;
        if run.state() != before {
            if run.state() == RunState::Paused {
                self.withdraws.set(true);
            }
            if before == RunState::Paused {
                state.todo.extend(state.held.drain(..));
            }
        }
        if is_watched {
            self.tell_watchers(before, run);
        }
        state.sort_commands();
    }

    #[cold]
    fn tell_watchers(&self, before: RunState, run: &mut Run) {
        let mut changes = run.take_changes();
        changes.dedup();
        for step in changes.into_iter().filter_map(|task| TaskProgress::of(run, task)) {
            self.news.tell_step(&self.seat.name, &step);
            self.seat.tell(Progress::Step(step));
        }
        if run.state() != before {
            let summary = RunSummary::of(run);
            self.news.tell_run(&summary);
            self.seat.tell(Progress::Run(summary));
        }
    }

    #[cold]
    fn tell_stuck(&self, stuck: &StuckRun) {
        let (name, waited) = (&self.seat.name, short_time(Duration::from_millis(stuck.stuck_ms)));
        tracing::warn!(target: "callboard::workflow", workflow = %name.workflow, run = %name.run, waited,
            recommendation = stuck.recommendation, "a run does not go on");
        self.news.tell_stuck(stuck);
        self.seat.tell(Progress::Stuck(stuck.clone()));
    }

    fn carry_out(&self, command: Command, task: &mut Context<'_>) {
        match command {
            Command::Call { task, attempt, .. } if !self.is_still_wanted(task, attempt) => {
                // A cancellation came in between; its command stands behind this one.
            }
            command @ Command::Call { .. } if self.is_in(RunState::Paused) => {
                self.state.borrow_mut().held.push_back(command);
            }
            Command::Call { task: work, attempt, input, deadline, priority, .. } => {
                let key = Key { is_undo: false, task: work, attempt };
                self.want(key, input, priority, deadline, task);
            }
            Command::Compensate { task: work, attempt, input, .. } => {
                let key = Key { is_undo: true, task: work, attempt };
                let priority = self.seat.registered.priority_of(work.step);
                self.want(key, input, priority, None, task);
            }
            Command::Cancel { task: work, attempt } => {
                // Dropping an ask takes it back, if its turn has not begun.
                self.errands.borrow_mut().remove(Key { is_undo: false, task: work, attempt });
                self.apply(Event::Cancelled { task: work, attempt });
            }
            // These two never get here: one is sorted out, the other ends the pump.
            Command::SetTimer { .. } | Command::Finished { .. } => {}
        }
    }

    /// Takes back the calls that wait for a place, and with them the places that are no use yet: while the run is paused
    /// they are for others. Only the pump may do that, as the pause may come while it polls the calls.
    #[cold]
    fn withdraw(&self) {
        let mut calls = self.errands.borrow_mut().take_where(Errand::is_queuing);
        self.limits.forget(self.key);
        calls.sort_by_key(|(key, _)| *key);
        let wanted = calls.into_iter().filter_map(|(_, errand)| errand.into_wanted());
        let commands: Vec<_> = wanted.filter_map(|wanted| self.command(wanted)).collect();
        self.put_back(commands);
    }

    fn put_back(&self, calls: impl IntoIterator<Item = Command>) {
        let is_paused = self.is_in(RunState::Paused);
        let state = &mut *self.state.borrow_mut();
        if is_paused { &mut state.held } else { &mut state.todo }.extend(calls);
    }

    /// What led to a call. It is that of a step: nothing is undone in a run that can be paused.
    fn command(&self, wanted: Wanted) -> Option<Command> {
        let Wanted { key: Key { task, attempt, .. }, input, priority, deadline, .. } = wanted;
        let handler = self.seat.registered.definition.step(task.step)?.handler.clone();
        Some(Command::Call { task, attempt, handler, input, deadline, priority })
    }

    fn is_still_wanted(&self, task: Task, attempt: u32) -> bool {
        let is_wanted = |run: &Run| run.attempt_of(task) == attempt && run.task_state(task) == Some(StepState::Queued);
        self.look(|record| is_wanted(&record.run)).unwrap_or(false)
    }

    fn is_in(&self, state: RunState) -> bool {
        self.look(|record| record.run.state() == state).unwrap_or(false)
    }

    fn is_over(&self) -> bool {
        self.look(|record| record.run.state().is_final()).unwrap_or(true)
    }

    fn want(&self, key: Key, input: Value, priority: Priority, deadline: Option<Duration>, task: &mut Context<'_>) {
        let registered = &self.seat.registered;
        let Some(address) = registered.address(key.task.step, key.is_undo) else { return };
        let queues = self.limits.queues(&registered.limits, address.name());
        self.queue_or_call(Wanted { key, input, priority, deadline, queues, places: [None, None] }, task);
    }

    /// Gets the places that are missing, and makes the call when none is.
    fn queue_or_call(&self, mut wanted: Wanted, task: &mut Context<'_>) {
        for at in 0..wanted.queues.len() {
            let Some(queue) = wanted.queues[at].take() else { continue };
            match self.limits.request(queue, self.key, wanted.priority) {
                Ok(place) => wanted.places[at] = Some(place),
                Err(queuing) => {
                    let key = wanted.key;
                    let errand = Errand::Queuing(queuing, at, Some(Box::new(wanted)));
                    return self.errands.borrow_mut().add(key, errand);
                }
            }
        }
        self.call(wanted, task);
    }

    /// Makes the call. An answer that is there at once is taken at once.
    fn call(&self, wanted: Wanted, task: &mut Context<'_>) {
        let (Key { is_undo, task: work, attempt }, now) = (wanted.key, self.now.get());
        let Some(address) = self.seat.registered.address(work.step, is_undo) else { return };
        if !is_undo {
            self.apply_at(Event::Started { task: work, attempt }, now);
        }
        let timeout = self.patience(wanted.key, wanted.deadline, now);
        let call = self.modules.call(address, wanted.input).priority(wanted.priority).timeout(timeout);
        // What its step says of attempts goes over what is said of its operation.
        let is_tried_by_run = self.seat.registered.is_tried_by_run(work.step, is_undo);
        let call = if is_tried_by_run { call.retry(RetryPolicy::none()) } else { call };
        let mut call = call.idempotency_key(self.idempotency_key(wanted.key)).into_future();
        match Pin::new(&mut call).poll(task) {
            Poll::Pending => {
                self.read_clock();
                let errand = Errand::Called { call: call.into_owned(), _places: wanted.places };
                self.errands.borrow_mut().add(wanted.key, errand);
            }
            Poll::Ready(answer) => {
                drop(wanted.places);
                self.answered(wanted.key, answer);
            }
        }
    }

    /// How long to wait for an answer.
    fn patience(&self, key: Key, deadline: Option<Duration>, now: Duration) -> Duration {
        let registered = &self.seat.registered;
        let own = registered.timeout_of(key.task.step, key.is_undo);
        let left = deadline.map(|deadline| deadline.saturating_sub(now).saturating_add(GRACE));
        match (own, left) {
            (None, None) => registered.patience,
            (own, left) => own.unwrap_or(Duration::MAX).min(left.unwrap_or(Duration::MAX)),
        }
    }

    fn idempotency_key(&self, key: Key) -> Arc<str> {
        let text = &mut *self.key_text.borrow_mut();
        text.clear();
        self.look(|record| record.run.write_key(key.task, text));
        if key.is_undo {
            text.push_str("[undo]");
        }
        text.as_str().into()
    }

    fn take(&self, key: Key, outcome: Outcome, task: &mut Context<'_>) {
        match outcome {
            Outcome::Answered(answer) => self.answered(key, answer),
            Outcome::Granted(None, ..) => {}
            Outcome::Granted(Some(wanted), ..) if self.withdraws.get() => {
                self.read_clock();
                self.put_back(self.command(*wanted));
            }
            Outcome::Granted(Some(mut wanted), at, place) => {
                self.read_clock();
                wanted.places[at] = Some(place);
                self.queue_or_call(*wanted, task);
            }
        }
    }

    fn answered(&self, key: Key, answer: Result<Value, CallError>) {
        let Key { is_undo, task, attempt } = key;
        self.apply(match (is_undo, answer) {
            (false, Ok(output)) => Event::Succeeded { task, attempt, output },
            (false, Err(error)) => Event::Failed { task, attempt, failure: failure(&error) },
            (true, Ok(_)) => Event::CompensationSucceeded { task, attempt },
            (true, Err(error)) => Event::CompensationFailed { task, attempt, failure: failure(&error) },
        });
    }

    /// The run is over. What is left of it is told by the `workflows` actor, once it knows that this one has ended.
    fn finish(&self) {
        self.leave();
        self.me.stop();
    }

    fn leave(&self) {
        let record = self.state.try_borrow_mut().ok().and_then(|mut state| state.record.take());
        if let Some(record) = record {
            self.limits.forget(self.key);
            self.seat.leave(record);
        }
    }
}

/// However the actor ends, what it knew is left behind, and its calls and places go with the bench.
impl Drop for Bench {
    fn drop(&mut self) {
        self.leave();
    }
}

impl State {
    /// What is to be told of a run that does not go on.
    fn look_after(&mut self, now: Duration) -> Option<StuckRun> {
        self.vigil.look(&self.record.as_ref()?.run, now)
    }

    /// Timers are set at once; the rest is for the pump.
    fn sort_commands(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        for command in self.fresh.drain(..) {
            match command {
                // A compensation may wait long for its place, so its call has the timeout, from the moment when it is made.
                Command::SetTimer { timer: Timer::CompensationTimeout(..), .. } => {}
                Command::SetTimer { timer, at } => {
                    if let Some(record) = &self.record {
                        self.timers.tidy(|timer| is_wanted(&record.run, timer));
                    }
                    self.timers.set(timer, at);
                }
                command => self.todo.push_back(command),
            }
        }
    }
}

/// Whether the run still waits for that moment.
fn is_wanted(run: &Run, timer: Timer) -> bool {
    match timer {
        Timer::Deadline | Timer::CompensationTimeout(..) | Timer::CompensationRetry(..) => true,
        Timer::Timeout(task, attempt) => {
            run.attempt_of(task) == attempt && run.task_state(task).is_some_and(StepState::is_active)
        }
        Timer::Retry(task, attempt) => {
            run.attempt_of(task) == attempt && run.task_state(task) == Some(StepState::Retrying)
        }
    }
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("seat", &self.seat).finish_non_exhaustive()
    }
}
