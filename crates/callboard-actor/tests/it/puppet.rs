//! An actor that does what a test tells it to, and a diary of what happens to it.

use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callboard_actor::{
    Actor, BreakerRules, Child, Context, Fault, Handler, Message, StopReason, SyncHandler, child_with,
};

/// So many seconds.
pub(crate) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// So many milliseconds.
pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The default rules of a breaker without the random part: 30 s, doubling up to 5 minutes.
pub(crate) fn steady() -> BreakerRules {
    BreakerRules::default().growing(2.0, s(300), 0.0)
}

/// What has happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub(crate) fn note(&self, line: impl Display) {
        self.0.lock().unwrap().push(line.to_string());
    }

    /// What was noted since the last look.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// One thing that a puppet can be told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Well,
    Fail,
    Panic,
    Sleep(Duration),
    SleepThenFail(Duration),
    Stop,
    Exit,
    SleepThenExit(Duration),
}

/// What a puppet is called and what its next starts and stops do; all its values share it.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    name: String,
    diary: Diary,
    builds: Arc<Mutex<VecDeque<Act>>>,
    starts: Arc<Mutex<VecDeque<Act>>>,
    stops: Arc<Mutex<VecDeque<Act>>>,
}

impl Script {
    pub(crate) fn new(name: &str, diary: &Diary) -> Self {
        let name = name.to_owned();
        Self { name, diary: diary.clone(), builds: Arc::default(), starts: Arc::default(), stops: Arc::default() }
    }

    /// A later call of the factory does this; those that are told nothing go well.
    pub(crate) fn build(&self, act: Act) -> &Self {
        self.builds.lock().unwrap().push_back(act);
        self
    }

    /// The same for `started`.
    pub(crate) fn start(&self, act: Act) -> &Self {
        self.starts.lock().unwrap().push_back(act);
        self
    }

    /// The same for `stopped`.
    pub(crate) fn stop(&self, act: Act) -> &Self {
        self.stops.lock().unwrap().push_back(act);
        self
    }

    pub(crate) fn child(&self) -> Child<Puppet> {
        let script = self.clone();
        child_with(self.name.clone(), async move |cx: &mut Context<Puppet>| {
            perform(next(&script.builds), cx).await?;
            Ok(Puppet { script: script.clone() })
        })
    }
}

fn next(acts: &Mutex<VecDeque<Act>>) -> Act {
    acts.lock().unwrap().pop_front().unwrap_or(Act::Well)
}

pub(crate) struct Puppet {
    script: Script,
}

impl Puppet {
    fn note(&self, what: impl Display) {
        self.script.diary.note(format_args!("{} {what}", self.script.name));
    }
}

impl Actor for Puppet {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Fault> {
        perform(next(&self.script.starts), cx).await?;
        self.note("starts");
        Ok(())
    }

    async fn stopped(self, why: StopReason) {
        match next(&self.script.stops) {
            Act::Panic => panic!("told to panic"),
            Act::Sleep(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        self.note(format_args!("stops: {why}"));
    }
}

async fn perform(act: Act, cx: &mut Context<Puppet>) -> Result<(), Fault> {
    match act {
        Act::Well => {}
        Act::Fail => return Err(Fault::permanent("told to fail")),
        Act::Panic => panic!("told to panic"),
        Act::Sleep(time) => tokio::time::sleep(time).await,
        Act::SleepThenFail(time) => {
            tokio::time::sleep(time).await;
            return Err(Fault::permanent("told to fail"));
        }
        Act::Stop => cx.stop(),
        Act::Exit => cx.exit(),
        Act::SleepThenExit(time) => {
            tokio::time::sleep(time).await;
            cx.exit();
        }
    }
    Ok(())
}

/// Does it, and answers with the generation that did.
#[derive(Clone, Debug, Message, PartialEq, Eq)]
#[message(reply = u64)]
pub(crate) struct Do(pub(crate) Act);

impl Handler<Do> for Puppet {
    async fn handle(&mut self, Do(act): Do, cx: &mut Context<Self>) -> Result<u64, Fault> {
        perform(act, cx).await?;
        Ok(cx.generation())
    }
}

/// Notes the number, and answers with the generation that did.
#[derive(Clone, Debug, Message, PartialEq, Eq)]
#[message(reply = u64)]
pub(crate) struct Say(pub(crate) u32);

impl SyncHandler<Say> for Puppet {
    fn handle(&mut self, Say(number): Say, cx: &mut Context<Self>) -> Result<u64, Fault> {
        self.note(format_args!("says {number}"));
        Ok(cx.generation())
    }
}
