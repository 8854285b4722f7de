//! `cargo run --release --example configuration_core`
//!
//! Whoever has changed a setting says so to one module, which tells everybody who wants to know. The system itself heeds what the
//! environment says (`CALLBOARD_RETRY__MAX_RETRIES=5`); with a configuration that cannot work it does not start, and ends with 78.

use std::error::Error;
use std::process::ExitCode;

use callboard::bus::config::Config;
use callboard::bus::{BuilderConfigExt, Value};
use callboard::prelude::*;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Message, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct NotifyChange {
    module_name: String,
    setting: String,
    old_value: Value,
    new_value: Value,
}

#[derive(Event, Serialize, Deserialize)]
#[event("ConfigurationChanged")]
#[serde(rename_all = "PascalCase")]
struct ConfigurationChanged {
    module: String,
    setting: String,
    old_value: Value,
    new_value: Value,
    timestamp: Timestamp,
}

pub(crate) struct ConfigurationCore;

#[module(name = "ConfigurationCore", version = "1.0.0", publishes("ConfigurationChanged"))]
impl ConfigurationCore {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    /// Tells everybody that a setting has changed.
    #[request("NotifyChange")]
    fn notify(&mut self, change: NotifyChange, cx: &mut Context<Self>) -> Result<(), Fault> {
        let NotifyChange { module_name: module, setting, old_value, new_value } = change;
        let timestamp = Timestamp::now();
        cx.emit(&ConfigurationChanged { module, setting, old_value, new_value, timestamp })?;
        Ok(())
    }
}

struct Listener;

#[module(name = "Listener", version = "1.0.0")]
impl Listener {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    #[event]
    fn on_change(&mut self, change: ConfigurationChanged) {
        let ConfigurationChanged { module, setting, old_value, new_value, .. } = change;
        println!("Config changed: {module}.{setting} = {new_value} (it was {old_value})");
    }
}

#[callboard::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let config = match Config::load().environment(std::env::vars()).finish() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return Ok(error.into());
        }
    };
    let team = one_for_one().child(module::<Listener>()).child(module::<ConfigurationCore>());
    let system = System::builder().config(config).supervise(team).start().await?;

    let change = json!({ "ModuleName": "LabRunner", "Setting": "MaxJobs", "OldValue": 5, "NewValue": 10 });
    system.call("ConfigurationCore.NotifyChange", change).await?;

    let incomplete = json!({ "ModuleName": "LabRunner", "Setting": "MaxJobs", "NewValue": 10 });
    let refused = system.call("ConfigurationCore.NotifyChange", incomplete).await.expect_err("a value is missing");
    println!("refused: {} ({refused})", refused.code().code());

    // Lets the listener finish what it has heard.
    system.shutdown(Drain::default()).await;
    Ok(ExitCode::SUCCESS)
}
