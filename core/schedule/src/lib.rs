//! When a schedule falls due: the expressions of Amazon EventBridge (`cron(...)`, `rate(...)`,
//! `at(...)`) in a time zone, between a start and an end.
//!
//! The crate is pure: time comes in as a value, and nothing here reads a clock, a disk or the
//! system's time zones. The rules of all zones are compiled in, so the same schedule falls due at
//! the same moments on every machine.
//!
//! ```
//! use trunkline_schedule::{Dialect, Expression, Timetable, Zone};
//!
//! let expression = Expression::parse("cron(0 2 * * ? *)", Dialect::Scheduler)?;
//! let zone = Zone::named("Europe/Berlin")?;
//! let timetable = Timetable::new(expression, zone, 1_700_000_000_000, None, None)?;
//! assert_eq!(timetable.next(1_700_000_000_000), Some(1_700_010_000_000));
//! # Ok::<(), trunkline_schedule::InvalidSchedule>(())
//! ```

mod cron;
mod dialect;
mod error;
mod expression;
mod rate;
mod timetable;
mod zone;

pub use cron::Cron;
pub use dialect::Dialect;
pub use error::InvalidSchedule;
pub use expression::Expression;
pub use rate::Rate;
pub use timetable::Timetable;
pub use zone::{Zone, utc_text};
