//! What the tests ask of a kind of resource.

use std::collections::BTreeMap;
use std::sync::Arc;

use trunkline_engine::{Engine, Millis, Operation, ResourceName, Result, Signal, Ticket};
use trunkline_host::ComponentKind;
use trunkline_journal::sim::Random;
use trunkline_wire::detect::ServiceInfo;
use trunkline_wire::service::Service;

/// A kind of resource under test. The methods with a default are for what not every kind has.
pub trait Noun: Sync {
    /// Its name in the messages of failed tests.
    fn name(&self) -> &'static str;

    /// What registers it at the host; `None` for a kind of the engine's own table.
    fn kind(&self) -> Option<&'static ComponentKind> {
        None
    }

    /// Makes some resources, in each state that they can have.
    fn fill(&self, engine: &Engine);

    /// How all its resources stand, as text to be compared.
    fn look(&self, engine: &Engine) -> Vec<String>;

    /// The names of what `fill` makes, in the order of a report.
    fn resources(&self) -> Vec<&'static str>;

    /// Any verb that changes something.
    fn touch(&self, engine: &Engine) -> Result<()>;

    /// Waits for one of its resources; false if that cannot be waited for.
    fn wait(&self, _engine: &Engine, _signal: Arc<dyn Signal>) -> bool {
        false
    }

    /// How long after `fill` the first timer changes how its resources look.
    fn first_timer(&self) -> Option<Millis> {
        None
    }

    /// A verb on what `fill` made that the host's injected faults strike.
    fn faulty_verb(&self) -> Option<FaultyVerb> {
        None
    }

    /// For the crash simulation: one operation that changes one thing; the ticket stands for it.
    fn operate(&self, _engine: &Engine, _random: &mut Random) -> Option<Ticket> {
        None
    }

    /// For the crash simulation: how what `operate` changes stands, by name.
    fn states(&self, _engine: &Engine) -> BTreeMap<String, Vec<u8>> {
        BTreeMap::new()
    }

    /// Its service of the wire.
    fn service(&self) -> Option<WireNoun> {
        None
    }
}

/// A verb that rules of faults name.
pub struct FaultyVerb {
    /// The operation that a rule names.
    pub operation: Operation,
    /// The resource that a rule names.
    pub resource: ResourceName,
    /// Carries it out.
    pub call: fn(&Engine) -> Result<()>,
}

/// The service of a kind, with what the dispatcher needs to know of it.
pub struct WireNoun {
    /// What requests for it are known by.
    pub info: ServiceInfo,
    /// Its model, as botocore writes models.
    pub model: &'static [u8],
    /// The data plane.
    pub service: Arc<dyn Service>,
    /// A request to what `fill` made.
    pub request: WireRequest,
}

/// One operation in each form in which it travels, and its output. Each call of it succeeds.
pub struct WireRequest {
    /// The name of the operation.
    pub operation: &'static str,
    /// Its input in the JSON protocols.
    pub json: &'static str,
    /// Its input in the query protocol, without action and version.
    pub form: &'static str,
    /// Its input in CBOR.
    pub cbor: &'static [u8],
    /// What the output of each of the three has to contain.
    pub output: &'static str,
}
