//! What types of users do when they are read and written happens outside of every turn. A panic there is the error of one
//! call, and nothing else is harmed.

use callboard_actor::testing::TestSystem;
use callboard_actor::{Actor, Context, ErrorCode, Fault, Message, SyncHandler};
use callboard_bus::{Manifest, ModulesExt, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
struct Measure {
    #[serde(deserialize_with = "positive")]
    #[schemars(with = "i64")]
    size: i64,
}

fn positive<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let size = i64::deserialize(deserializer)?;
    assert!(size >= 0, "nobody thought of this");
    Ok(size)
}

#[derive(JsonSchema)]
struct Size(#[schemars(with = "i64")] i64);

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(self.0 < 100, "nor of this");
        serializer.serialize_i64(self.0)
    }
}

impl Message for Measure {
    type Reply = Size;
}

struct Ruler;

impl Actor for Ruler {}

impl SyncHandler<Measure> for Ruler {
    fn handle(&mut self, measure: Measure, _: &mut Context<Self>) -> Result<Size, Fault> {
        Ok(Size(measure.size))
    }
}

#[test]
fn the_call_fails_and_the_next_one_does_not() {
    TestSystem::run(async |t| {
        let ruler = t.spawn(|| Ruler);
        let module = Manifest::new("ruler", "1.0.0").operation::<Measure>("measure");
        module.register(&ruler).await.unwrap();
        let measure = async |size: i64| t.system().call("ruler.measure", json!({ "size": size })).await;

        let unread = measure(-1).await.unwrap_err();
        assert_eq!(unread.code(), ErrorCode::ValidationFailed);
        assert!(unread.to_string().contains("panicked when it was read"), "{unread}");
        let unwritten = measure(100).await.unwrap_err();
        assert_eq!(unwritten.code(), ErrorCode::Internal);
        assert!(unwritten.to_string().contains("panicked when it was written"), "{unwritten}");
        assert_eq!(measure(7).await.unwrap(), Value::from(7_i64));
        t.shutdown().await;
    });
}
