//! What modules can do, and how to find who can: [`Capability`], [`DiscoveryQuery`], and a cache of answers. Pure: the
//! candidates are handed in, and so is the time. The registry hands in those that it knows, see
//! [`Modules::discover`](crate::Modules::discover).
//!
//! ```
//! use callboard_bus::discovery::{Candidate, Capability, DiscoveryQuery, Permissions};
//! use semver::Version;
//! use serde_json::json;
//!
//! let capability = Capability::builder("data_processor", "1.4.0")
//!     .capability_type("data_processor")
//!     .input_schema(json!({ "type": "object", "properties": { "data": { "type": "string" } } }))
//!     .required_permission("data:process")
//!     .tag("analytics")
//!     .build()?;
//! let candidates = [Candidate::new("lab", Version::new(2, 0, 0), capability).into()];
//!
//! let query = DiscoveryQuery::default().capability_type("data_processor").tag("analytics");
//! let found = query.select(&Permissions::of(["data:process"]), &candidates);
//! assert_eq!(found.found[0].module, "lab");
//! assert!(query.select(&Permissions::default(), &candidates).found.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod advertising;
mod cache;
mod candidate;
mod capability;
mod query;
mod status;

pub use self::advertising::AdvertiseError;
pub use self::cache::{CacheCounts, DiscoveryCache};
pub use self::candidate::{Candidate, Permissions};
pub use self::capability::{Capabilities, Capability, CapabilityBuilder, CapabilityError};
pub use self::query::{Discovery, DiscoveryQuery, Mismatch};
pub use self::status::DiscoveryStatus;
