//! Runs the tests that stand at the ends of the files of the example
//! `market_pipeline`.
//!
//! An example that cargo tests is not built as a program too, and the program
//! is what `market_pipeline.rs` runs. So the files are compiled a second time
//! here.
//!
//! With them at hand, and three examples of one file, what the modules of the
//! examples offer is held against a file that is kept.

#![allow(dead_code, reason = "main.rs, from which all is called, is left out")]

#[path = "../market_pipeline/analysis.rs"]
mod analysis;
#[path = "../market_pipeline/archive.rs"]
mod archive;
#[path = "../market_pipeline/assembly.rs"]
mod assembly;
#[path = "../market_pipeline/chaos.rs"]
mod chaos;
#[path = "../common/command_line.rs"]
mod command_line;
#[path = "../communication_module.rs"]
mod communication_module;
#[path = "../configuration_core.rs"]
mod configuration_core;
#[path = "../market_pipeline/correlation.rs"]
mod correlation;
#[path = "../market_pipeline/date.rs"]
mod date;
#[path = "../market_pipeline/drawdown.rs"]
mod drawdown;
#[path = "../market_pipeline/figures.rs"]
mod figures;
#[path = "../market_pipeline/frequency.rs"]
mod frequency;
#[path = "../market_pipeline/gap.rs"]
mod gap;
#[path = "../market_pipeline/input.rs"]
mod input;
#[path = "../market_pipeline/job.rs"]
mod job;
#[path = "../lab_runner.rs"]
mod lab_runner;
#[path = "../market_pipeline/module.rs"]
mod module;
#[path = "exports/offered.rs"]
mod offered;
#[path = "../market_pipeline/options.rs"]
mod options;
#[path = "../market_pipeline/order.rs"]
mod order;
#[path = "../market_pipeline/pictures.rs"]
mod pictures;
#[path = "../market_pipeline/processor.rs"]
mod processor;
#[path = "../market_pipeline/progress.rs"]
mod progress;
#[path = "../market_pipeline/quarantine.rs"]
mod quarantine;
#[path = "../market_pipeline/report.rs"]
mod report;
#[path = "../market_pipeline/result_file.rs"]
mod result_file;
#[path = "../market_pipeline/returns.rs"]
mod returns;
#[path = "../market_pipeline/row.rs"]
mod row;
#[path = "../market_pipeline/series.rs"]
mod series;
#[path = "../market_pipeline/storage.rs"]
mod storage;
#[path = "../market_pipeline/stretch.rs"]
mod stretch;
#[path = "../market_pipeline/table.rs"]
mod table;
#[path = "../market_pipeline/team.rs"]
mod team;
#[path = "../market_pipeline/validation.rs"]
mod validation;
#[path = "../market_pipeline/validator.rs"]
mod validator;
#[path = "../market_pipeline/volatility.rs"]
mod volatility;
#[path = "../market_pipeline/workflow.rs"]
mod workflow;
