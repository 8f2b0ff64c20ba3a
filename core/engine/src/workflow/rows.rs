//! What is kept of domains and of types.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trunkline_host::Location;
use trunkline_types::Millis;
use trunkline_workflow::{ActivityDefaults, Fault, TypeId, WorkflowDefaults};

const DAY: Millis = 86_400_000;

/// What is kept of a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainSettings {
    /// What it is for.
    pub description: Option<String>,
    /// How many days executions are kept that are closed, or `NONE`.
    pub retention_days: String,
    /// When it was deprecated.
    pub deprecated: Option<Millis>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl DomainSettings {
    /// How long executions are kept that are closed.
    pub(super) fn retention(&self) -> Millis {
        self.retention_days.parse::<u64>().unwrap_or(0).saturating_mul(DAY)
    }
}

/// What a type is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TypeKind {
    /// Workflows.
    Workflow,
    /// Activities.
    Activity,
}

/// The defaults of a type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Defaults {
    /// Of workflows.
    Workflow(WorkflowDefaults),
    /// Of activities.
    Activity(ActivityDefaults),
}

impl Defaults {
    /// What the type is of.
    pub fn kind(&self) -> TypeKind {
        match self {
            Self::Workflow(_) => TypeKind::Workflow,
            Self::Activity(_) => TypeKind::Activity,
        }
    }

    /// Whether every duration and the priority are what they may be.
    pub(super) fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Workflow(defaults) => defaults.check(),
            Self::Activity(defaults) => defaults.check(),
        }
    }
}

/// A type that was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredType {
    /// Its name and version.
    pub id: TypeId,
    /// What it is for.
    pub description: Option<String>,
    /// When it was registered.
    pub created: Millis,
    /// When it was deprecated.
    pub deprecated: Option<Millis>,
    /// Its defaults.
    pub defaults: Defaults,
}

/// A type with its record.
pub(super) struct KeptType {
    pub number: u32,
    pub row: RegisteredType,
    pub at: Option<Location>,
}
