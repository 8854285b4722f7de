//! The tests that a full test has besides: what may not be, and what comes back.

use std::time::Duration;

use callboard_actor::{ErrorCode, System};

use super::basic::Guest;
use super::{TestFault, TestResult, Trial, test};
use crate::codec::{Limits, decode_value};
use crate::events::EventsExt;
use crate::publish::PublishError;
use crate::value::Value;

const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn run(system: &System) -> Vec<TestResult> {
    vec![
        test(system, "security: reserved names", LIMIT, reserved_names(system)).await,
        test(system, "security: hostile payloads", LIMIT, hostile_payloads()).await,
        test(system, "overload", LIMIT, overload(system)).await,
        test(system, "recovery", LIMIT, recovery(system)).await,
    ]
}

async fn reserved_names(system: &System) -> Result<String, TestFault> {
    let published = system.publish("$self_test.forged", Value::Null).await.map(drop);
    let created = system.channel("$self_test").create().await;
    let are_refused = matches!(published, Err(PublishError::Reserved(_)))
        && created.is_err_and(|error| error.code() == ErrorCode::InvalidName);
    are_refused
        .then(|| "nobody can use the names of the system".to_owned())
        .ok_or_else(|| TestFault::new(ErrorCode::PermissionDenied, "a name of the system's own could be used"))
}

/// Deep lists, and one that says it is larger than all there is.
async fn hostile_payloads() -> Result<String, TestFault> {
    let (nested, huge) = (vec![0x91; 100_000], b"\xdd\xff\xff\xff\xff".to_vec());
    let are_refused = [nested, huge].iter().all(|bytes| decode_value(bytes, &Limits::default()).is_err());
    are_refused
        .then(|| "payloads beyond the limits are refused".to_owned())
        .ok_or_else(|| TestFault::internal("a payload beyond the limits was read"))
}

/// A channel with room for one message: of three that nobody looks at, one at least is refused.
async fn overload(system: &System) -> Result<String, TestFault> {
    let mut trial = Trial::bounded(system, 1).await?;
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..3 {
        match trial.publish(Value::from(number)).await {
            Ok(_) => accepted += 1,
            Err(PublishError::ChannelFull { .. }) => refused += 1,
            Err(error) => return Err(error.into()),
        }
    }
    for _ in 0..accepted {
        trial.next().await?;
    }
    trial.end().await;
    (refused > 0)
        .then(|| format!("{accepted} messages came, {refused} were refused"))
        .ok_or_else(|| TestFault::internal("a channel has taken more messages than it may hold"))
}

/// An actor whose value ends is given a new one.
async fn recovery(system: &System) -> Result<String, TestFault> {
    let guest = Guest::enter(system);
    let (_, before) = guest.ask(1).await?;
    guest.finish().await?;
    let (_, after) = guest.ask(2).await?;
    guest.leave().await;
    let is_back = after == before + 1;
    is_back
        .then(|| "an actor came back by itself".to_owned())
        .ok_or_else(|| TestFault::internal("it did not come back"))
}
