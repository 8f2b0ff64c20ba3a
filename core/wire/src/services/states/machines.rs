//! What the data plane knows of state machines: their documents, read and compiled once.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use serde::Deserialize;
use serde_json::Value;
use trunkline_engine::states::{Identity, Limits, MachineType, Program};
use trunkline_engine::{BUS, Engine, MACHINE, Machine, ResourceName};
use trunkline_types::sync::{Mutex, lock};

use crate::arn::partition;
use crate::service::Call;

/// State machines that are remembered; all are forgotten beyond that.
const KNOWN_MAX: usize = 10_000;
/// What a program keeps of its state machine.
const KEPT: [&str; 7] = ["logging", "tracing", "encryption", "role", "revision", "updated", "type"];

/// The state machines that were started lately.
#[derive(Default)]
pub(super) struct KnownMachines(Mutex<HashMap<String, Arc<KnownMachine>>>);

/// A state machine whose executions take a short time until they wait.
pub(super) struct KnownMachine {
    /// The document that all of this was read from.
    document: Vec<u8>,
    pub name: ResourceName,
    pub program: Program,
    pub is_express: bool,
    pub is_logged: bool,
    definition: String,
    kept: Value,
    machine_arn: Arc<str>,
    role_arn: Arc<str>,
    /// The machine in the engine, and the number of the program there.
    durable: Mutex<Option<(Weak<Machine>, u32)>>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "type")]
    kind: String,
    definition: String,
    role: String,
    logging: Logging,
}

#[derive(Deserialize)]
struct Logging {
    level: String,
}

impl KnownMachines {
    /// The state machine of the caller with this resource name. `None` where the control plane has
    /// to look: there is none, or more is to be known of it.
    pub fn find(&self, call: &Call<'_>, arn: &str) -> Option<Arc<KnownMachine>> {
        let name = own_name(call, arn)?;
        let key = format!("states/{}/{}/machine/{}", call.account, call.region, name);
        let document = call.engine.document(&key)?;
        let known = lock(&self.0).get(&key).cloned();
        if let Some(known) = known.filter(|known| known.document == document) {
            return Some(known);
        }
        let name = ResourceName::new(MACHINE, call.account, call.region, name);
        let read = Arc::new(KnownMachine::read(name, arn, document)?);
        let mut known = lock(&self.0);
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key, read.clone());
        Some(read)
    }

    pub fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// The name in the resource name of a state machine of the caller, without a qualifier.
fn own_name<'a>(call: &Call<'_>, arn: &'a str) -> Option<&'a str> {
    let mut parts = arn.split(':');
    let own = ["arn", partition(call.region), "states", call.region, call.account, "stateMachine"];
    let is_own = own.iter().all(|part| parts.next() == Some(part));
    let (name, more) = (parts.next()?, parts.next());
    (is_own && more.is_none()).then_some(name)
}

impl KnownMachine {
    fn read(name: ResourceName, arn: &str, document: Vec<u8>) -> Option<Self> {
        let read: Document = serde_json::from_slice(&document).ok()?;
        let kept = kept(serde_json::from_slice(&document).ok()?)?;
        let is_express = read.kind == "EXPRESS";
        let kind = if is_express { MachineType::Express } else { MachineType::Standard };
        let program = Program::compile(&read.definition, kind, &Limits::default()).ok()?;
        program.is_brief().then_some(())?;
        Some(Self {
            document,
            name,
            program,
            is_express,
            is_logged: read.logging.level != "OFF",
            definition: read.definition,
            kept,
            machine_arn: arn.into(),
            role_arn: read.role.into(),
            durable: Mutex::default(),
        })
    }

    /// Who an execution of this state machine is.
    pub fn identity(&self, execution_arn: &str, name: &str) -> Identity {
        Identity {
            execution_arn: execution_arn.into(),
            name: name.into(),
            role_arn: self.role_arn.clone(),
            machine_arn: self.machine_arn.clone(),
            machine_name: self.name.name.as_str().into(),
            version_arn: None,
            alias_arn: None,
            region: self.name.region.as_str().into(),
            express: self.is_express,
            is_test: false,
        }
    }

    pub fn machine_arn(&self) -> &str {
        &self.machine_arn
    }

    /// The resource name of an execution, of a kind and with what names it.
    pub fn execution_arn(&self, kind: &str, name: &str) -> String {
        let ResourceName { account, region, name: machine, .. } = &self.name;
        format!("arn:{}:states:{region}:{account}:{kind}:{machine}:{name}", partition(region))
    }

    /// The machine in the engine and the number of its program, once the control plane has
    /// started an execution of this revision.
    pub fn durable(&self, engine: &Engine) -> Option<(Arc<Machine>, u32)> {
        let machine = engine.find_machine(&self.name).ok()??;
        let mut durable = lock(&self.durable);
        if let Some((known, program)) = &*durable
            && std::ptr::eq(known.as_ptr(), Arc::as_ptr(&machine))
        {
            return Some((machine, *program));
        }
        let is_it = |text: &str, document: &[u8]| {
            text == self.definition
                && serde_json::from_slice::<Value>(document).is_ok_and(|kept| kept == self.kept)
        };
        let program = machine.find_program(is_it)?;
        *durable = Some((Arc::downgrade(&machine), program));
        Some((machine, program))
    }

    /// Whether a rule could match the events of its executions: there is a default bus.
    pub fn is_watched(&self, engine: &Engine) -> bool {
        let ResourceName { account, region, .. } = &self.name;
        let bus = ResourceName::new(BUS, account, region, "default");
        !matches!(engine.find_bus(&bus), Ok(None))
    }
}

fn kept(mut document: Value) -> Option<Value> {
    let document = document.as_object_mut()?;
    let members =
        KEPT.iter().filter_map(|name| Some(((*name).to_owned(), document.remove(*name)?)));
    Some(Value::Object(members.collect()))
}
