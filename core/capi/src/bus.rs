//! The functions of an event bus: create, find, rules with a queue as target, putting an event.

#![allow(unsafe_code)] // Only the attribute of exported names, and promises about layouts.

use std::ffi::c_char;
use std::mem::size_of;

use trunkline_engine::{Input, NewRule, NewTarget, PutEvent, TargetResource, bus_name};
use trunkline_types::sync::lock;

use crate::border::{Bytes, Growing, In, Out, Text};
use crate::check;
use crate::failure::guard;
use crate::handle::{BusHandle, EngineHandle, OpenBus, QueueHandle};
use crate::options::{characters, growing};
use crate::status::Status;
use crate::topic::{exists, missing};

/// EventBridge's defaults for deliveries that are tried again. A queue takes an event at once.
const RETRIES_MAX: u32 = 185;
/// See [`RETRIES_MAX`].
const AGE_MAX_MS: u64 = 86_400_000;

/// What a rule says beside its pattern and its queue.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RuleOptions {
    /// Set by TRUNKLINE_RULE_OPTIONS_INIT.
    pub size: usize,
    /// The group of its messages, for a FIFO queue; or NULL.
    pub group: Text,
}

/// An event that was accepted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EventAccepted {
    /// Set by TRUNKLINE_EVENT_ACCEPTED_INIT.
    pub size: usize,
    /// The id of the event, 36 characters unless it brought its own; a longer one is cut.
    pub event_id: [c_char; 64],
    /// How many rules matched.
    pub matched: u64,
    /// How many targets took the event.
    pub delivered: u64,
    /// How many targets took nothing.
    pub failed: u64,
}

growing!(RuleOptions { group: Text::NULL });
growing!(EventAccepted { event_id: [0; 64], matched: 0, delivered: 0, failed: 0 });

/// Creates the event bus `name`. A bus that exists already is TRUNKLINE_RESOURCE_IN_USE_EXCEPTION.
/// The handle is given back with trunkline_bus_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_bus_create(
    engine: EngineHandle,
    name: Text,
    bus: Out<BusHandle>,
) -> Status {
    bus.put(BusHandle::NULL);
    guard(|| {
        bus.check("bus")?;
        let (open, name) = (engine.get()?, name.get("name")?);
        let created = {
            let _defining = lock(&open.defining);
            if open.engine.find_bus(&bus_name(name))?.is_some() {
                return Err(exists("event bus", name, "trunkline_bus_find"));
            }
            open.engine.bus(bus_name(name), b"")?.0
        };
        open.engine.acknowledge()?;
        bus.put(BusHandle::new(OpenBus::new(open, created))?);
        Ok(())
    })
}

/// Finds the event bus `name`; if there is none, that is TRUNKLINE_RESOURCE_NOT_FOUND_EXCEPTION.
/// The handle is given back with trunkline_bus_free.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_bus_find(
    engine: EngineHandle,
    name: Text,
    bus: Out<BusHandle>,
) -> Status {
    bus.put(BusHandle::NULL);
    guard(|| {
        bus.check("bus")?;
        let (open, name) = (engine.get()?, name.get("name")?);
        let found = open.engine.find_bus(&bus_name(name))?;
        let found = found.ok_or_else(|| missing("event bus", name, "trunkline_bus_create"))?;
        bus.put(BusHandle::new(OpenBus::new(open, found))?);
        Ok(())
    })
}

/// Gives the handle back; the bus itself stays. NULL, and a handle that was given back, do nothing.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_bus_free(bus: BusHandle) {
    guard(|| {
        bus.free();
        Ok(())
    });
}

/// Removes the bus with its rules and archives. The handle stays to be given back.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_bus_remove(bus: BusHandle) -> Status {
    guard(|| {
        let bus = bus.get()?;
        let ticket = bus.owner.engine.remove_bus(&bus.bus)?;
        bus.settle(ticket)
    })
}

/// Puts the rule `name`, in the place of one of that name: events that match `pattern`, an event
/// pattern of EventBridge as JSON, go to `queue`, which is of the same engine. `options` may be
/// NULL.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_rule_put(
    bus: BusHandle,
    name: Text,
    pattern: Text,
    queue: QueueHandle,
    options: In<RuleOptions>,
) -> Status {
    guard(|| {
        let (bus, queue) = (bus.get()?, queue.get()?);
        bus.owner.check_same(&queue.owner, "queue")?;
        let options = options.get("options")?;
        let group = options.group.optional("group")?;
        let group = check::id(group, "group", bus.owner.engine.limits())?;
        let target = NewTarget {
            id: "queue".to_owned(),
            resource: TargetResource::Resource(queue.queue.id()),
            arn: None,
            input: Input::Event,
            dead_letter: None,
            retries_max: RETRIES_MAX,
            age_max: AGE_MAX_MS,
            group: group.map(str::to_owned),
            key_path: None,
            http: Default::default(),
            document: Vec::new(),
        };
        let (name, pattern) = (name.get("name")?, pattern.get("pattern")?);
        let rule =
            NewRule { name, pattern, is_enabled: true, targets: Some(vec![target]), document: b"" };
        let ticket = bus.owner.engine.put_rule(&bus.bus, rule)?;
        bus.settle(ticket)
    })
}

/// Removes the rule `name`.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_rule_remove(bus: BusHandle, name: Text) -> Status {
    guard(|| {
        let bus = bus.get()?;
        let ticket = bus.owner.engine.remove_rule(&bus.bus, name.get("name")?)?;
        bus.settle(ticket)
    })
}

/// Puts an event, a JSON object with at least source, detail-type and detail; what else belongs to
/// the envelope of an event (id, time, account, region) is completed. `accepted` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn trunkline_event_put(
    bus: BusHandle,
    event: Bytes,
    event_length: usize,
    accepted: Out<EventAccepted>,
) -> Status {
    guard(|| {
        let size = if accepted.is_null() { None } else { Some(accepted.check_sized("accepted")?) };
        let bus = bus.get()?;
        let text = event.get(event_length, "event")?;
        let outcome = bus.bus.put(PutEvent::new(text))?;
        bus.settle(outcome.ticket)?;
        if let Some(size) = size {
            let described = EventAccepted {
                size,
                event_id: characters(&outcome.id),
                matched: outcome.matched.into(),
                delivered: outcome.delivered.into(),
                failed: outcome.failed.into(),
            };
            accepted.put_sized(described, size);
        }
        Ok(())
    })
}
