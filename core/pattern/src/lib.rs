//! A matcher for event patterns of EventBridge and filter policies of SNS: finds the rules of a set
//! that match an event.
//!
//! It is not a JSON library (it parses only fields that rules name), not a router (a rule is a
//! number whose meaning the caller defines), and not an engine for other query languages.
//!
//! ```
//! use trunkline_pattern::{Dialect, Event, Limits, Pattern, RuleSet, Scratch};
//!
//! let rules = RuleSet::new();
//! let texts = [r#"{"state":["running"]}"#, r#"{"load":[{"numeric":[">",0.9]}]}"#];
//! for (id, text) in (1..).zip(texts) {
//!     let pattern = Pattern::compile(text.as_bytes(), Dialect::EventPattern, &Limits::default())?;
//!     rules.add(id, &pattern);
//! }
//! let event = Event::new(br#"{"state":"running","load":0.95}"#);
//! let mut matched = Vec::new();
//! rules.matches(event, &mut Scratch::default(), &mut matched)?;
//! assert_eq!(matched, [1, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compare;
mod compile;
mod cow;
mod error;
mod event;
mod explain;
mod hash;
mod index;
mod json;
mod limits;
mod paths;
mod pattern;
mod scratch;
mod set;
mod visualize;

pub use error::{Dialect, InvalidEvent, InvalidPattern};
pub use event::attributes::{Attribute, AttributeKind};
pub use event::input::Event;
pub use explain::{Explanation, Failure, Reason};
pub use index::owners::RuleId;
pub use limits::Limits;
pub use pattern::Pattern;
pub use scratch::Scratch;
pub use set::{RuleSet, RuleSnapshot};
pub use visualize::Format;
