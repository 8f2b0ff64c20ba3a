//! The types of a domain: registered, deprecated, deleted.

use trunkline_journal::Ticket;
use trunkline_types::sync::lock;
use trunkline_workflow::WorkflowDefaults;
use trunkline_workflow::{ActivityDefaults, Fault, FaultKind, TypeId, TypeState, Types};

use super::record::{Record, What, body};
use super::rows::{Defaults, KeptType, RegisteredType, TypeKind};
use super::table::Table;
use super::{Domain, Outcome};

impl Types for Table {
    fn workflow(&self, id: &TypeId) -> TypeState<&WorkflowDefaults> {
        match self.registered(TypeKind::Workflow, id) {
            Some(RegisteredType { deprecated: Some(_), .. }) => TypeState::Deprecated,
            Some(RegisteredType { defaults: Defaults::Workflow(defaults), .. }) => {
                TypeState::Registered(defaults)
            }
            _ => TypeState::Unknown,
        }
    }

    fn activity(&self, id: &TypeId) -> TypeState<&ActivityDefaults> {
        match self.registered(TypeKind::Activity, id) {
            Some(RegisteredType { deprecated: Some(_), .. }) => TypeState::Deprecated,
            Some(RegisteredType { defaults: Defaults::Activity(defaults), .. }) => {
                TypeState::Registered(defaults)
            }
            _ => TypeState::Unknown,
        }
    }
}

impl Table {
    fn registered(&self, kind: TypeKind, id: &TypeId) -> Option<&RegisteredType> {
        self.types.get(&(kind, id.clone())).map(|kept| &kept.row)
    }
}

/// What a type is called in faults.
fn named(kind: TypeKind, id: &TypeId) -> String {
    let TypeId { name, version } = id;
    match kind {
        TypeKind::Workflow => format!("WorkflowType=[name={name}, version={version}]"),
        TypeKind::Activity => format!("ActivityType=[name={name}, version={version}]"),
    }
}

impl Domain {
    /// Registers a type.
    pub fn register_type(
        &self,
        id: TypeId,
        description: Option<String>,
        defaults: Defaults,
    ) -> Outcome<Option<Ticket>> {
        self.check_writable()?;
        self.host.refuse_if_full()?;
        let now = self.host.now();
        let mut table = lock(&self.table);
        table.check_registered(&self.name.name)?;
        let key = (defaults.kind(), id.clone());
        if table.types.contains_key(&key) {
            return Err(Fault::new(FaultKind::TypeAlreadyExists, named(key.0, &id)).into());
        }
        let row = RegisteredType { id, description, created: now, deprecated: None, defaults };
        let number = table.next_type;
        let mut log = self.host.append_at(now)?;
        let record = Record::Type { id: self.id, number, body: &body(&row) };
        let at = log.append_live(&record, None);
        table.next_type += 1;
        table.types.insert(key, KeptType { number, row, at });
        Ok(log.ticket())
    }

    /// A type that was registered.
    pub fn find_type(&self, kind: TypeKind, id: &TypeId) -> Outcome<RegisteredType> {
        self.check_readable()?;
        let table = lock(&self.table);
        let found = table.registered(kind, id).cloned();
        Ok(found.ok_or_else(|| unknown(kind, id))?)
    }

    /// The types of this kind that are deprecated, or those that are not, by name and version.
    pub fn types(&self, kind: TypeKind, deprecated: bool) -> Outcome<Vec<RegisteredType>> {
        self.check_readable()?;
        let table = lock(&self.table);
        let wanted = |row: &&RegisteredType| {
            row.defaults.kind() == kind && row.deprecated.is_some() == deprecated
        };
        Ok(table.types.values().map(|kept| &kept.row).filter(wanted).cloned().collect())
    }

    /// Deprecates a type, or takes that back.
    pub fn deprecate_type(
        &self,
        kind: TypeKind,
        id: &TypeId,
        deprecated: bool,
    ) -> Outcome<Option<Ticket>> {
        self.check_writable()?;
        let now = self.host.now();
        let mut table = lock(&self.table);
        let kept = table.types.get_mut(&(kind, id.clone()));
        let kept = kept.ok_or_else(|| unknown(kind, id))?;
        if kept.row.deprecated.is_some() == deprecated {
            let fault = if deprecated { FaultKind::TypeDeprecated } else { ALREADY };
            return Err(Fault::new(fault, named(kind, id)).into());
        }
        let row = RegisteredType { deprecated: deprecated.then_some(now), ..kept.row.clone() };
        let mut log = self.host.append_at(now)?;
        let record = Record::Type { id: self.id, number: kept.number, body: &body(&row) };
        kept.at = log.append_live(&record, kept.at);
        kept.row = row;
        Ok(log.ticket())
    }

    /// Deletes a type that is deprecated.
    pub fn delete_type(&self, kind: TypeKind, id: &TypeId) -> Outcome<Option<Ticket>> {
        self.check_writable()?;
        let mut table = lock(&self.table);
        let key = (kind, id.clone());
        let kept = table.types.get(&key).ok_or_else(|| unknown(kind, id))?;
        if kept.row.deprecated.is_none() {
            return Err(Fault::new(FaultKind::TypeNotDeprecated, named(kind, id)).into());
        }
        let (number, at) = (kept.number, kept.at);
        let mut log = self.host.append()?;
        log.append(&Record::Gone { id: self.id, what: What::Type, number });
        at.into_iter().for_each(|at| log.release(at));
        table.types.remove(&key);
        Ok(log.ticket())
    }
}

const ALREADY: FaultKind = FaultKind::TypeAlreadyExists;

#[cold]
fn unknown(kind: TypeKind, id: &TypeId) -> Fault {
    Fault::unknown(format!("type: {}", named(kind, id)))
}
