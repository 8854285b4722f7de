//! `cargo run --release --example hello`
//!
//! One actor, one type of message, and a turn that panics. With `RUST_LOG=callboard=trace` in
//! front of the command, standard error shows the five hops of each message as it takes them;
//! docs/message-path.md tells what each of them decides.

use callboard::prelude::*;
use tracing_subscriber::EnvFilter;

#[derive(Message)]
#[message(reply = u64)]
struct Deposit(u64);

#[derive(Default)]
struct Account {
    cents: u64,
}

impl Actor for Account {}

impl Handler<Deposit> for Account {
    async fn handle(&mut self, Deposit(cents): Deposit, _: &mut Context<Self>) -> Result<u64, Fault> {
        assert!(cents > 0, "a deposit of nothing");
        self.cents += cents;
        Ok(self.cents)
    }
}

#[callboard::main]
async fn main(system: System) -> Result<(), Box<dyn std::error::Error>> {
    let to_stderr = tracing_subscriber::fmt().with_writer(std::io::stderr);
    to_stderr.with_env_filter(EnvFilter::from_default_env()).init();

    let account = system.spawn(child("account", Account::default));
    account.tell(Deposit(40)).await?;
    println!("balance: {}", account.ask(Deposit(2)).await?);
    println!("{}", account.ask(Deposit(0)).await.expect_err("its turn panics"));
    println!("balance after the restart: {}", account.ask(Deposit(7)).await?);
    Ok(())
}
