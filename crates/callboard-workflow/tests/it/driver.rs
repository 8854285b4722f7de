//! Drives a run on virtual time: handlers are a closure, timers and replies a queue.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use callboard_bus::Value;
use callboard_bus::retry::FailureClass;
use callboard_workflow::definition::Definition;
use callboard_workflow::graph::StepIndex;
use callboard_workflow::history::History;
use callboard_workflow::run::{Command, Event, Failure, Run, RunState, StepState, Task};
use serde_json::json;

/// How a handler behaves: after so long, with this.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Ok(u64, Value),
    Fail(u64, FailureClass),
    /// It never answers, and stops at once when it is told to.
    Never,
}

/// What passed between a run and its driver.
#[derive(Clone, Debug)]
pub(crate) enum Passed {
    Told(Event),
    Wanted(Command),
}

/// What the handlers have seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Call(String, u32, Value),
    Undo(String, u32, Value),
}

type Handlers<'h> = Box<dyn FnMut(&str, u32, &Value) -> Reply + 'h>;

pub(crate) struct Driver<'h> {
    pub(crate) run: Run,
    pub(crate) now: Duration,
    pub(crate) seen: Vec<Seen>,
    pub(crate) finished: Vec<RunState>,
    /// The most calls of one step that were out at once.
    pub(crate) widest: HashMap<StepIndex, usize>,
    out: HashSet<(Task, u32)>,
    handlers: Handlers<'h>,
    /// It never says that a call has begun, only how it ended.
    pub(crate) is_terse: bool,
    /// How long a call is queued before it begins.
    pub(crate) queue_millis: u64,
    pub(crate) history: History,
    pub(crate) log: Vec<(Duration, Passed)>,
    queue: BTreeMap<(Duration, u64), Event>,
    serial: u64,
}

pub(crate) fn read(text: &str) -> Definition {
    Definition::read(&format!("workflow_id: w\nversion: 1.0.0\n{text}")).unwrap()
}

pub(crate) fn value(json: serde_json::Value) -> Value {
    Value::from(json)
}

impl<'h> Driver<'h> {
    /// Starts a run. Handlers are asked by the name of the task (`id`, `id[3]`), with `undo ` before it to undo it.
    pub(crate) fn new(
        definition: &Definition,
        input: Value,
        handlers: impl FnMut(&str, u32, &Value) -> Reply + 'h,
    ) -> Self {
        Self::queueing(0, definition, input, handlers)
    }

    /// The same with calls that are queued for so long.
    pub(crate) fn queueing(
        queue_millis: u64,
        definition: &Definition,
        input: Value,
        handlers: impl FnMut(&str, u32, &Value) -> Reply + 'h,
    ) -> Self {
        let mut commands = Vec::new();
        let run = Run::start(definition, "run", input, Duration::ZERO, &mut commands);
        let (history, log) = (History::new(Duration::ZERO), Vec::new());
        let (now, serial, handlers) = (Duration::ZERO, 0, Box::new(handlers));
        let (seen, finished, queue) = (Vec::new(), Vec::new(), BTreeMap::new());
        let (widest, out) = (HashMap::new(), HashSet::new());
        let mut driver = Self {
            is_terse: false,
            run,
            now,
            seen,
            finished,
            widest,
            out,
            handlers,
            queue,
            serial,
            queue_millis,
            history,
            log,
        };
        driver.carry_out(commands);
        driver
    }

    pub(crate) fn apply(&mut self, event: Event) {
        let mut commands = Vec::new();
        self.history.note_event(&event, self.now);
        self.log.push((self.now, Passed::Told(event.clone())));
        self.run.apply(event, self.now, &mut commands);
        self.carry_out(commands);
    }

    /// The next event of the queue. False if there is none.
    pub(crate) fn step(&mut self) -> bool {
        let Some(((now, _), event)) = self.queue.pop_first() else { return false };
        self.now = now;
        if let Event::Succeeded { task, attempt, .. }
        | Event::Failed { task, attempt, .. }
        | Event::Cancelled { task, attempt } = &event
        {
            self.out.remove(&(*task, *attempt));
        }
        self.apply(event);
        true
    }

    pub(crate) fn until(&mut self, millis: u64) {
        while self.queue.first_key_value().is_some_and(|((at, _), _)| *at <= Duration::from_millis(millis)) {
            self.step();
        }
        self.now = self.now.max(Duration::from_millis(millis));
    }

    /// To the end: no call is out and no timer is left.
    pub(crate) fn finish(mut self) -> Self {
        while self.step() {}
        self
    }

    pub(crate) fn later(&mut self, millis: u64, event: Event) {
        self.serial += 1;
        self.queue.insert((self.now + Duration::from_millis(millis), self.serial), event);
    }

    pub(crate) fn name(&self, task: Task) -> String {
        let id = &self.run.definition().step(task.step).unwrap().step_id;
        task.item.map_or_else(|| id.to_string(), |item| format!("{id}[{item}]"))
    }

    pub(crate) fn task(&self, id: &str) -> Task {
        self.run.definition().find(id).unwrap().into()
    }

    pub(crate) fn state(&self, id: &str) -> StepState {
        self.run.task_state(self.task(id)).unwrap()
    }

    /// `id state, id state ...` in the order of the definition.
    pub(crate) fn states(&self) -> String {
        let steps = self.run.definition().steps().iter();
        steps.map(|step| format!("{} {}", step.step_id, self.state(&step.step_id))).collect::<Vec<_>>().join(", ")
    }

    /// The names of the calls in their order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let name = |seen: &Seen| match seen {
            Seen::Call(name, ..) => name.clone(),
            Seen::Undo(name, ..) => format!("undo {name}"),
        };
        self.seen.iter().map(name).collect()
    }

    pub(crate) fn carry_out(&mut self, commands: Vec<Command>) {
        self.history.note_commands(&commands, self.now);
        self.log.extend(commands.iter().map(|command| (self.now, Passed::Wanted(command.clone()))));
        for command in commands {
            match command {
                Command::Call { task, attempt, input, .. } => self.call(task, attempt, input),
                Command::Cancel { task, attempt } => self.later(1, Event::Cancelled { task, attempt }),
                Command::SetTimer { timer, at } => {
                    self.serial += 1;
                    self.queue.insert((at, self.serial), Event::TimerFired(timer));
                }
                Command::Compensate { task, attempt, input, .. } => self.undo(task, attempt, input),
                Command::Finished { state } => self.finished.push(state),
            }
        }
    }

    fn call(&mut self, task: Task, attempt: u32, input: Value) {
        let name = self.name(task);
        let reply = (self.handlers)(&name, attempt, &input);
        self.seen.push(Seen::Call(name, attempt, input));
        self.out.insert((task, attempt));
        let out = self.out.iter().filter(|(other, _)| other.step == task.step).count();
        let widest = self.widest.entry(task.step).or_default();
        *widest = (*widest).max(out);
        if !self.is_terse {
            self.later(self.queue_millis, Event::Started { task, attempt });
        }
        let queued = self.queue_millis;
        match reply {
            Reply::Ok(after, output) => self.later(queued + after, Event::Succeeded { task, attempt, output }),
            Reply::Fail(after, class) => {
                self.later(queued + after, Event::Failed { task, attempt, failure: failure(class) });
            }
            Reply::Never => {}
        }
    }

    fn undo(&mut self, task: Task, attempt: u32, input: Value) {
        let name = self.name(task);
        let reply = (self.handlers)(&format!("undo {name}"), attempt, &input);
        self.seen.push(Seen::Undo(name, attempt, input));
        match reply {
            Reply::Ok(after, _) => self.later(after, Event::CompensationSucceeded { task, attempt }),
            Reply::Fail(after, class) => {
                self.later(after, Event::CompensationFailed { task, attempt, failure: failure(class) });
            }
            Reply::Never => {}
        }
    }
}

pub(crate) fn failure(class: FailureClass) -> Failure {
    Failure::new(class, "handler_failed", "it did not work")
}

/// A handler that replies an empty object after a millisecond.
pub(crate) fn fine(_: &str, _: u32, _: &Value) -> Reply {
    Reply::Ok(1, value(json!({})))
}

/// A handler that fails for good where it is told to and is fine elsewhere.
pub(crate) fn failing<'n>(names: &'n [&'n str]) -> impl FnMut(&str, u32, &Value) -> Reply + 'n {
    move |name, _, _| match names.contains(&name) {
        true => Reply::Fail(1, FailureClass::Permanent),
        false => Reply::Ok(1, value(json!({}))),
    }
}
