//! F-API-08: a middleware that is there writes a line when a call begins and one when it ends, and changes nothing.

use callboard_actor::ErrorCode;
use callboard_actor::testing::TestSystem;
use callboard_bus::middleware::log_calls;
use callboard_bus::{CallSettings, OperationsExt};

use crate::log_lines::{Log, said as value_of};
use crate::trouble::{Script, Turn, press, work};

/// F-API-08, F-ERR-02: one line at the start; on success one with how long it took, on failure one with the error, which is
/// handed on as it is, and with all that a line about an error has.
#[test]
fn a_line_at_the_start_and_one_at_the_end() {
    let log = Log::default();
    log.during(|| {
        TestSystem::run(async |t| {
            let script = Script::default();
            let _press = press(t, &script, CallSettings::new()).await;
            script.next(Turn::Wrong, 1);
            let expected = work(t).await.unwrap_err();
            t.system().operations().middleware("logging").priority(10).install(log_calls).unwrap();
            assert_eq!(work(t).await.unwrap(), 1.into());
            script.next(Turn::Wrong, 1);
            let error = work(t).await.unwrap_err();
            assert_eq!((error.code(), error.to_string()), (ErrorCode::HandlerFailed, expected.to_string()));
            t.shutdown().await;
        });
    });
    let lines = log.about("callboard::call");
    let said = |line: &String| line.split_once("callboard::call: ").unwrap().1.to_owned();
    let said: Vec<String> = lines.iter().map(said).collect();
    let [first, ended, second, failed] = &said[..] else { panic!("{said:?}") };
    for line in [first, second] {
        assert!(
            line.starts_with("call begins message_id=") && line.ends_with(r#"module="press" operation=press.work"#),
            "{line}"
        );
    }
    assert!(ended.starts_with("call succeeded message_id=") && ended.contains("operation=press.work took="), "{ended}");
    assert!(failed.starts_with("call failed message_id="), "{failed}");
    assert!(failed.contains(r#"operation=press.work code="handler_failed" took="#), "{failed}");
    assert!(failed.ends_with("error=there is no such paper"), "{failed}");
    for name in ["message_id", "correlation_id", "trace_id", "module", "operation", "code"] {
        assert!(value_of(failed, name).is_some_and(|value| !value.is_empty()), "{failed} has no {name}");
    }
    assert!(lines[3].contains(" WARN ") && lines[..3].iter().all(|line| line.contains(" INFO ")), "{lines:?}");
}
