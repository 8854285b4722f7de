//! Tests of a running system by itself: [`SelfTest`]. They disturb nobody and leave nothing behind.
//!
//! ```
//! use std::time::Duration;
//!
//! use callboard_actor::{Drain, System, block_on};
//! use callboard_bus::self_test::Load;
//! use callboard_bus::SelfTestExt;
//!
//! # block_on(async {
//! let system = System::builder().workers(1).start().await?;
//! let report = system.self_test().basic().await;
//! assert_eq!(report.pass_rate, 100.0, "{report}");
//!
//! let load = Load::new(Duration::from_millis(50), 20);
//! let figures = system.self_test().stress(load).await?.stress.expect("it was under stress");
//! assert_eq!((figures.lost, figures.duplicated), (0, 0));
//!
//! let outcome = system.self_test().channel("Configuratoin", Duration::from_secs(10)).await;
//! assert_eq!(outcome.errors[0].code.code(), "unknown_channel");
//! # system.shutdown(Drain::default()).await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What they touch
//!
//! Messages go round on channels of their own, which are in no list, or on a real channel under a name that no pattern of
//! anybody else stands for. They are in no history; the counts of events know them. A call of an operation is a real call:
//! whatever the operation does is done. It is a [test](crate::Call::test), so no figure of the operation knows it.
//!
//! Nothing is kept on disk yet, and there are no tokens: a full test has no part about either.

mod basic;
mod deep;
mod report;
mod stress;

use std::time::Duration;

use callboard_actor::{Actor, Context, ErrorCode, System};
use thiserror::Error;

pub use self::report::{SelfTestReport, StressFigures, TestOutcome, TestResult};
pub use self::stress::Load;
use crate::modules::ModulesExt;
pub use crate::monitoring::TestFault;
use crate::monitoring::{Trial, within};
use crate::retry::RetryPolicy;
use crate::value::Value;

/// Self tests for whoever has a [`System`].
pub trait SelfTestExt {
    /// The tests of the system.
    fn self_test(&self) -> SelfTest;
}

impl SelfTestExt for System {
    fn self_test(&self) -> SelfTest {
        SelfTest { system: self.clone() }
    }
}

impl<A: Actor> SelfTestExt for Context<A> {
    fn self_test(&self) -> SelfTest {
        self.system().self_test()
    }
}

/// The tests of a running system. See the head of this module.
#[derive(Clone, Debug)]
pub struct SelfTest {
    system: System,
}

/// A stress test that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelfTestError {
    /// It would take no time.
    #[error("a stress test takes some time: give it a duration of more than 0")]
    NoDuration,
    /// No message would be under way, or too many.
    #[error("a stress test has 1 to {} messages under way, not {wanted}", Load::MOST)]
    Concurrency {
        /// What was asked for.
        wanted: usize,
    },
}

impl SelfTestError {
    /// [`ErrorCode::InvalidConfig`].
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        ErrorCode::InvalidConfig
    }
}

impl SelfTest {
    /// Whether messages go round, with priorities and through filters, whether actors answer, the registry finds what it
    /// lists, and metrics count. A test takes 800 ms at most, and all of them less than 5 s.
    ///
    /// # Cancel safety
    ///
    /// Can be dropped at any time: what it has set up goes with it.
    pub async fn basic(&self) -> SelfTestReport {
        SelfTestReport::of(basic::run(&self.system).await)
    }

    /// As much as goes through a channel with so many messages under way at once, for so long.
    ///
    /// # Errors
    ///
    /// [`SelfTestError`]: the load cannot be. Nothing has been done then.
    ///
    /// # Cancel safety
    ///
    /// As [`basic`](Self::basic).
    pub async fn stress(&self, load: Load) -> Result<SelfTestReport, SelfTestError> {
        let load = load.checked()?;
        let (result, figures) = stress::run(&self.system, load).await;
        Ok(SelfTestReport { stress: figures, ..SelfTestReport::of(vec![result]) })
    }

    /// All of [`basic`](Self::basic) and of [`stress`](Self::stress); whether names and payloads that may not be are
    /// refused, an overload is, and an actor comes back by itself.
    ///
    /// # Errors
    ///
    /// As [`stress`](Self::stress).
    ///
    /// # Cancel safety
    ///
    /// As [`basic`](Self::basic).
    pub async fn full(&self, load: Load) -> Result<SelfTestReport, SelfTestError> {
        let load = load.checked()?;
        let mut tests = basic::run(&self.system).await;
        let (result, figures) = stress::run(&self.system, load).await;
        tests.push(result);
        tests.extend(deep::run(&self.system).await);
        Ok(SelfTestReport { stress: figures, ..SelfTestReport::of(tests) })
    }

    /// Whether a message goes round on a channel within this time. Its subscribers do not see it.
    ///
    /// # Cancel safety
    ///
    /// As [`basic`](Self::basic).
    pub async fn channel(&self, name: &str, timeout: Duration) -> TestOutcome {
        let work = async {
            let mut trial = Trial::on(&self.system, name).await?;
            let result = trial.round_trip(Value::from("channel")).await;
            trial.end().await;
            result.map(|()| None)
        };
        self.outcome(timeout, work).await
    }

    /// Calls an operation once with these parameters, as everybody else does but that it is marked as a test. It succeeds
    /// when the operation brings an output.
    ///
    /// # Cancel safety
    ///
    /// As that of a [call](crate::Call).
    pub async fn operation(&self, module: &str, operation: &str, parameters: impl Into<Value>) -> TestOutcome {
        let call = self.system.call(&format!("{module}.{operation}"), parameters).test().retry(RetryPolicy::none());
        let began = self.system.elapsed();
        let called = call.await.map(Some).map_err(|error| TestFault::from(&error));
        TestOutcome::new(self.system.elapsed().saturating_sub(began), called)
    }

    async fn outcome(
        &self,
        timeout: Duration,
        work: impl Future<Output = Result<Option<Value>, TestFault>>,
    ) -> TestOutcome {
        if timeout.is_zero() {
            let fault = TestFault::new(ErrorCode::InvalidConfig, "a time-out of 0 leaves no time for a test");
            return TestOutcome::new(Duration::ZERO, Err(fault));
        }
        let began = self.system.elapsed();
        let result = within(&self.system, timeout, work).await;
        TestOutcome::new(self.system.elapsed().saturating_sub(began), result)
    }
}

/// Runs one test, for at most so long.
async fn test(
    system: &System,
    name: &'static str,
    limit: Duration,
    work: impl Future<Output = Result<String, TestFault>>,
) -> TestResult {
    let began = system.elapsed();
    let result = within(system, limit, work).await;
    TestResult::new(name, system.elapsed().saturating_sub(began), result)
}
