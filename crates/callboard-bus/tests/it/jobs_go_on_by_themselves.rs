//! F-API-04: a call that nobody waits for at once has an id, a state that can be looked at and awaited, and can be cancelled;
//! what became of it is kept for an hour.

use std::time::Duration;

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::{CallSettings, JobError, JobState, JobsExt, ModulesExt};
use serde_json::json;

use crate::trouble::{Script, Turn, press};

const SECOND: Duration = Duration::from_secs(1);

/// F-API-04
#[test]
fn it_is_queued_then_running_then_done() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Long(5 * SECOND), 1);
        let job = t.system().jobs().start(t.system().call("press.work", 7)).unwrap();
        assert_eq!((job.state().as_str(), job.operation()), ("queued", "press.work"));
        t.settle().await;
        assert!(!job.state().is_over() && job.state().as_str() == "running");
        t.advance(5 * SECOND).await;
        let ended = job.ended().await;
        assert_eq!((ended.as_str(), ended.output()), ("done", Some(&7.into())));
        let shown = serde_json::to_value(t.system().jobs().find(job.id()).unwrap()).unwrap();
        assert_eq!(shown, json!({ "id": job.id(), "operation": "press.work", "state": "done", "output": 7 }));
        assert!(!job.cancel() && job.state().as_str() == "done");
        t.settle().await;
        assert!(
            t.inspect().actors.iter().all(|actor| !actor.name.starts_with("job")),
            "nothing is left of it but its result"
        );
        t.shutdown().await;
    });
}

#[test]
fn its_failure_is_kept_too() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Wrong, 1);
        let job = t.system().jobs().start(t.system().call("press.work", 7)).unwrap();
        let JobState::Failed(error) = job.ended().await else { panic!("{job:?}") };
        assert_eq!(error.code(), ErrorCode::HandlerFailed);
        let nameless = t.system().jobs().start(t.system().call("no name", 7)).unwrap();
        assert_eq!((nameless.ended().await.as_str(), nameless.operation()), ("failed", ""));
        let shown = serde_json::to_value(&job).unwrap();
        assert_eq!((&shown["state"], &shown["error"]), (&json!("failed"), &json!("there is no such paper")));
        t.shutdown().await;
    });
}

/// One whose turn has not begun is never carried out; one whose turn has begun is let go of.
#[test]
fn it_can_be_cancelled() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Long(60 * SECOND), 1);
        let (first, second) = (t.system().call("press.work", 1), t.system().call("press.work", 2));
        let first = t.system().jobs().start(first).unwrap();
        let second = t.system().jobs().start(second).unwrap();
        t.settle().await;
        assert!(second.cancel() && first.cancel());
        assert_eq!((first.ended().await.as_str(), second.ended().await.as_str()), ("cancelled", "cancelled"));
        t.advance(61 * SECOND).await;
        assert_eq!(script.calls(), 1);
        let at_once = t.system().jobs().start(t.system().call("press.work", 3)).unwrap();
        assert!(at_once.cancel());
        assert_eq!((at_once.ended().await.as_str(), script.calls()), ("cancelled", 1));
        t.shutdown().await;
    });
}

#[test]
fn what_has_ended_is_forgotten_after_an_hour() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        script.next(Turn::Long(2 * 3600 * SECOND), 1);
        let long = t.system().call("press.work", 1).timeout(3 * 3600 * SECOND);
        let long = t.system().jobs().start(long).unwrap();
        t.settle().await;
        let short = t.system().jobs().start(t.system().call("press.other", 1).timeout(SECOND)).unwrap();
        t.advance(SECOND).await;
        assert_eq!(short.ended().await.as_str(), "failed");
        t.advance(3599 * SECOND).await;
        assert_eq!(t.system().jobs().list().len(), 2);
        t.advance(SECOND).await;
        let forgotten = t.system().jobs().find(short.id()).unwrap_err();
        assert_eq!((forgotten.code(), &forgotten), (ErrorCode::UnknownExecution, &JobError::Unknown(short.id())));
        assert_eq!(t.system().jobs().find(long.id().to_string().parse().unwrap()).unwrap().id(), long.id());
        assert_eq!("x".parse::<callboard_bus::JobId>().unwrap_err().code(), ErrorCode::ValidationFailed);
        t.shutdown().await;
        assert!(long.state().is_over(), "nobody waits for ever for a job of a system that has ended");
    });
}

/// F-API-04: for as long as somebody says, also what has ended before.
#[test]
fn what_has_ended_is_kept_as_long_as_said() {
    TestSystem::run(async |t| {
        let _press = press(t, &Script::default(), CallSettings::new()).await;
        let jobs = t.system().jobs();
        let work = async || {
            let job = jobs.start(t.system().call("press.work", 1)).unwrap();
            assert_eq!(job.ended().await.as_str(), "done");
            job.id()
        };
        let first = work().await;
        jobs.keep_ended_for(2 * 3600 * SECOND);
        t.advance(2 * 3600 * SECOND - SECOND).await;
        let second = work().await;
        assert!(jobs.find(first).is_ok());
        t.advance(SECOND).await;
        assert_eq!(jobs.find(first).unwrap_err().code(), ErrorCode::UnknownExecution);
        jobs.keep_ended_for(3 * SECOND);
        t.advance(SECOND).await;
        assert!(jobs.find(second).is_ok());
        jobs.keep_ended_for(Duration::ZERO);
        assert_eq!(jobs.find(second).unwrap_err().code(), ErrorCode::UnknownExecution);
        t.shutdown().await;
    });
}

/// Ten thousand are kept: what has ended makes room, and what is under way does not.
#[test]
fn so_many_are_kept_and_no_more() {
    TestSystem::run(async |t| {
        let script = Script::default();
        let _press = press(t, &script, CallSettings::new()).await;
        let jobs = t.system().jobs();
        let first = jobs.start(t.system().call("no name", 1)).unwrap();
        first.ended().await;
        script.next(Turn::Long(60 * SECOND), 1);
        for n in 0..10_000 {
            jobs.start(t.system().call("press.work", n).timeout(3600 * SECOND)).unwrap();
        }
        assert_eq!((jobs.list().len(), jobs.find(first.id()).is_err()), (10_000, true));
        let refused = jobs.start(t.system().call("press.work", 1)).unwrap_err();
        assert_eq!((refused.code(), refused), (ErrorCode::Busy, JobError::TooMany(10_000)));
        jobs.list().iter().for_each(|job| assert!(job.cancel()));
        t.settle().await;
        assert!(jobs.list().iter().all(|job| job.state().is_over()));
        jobs.start(t.system().call("press.other", 1)).unwrap();
        t.shutdown().await;
    });
}
