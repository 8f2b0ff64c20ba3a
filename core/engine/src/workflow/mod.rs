//! Workflows as Amazon SWF has them: domains with their types, their executions and task lists.
//!
//! What an execution does is decided by `trunkline-workflow`, which is pure. A [`Domain`] keeps
//! its executions, its types, and one retained log with all histories. A verb takes the
//! lock of the domain, decides on copies of the executions that it touches, those included that
//! signals, children and child policies lead to (`transaction.rs`), and appends all of it in one
//! step of the journal: for each execution its new state and the entry of its history. So a crash
//! shows all of a decision or nothing of it, and no event comes twice.
//!
//! Task lists follow from the executions (`lists.rs`): they have no records. Timers are hints: each
//! execution has one entry in the host's timers, for what is due first.
//!
//! Lock order: the table of a domain, then the append lock.

mod component;
mod domain;
mod history;
mod json;
mod lambda;
mod lists;
mod pages;
mod poll;
mod record;
mod replay;
mod respond;
mod rows;
mod start;
mod table;
mod token;
mod transaction;
mod types;
mod visibility;

use std::sync::Arc;

use trunkline_host::{ComponentKind, Host, Jobs, Resource};
use trunkline_types::sync::Mutex;
use trunkline_types::sync::atomic::AtomicBool;
use trunkline_types::{Error, Limits, Millis, ResourceId, ResourceKind, ResourceName, Result};
use trunkline_workflow::Fault;

pub use self::component::Domains;
pub use self::json::{
    details, info, read_defaults, read_filter, read_policy, read_start, type_details, type_info,
};
pub use self::lambda::LambdaTask;
pub use self::lists::TaskList;
pub use self::pages::HistoryPage;
pub use self::poll::{ActivityTask, DecisionTask};
pub use self::respond::{ActivityEnd, DecisionAnswer};
pub use self::rows::{Defaults, DomainSettings, RegisteredType, TypeKind};
pub use self::start::Target;
pub use self::visibility::open_counts;
pub use self::visibility::{Filter, HistoryRange, OrderedBy, Visible, VisiblePage};

use self::record::{DEFINED, GONE};
use self::replay::DomainLoader;
use self::table::Table;

/// The kind of domains, for the table of kinds.
pub static DOMAINS: ComponentKind = ComponentKind {
    name: "domain",
    records: &[DEFINED..=GONE],
    operations: &[],
    loader: |_: &Limits| Box::<DomainLoader>::default(),
};

/// The kind of a domain of workflows.
pub const DOMAIN: ResourceKind = ResourceKind("domain");

/// The timer slot that ends waits on a virtual clock; executions have the numbers below.
const SLOT_WAITERS: u32 = u32::MAX;

/// Why a verb did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It was refused, in the words of SWF.
    Fault(Fault),
    /// The engine could not carry it out.
    Engine(Error),
}

/// The result of a verb.
pub type Outcome<T> = std::result::Result<T, Failure>;

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

/// A domain with its types and executions.
pub struct Domain {
    host: Arc<Host>,
    id: ResourceId,
    name: ResourceName,
    shared: Arc<component::Shared>,
    table: Mutex<Table>,
    removed: AtomicBool,
}

impl Domain {
    /// Its id in this engine.
    pub fn id(&self) -> ResourceId {
        self.id
    }

    /// Account, region and name.
    pub fn name(&self) -> &ResourceName {
        &self.name
    }
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Domain").field("name", &self.name.name).finish_non_exhaustive()
    }
}

impl Resource for Domain {
    fn id(&self) -> ResourceId {
        self.id
    }

    fn name(&self) -> &ResourceName {
        &self.name
    }

    fn fire(&self, slot: u32, now: Millis, jobs: &Jobs<'_>) -> Option<Millis> {
        // What is done needs the lock of the table, which a verb may hold while it appends.
        if slot == SLOT_WAITERS || self.host.check_writable().is_ok() {
            jobs.push(u64::from(slot));
        }
        let _ = now;
        None
    }

    fn run(&self, task: u64, now: Millis) -> Result<()> {
        match task as u32 {
            SLOT_WAITERS => {
                for list in self.lists() {
                    trunkline_host::Awaited::waiters(&*list).expire(now);
                }
                Ok(())
            }
            number => self.run_due(number, now),
        }
    }

    fn close(&self) {
        for list in self.lists() {
            trunkline_host::Awaited::waiters(&*list).wake_all();
        }
    }
}
