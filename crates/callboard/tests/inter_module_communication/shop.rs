//! The modules that all groups use: a till that takes orders, and a stock that it asks.

use std::fmt;
use std::time::Duration;

use callboard::bus::Health;
use callboard::prelude::*;
use callboard::testing::TestSystem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Message, Deserialize, Serialize, JsonSchema)]
#[message(reply = u64)]
pub(crate) struct Take {
    pub(crate) pieces: u64,
}

/// How a turn of the stock goes that has been told to fail.
#[derive(Clone, Debug, Message, Deserialize, JsonSchema)]
pub(crate) enum Fail {
    Panic,
    /// For so many seconds.
    Hang(u64),
}

/// Answered at the third time.
#[derive(Clone, Debug, Message, Deserialize, JsonSchema)]
#[message(reply = Result<u64, Engaged>)]
pub(crate) struct Knock;

/// It passes.
#[derive(Debug)]
pub(crate) struct Engaged;

impl fmt::Display for Engaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stock is busy")
    }
}

impl std::error::Error for Engaged {}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Sold {
    pub(crate) sold: u64,
    pub(crate) left: u64,
}

#[derive(Clone, Debug, Message, Deserialize, JsonSchema)]
#[message(reply = Sold)]
pub(crate) struct Order {
    pub(crate) pieces: u64,
}

pub(crate) struct Stock {
    pieces: u64,
    knocks: u64,
}

#[module(name = "stock", version = "1.2.0", tags("goods"))]
impl Stock {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self { pieces: 1_000_000, knocks: 0 })
    }

    #[request("take")]
    fn take(&mut self, take: Take) -> u64 {
        self.pieces -= take.pieces;
        self.pieces
    }

    #[request("fail")]
    async fn fail(&mut self, fail: Fail) {
        match fail {
            Fail::Panic => panic!("the shelf has fallen over"),
            Fail::Hang(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
        }
    }

    #[request("knock")]
    fn knock(&mut self, _: Knock) -> Result<u64, Engaged> {
        self.knocks += 1;
        if self.knocks < 3 { Err(Engaged) } else { Ok(self.knocks) }
    }

    #[event("stock.delivered")]
    fn on_delivery(&mut self, pieces: u64) {
        self.pieces += pieces;
    }

    #[probe]
    fn health(&mut self) -> Health {
        Health::Healthy
    }
}

pub(crate) struct Till {
    stock: Recipient<Take>,
    sold: u64,
}

#[module(name = "till", version = "1.0.0", requires("stock.take@^1"), publishes("till.sold"))]
impl Till {
    async fn start(cx: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self { stock: cx.require().await?, sold: 0 })
    }

    #[request("order")]
    async fn order(&mut self, Order { pieces }: Order, cx: &mut Context<Self>) -> Result<Sold, Fault> {
        let left = self.stock.ask(Take { pieces }).await?;
        self.sold += pieces;
        cx.publish("till.sold", serde_json::json!({ "pieces": pieces }))?;
        Ok(Sold { sold: self.sold, left })
    }
}

/// Both, started.
pub(crate) async fn open(t: &TestSystem) {
    let team = one_for_one().name("shop").child(module::<Till>()).child(module::<Stock>());
    t.system().supervise(team).await.unwrap();
    t.settle().await;
}

/// What a call by name answers.
pub(crate) async fn order(t: &TestSystem, pieces: u64) -> Result<Sold, callboard::bus::CallError> {
    let answer = t.system().call("till.order", serde_json::json!({ "pieces": pieces })).await?;
    Ok(callboard::bus::from_value(&answer).unwrap())
}
