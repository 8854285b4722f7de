//! A module for the tests of runs: `work.do` does what its input says, and everything that happens is written down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, ActorRef, Context, Fault, Handler, Message, SyncHandler, child};
use callboard_bus::{CallSettings, Manifest, Operation, Value};
use callboard_workflow::definition::Definition;
use callboard_workflow::{RunRef, Workflows, WorkflowsExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a call of `work.do` is to do: first wait, then fail, panic or answer with `reply`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Do {
    pub(crate) name: String,
    pub(crate) wait_ms: u64,
    /// When that is over, the thread is taken for so long by something else, between the answer and whoever waits for it.
    pub(crate) busy_ms: u64,
    /// So many of the first calls of this name fail, so that trying again can help.
    pub(crate) fails: u32,
    /// It fails for good.
    pub(crate) is_broken: bool,
    pub(crate) panics: bool,
    #[schemars(with = "serde_json::Value")]
    pub(crate) reply: serde_json::Value,
}

impl Message for Do {
    type Reply = Result<serde_json::Value, WorkError>;
}

#[derive(Debug)]
pub(crate) struct WorkError(&'static str);

impl std::fmt::Display for WorkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for WorkError {}

/// `undo.it` never waits and never fails.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(crate) struct UndoIt {
    pub(crate) name: String,
}

impl Message for UndoIt {
    type Reply = ();
}

/// A note of the book: what was begun, done, undone or given up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Note {
    Begun(String),
    Done(String),
    Undone(String),
}

/// What happened in the workshop, shared by all its actors.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    notes: Vec<Note>,
    keys: Vec<String>,
    calls: HashMap<String, u32>,
    busy: usize,
    widest: usize,
}

impl Book {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        self.pages().notes.clone()
    }

    /// The names of what was done, in that order.
    pub(crate) fn done(&self) -> Vec<String> {
        let done = |note| if let Note::Done(name) = note { Some(name) } else { None };
        self.notes().into_iter().filter_map(done).collect()
    }

    /// The names of what was undone, in that order.
    pub(crate) fn undone(&self) -> Vec<String> {
        let undone = |note| if let Note::Undone(name) = note { Some(name) } else { None };
        self.notes().into_iter().filter_map(undone).collect()
    }

    /// The idempotency keys of all calls of `work.do`.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.pages().keys.clone()
    }

    /// How often a name was called.
    pub(crate) fn calls(&self, name: &str) -> u32 {
        self.pages().calls.get(name).copied().unwrap_or(0)
    }

    /// The most calls that were being done at once.
    pub(crate) fn widest(&self) -> usize {
        self.pages().widest
    }
}

/// One call that is being done; dropped when it ends, however it ends.
struct Busy(Book);

impl Busy {
    fn new(book: &Book) -> Self {
        let mut pages = book.pages();
        pages.busy += 1;
        pages.widest = pages.widest.max(pages.busy);
        drop(pages);
        Self(book.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.pages().busy -= 1;
    }
}

pub(crate) struct Worker(Book);

impl Worker {
    pub(crate) fn new(book: &Book) -> Self {
        Self(book.clone())
    }
}

impl Actor for Worker {}

impl Handler<Do> for Worker {
    async fn handle(&mut self, work: Do, cx: &mut Context<Self>) -> Result<<Do as Message>::Reply, Fault> {
        let busy = Busy::new(&self.0);
        let call = {
            let mut pages = self.0.pages();
            pages.notes.push(Note::Begun(work.name.clone()));
            pages.keys.extend(cx.idempotency_key().map(str::to_owned));
            let calls = pages.calls.entry(work.name.clone()).or_default();
            *calls += 1;
            *calls
        };
        if work.wait_ms > 0 {
            tokio::time::sleep(Duration::from_millis(work.wait_ms)).await;
        }
        if work.busy_ms > 0 {
            tokio::task::spawn_local(tokio::time::advance(Duration::from_millis(work.busy_ms)));
        }
        drop(busy);
        assert!(!work.panics, "{} was told to panic", work.name);
        if call <= work.fails {
            return Err(Fault::retryable("not this time"));
        }
        if work.is_broken {
            return Ok(Err(WorkError("it is broken")));
        }
        self.0.pages().notes.push(Note::Done(work.name));
        Ok(Ok(if work.reply.is_null() { json!({}) } else { work.reply }))
    }
}

impl SyncHandler<UndoIt> for Worker {
    fn handle(&mut self, undo: UndoIt, _: &mut Context<Self>) -> Result<(), Fault> {
        self.0.pages().notes.push(Note::Undone(undo.name));
        Ok(())
    }
}

/// `work.cancel` cancels the run of that name, in its turn.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub(crate) struct CancelIt {
    pub(crate) run: String,
}

impl Message for CancelIt {
    type Reply = bool;
}

impl Handler<CancelIt> for Worker {
    async fn handle(&mut self, cancel: CancelIt, cx: &mut Context<Self>) -> Result<bool, Fault> {
        let run = cx.workflows().run(&cancel.run).await?;
        run.show().await?;
        Ok(run.cancel("the module wants it").await.is_ok())
    }
}

/// `work.echo` replies what it is asked, and never waits.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub(crate) struct Echo {
    pub(crate) value: u64,
}

impl Message for Echo {
    type Reply = Echo;
}

impl SyncHandler<Echo> for Worker {
    fn handle(&mut self, echo: Echo, _: &mut Context<Self>) -> Result<Echo, Fault> {
        Ok(echo)
    }
}

/// A test system with so many workers behind `work`.
pub(crate) struct Workshop<'t> {
    pub(crate) t: &'t TestSystem,
    pub(crate) book: Book,
    pub(crate) workflows: Workflows,
    pub(crate) workers: Vec<ActorRef<Worker>>,
}

impl<'t> Workshop<'t> {
    /// As many workers as a test has calls at once.
    pub(crate) async fn open(t: &'t TestSystem, workers: usize) -> Self {
        let book = Book::default();
        let mut actors = Vec::new();
        for number in 0..workers {
            let own = book.clone();
            let worker = child(format!("worker-{number}"), move || Worker(own.clone()))
                .intensity(1_000_000, Duration::from_secs(1));
            let worker = t.spawn(worker);
            // Its stories are about runs whose steps fail again and again, and not about the breaker of an operation.
            let work = Operation::fallible::<Do, _, _>("do").settings(CallSettings::new().no_breaker());
            let module = Manifest::new("work", "1.2.0").offer(work);
            let module = module.operation::<Echo>("echo").operation::<CancelIt>("cancel");
            module.register(&worker).await.unwrap();
            actors.push(worker);
        }
        let undoer = t.spawn(child("undoer", {
            let book = book.clone();
            move || Worker(book.clone())
        }));
        let undo = Manifest::new("undo", "1.0.0").operation::<UndoIt>("it").register(&undoer).await;
        undo.unwrap();
        Self { t, book, workflows: t.system().workflows(), workers: actors }
    }

    pub(crate) async fn register(&self, text: &str) {
        self.workflows.register(read(text)).await.unwrap();
    }

    pub(crate) async fn start(&self, workflow_id: &str) -> RunRef {
        self.workflows.start(workflow_id, Value::from(json!({}))).await.unwrap()
    }
}

/// A definition of workflow `w`, or of what the text says.
pub(crate) fn read(text: &str) -> Definition {
    let head = if text.contains("workflow_id:") { "" } else { "workflow_id: w\nversion: 1.0.0\n" };
    Definition::read(&format!("{head}{text}")).unwrap()
}

/// A step `name` that calls `work.do` with these parameters, as one line of YAML.
pub(crate) fn step(name: &str, parameters: &str, fields: &str) -> String {
    let parameters = if parameters.is_empty() { String::new() } else { format!(", {parameters}") };
    let fields = if fields.is_empty() { String::new() } else { format!(", {fields}") };
    format!("- {{step_id: {name}, handler: work.do, input_mapping: {{name: {{value: {name}}}{parameters}}}{fields}}}\n")
}

/// Runs a test in a workshop and ends everything.
pub(crate) fn workshop<T>(workers: usize, test: impl AsyncFnOnce(&Workshop<'_>) -> T) -> T {
    TestSystem::run(async |t| {
        let shop = Workshop::open(t, workers).await;
        let result = test(&shop).await;
        drop(shop);
        t.shutdown().await;
        result
    })
}
