//! Admission: what every call of a verb passes before the verb starts. The gate, the injected
//! faults, back-pressure and the clock are asked here and nowhere else.
//!
//! [`Host::try_admit`] never waits. A call that may not start yet is [`Held`], which says what to
//! wait for; a surface waits in its own way and calls [`Host::resume`]. [`Host::admit`] does both,
//! and blocks. Verbs take the [`Admitted`] that comes out, so none can be called without it.
//!
//! Rules of faults count calls: they are asked once, however often a call is resumed or tries.

use std::cell::Cell;

use trunkline_types::{Durability, Millis, ResourceName, Result};

use crate::faults::Verdict;
use crate::host::Host;
use crate::operation::{Needs, Operation};
use crate::settlement::Settling;

/// The right to carry out one call of an operation.
#[must_use = "the verb takes it"]
#[derive(Debug)]
pub struct Admitted {
    #[cfg(debug_assertions)]
    operation: Operation,
    needs: Needs,
    duplicate: bool,
    /// The time of the call, once the verb has asked for it; `UNREAD` until then.
    now: Cell<Millis>,
}

// Two words, so that a call costs two registers on its way to the verb.
#[cfg(not(debug_assertions))]
const _: () = assert!(size_of::<Admitted>() == 16);

const UNREAD: Millis = Millis::MAX;

/// Whether a call may start.
#[derive(Debug)]
pub enum Admission {
    /// It may.
    Ready(Admitted),
    /// It has to wait first.
    Held(Box<Held>),
}

/// A call that has to wait, and what has passed of its admission.
#[derive(Debug, Clone, Copy)]
pub struct Held {
    operation: Operation,
    duplicate: bool,
    waits_for: Settling,
}

impl Admitted {
    #[inline]
    fn new(operation: Operation, duplicate: bool) -> Self {
        Self {
            #[cfg(debug_assertions)]
            operation,
            needs: operation.needs,
            duplicate,
            now: Cell::new(UNREAD),
        }
    }

    /// The time of the call, read when it is first needed.
    #[inline]
    pub fn now(&self, host: &Host) -> Millis {
        if self.now.get() == UNREAD {
            self.now.set(host.now());
        }
        self.now.get()
    }

    /// Whether the call was admitted as this operation. A release build tells operations apart only
    /// by what they need.
    #[inline]
    pub fn is_for(&self, operation: Operation) -> bool {
        #[cfg(debug_assertions)]
        return self.operation == operation;
        #[cfg(not(debug_assertions))]
        return self.needs == operation.needs;
    }

    /// Whether a fault asks that delivered messages stay visible.
    #[inline]
    pub fn is_duplicate(&self) -> bool {
        self.duplicate
    }
}

impl Held {
    /// What to wait for: the end of an injected pause, or the writes of earlier calls. After that,
    /// also when it has failed, [`Host::resume`] tells whether the call may start.
    pub fn waits_for(&self) -> &Settling {
        &self.waits_for
    }
}

impl Host {
    /// Admits a call of `operation` on a resource, and blocks while it has to wait.
    #[inline(always)]
    pub fn admit(&self, operation: Operation, resource: &ResourceName) -> Result<Admitted> {
        match self.admit_at_once(operation) {
            Some(call) => Ok(call),
            None => self.admit_later(operation, resource),
        }
    }

    #[cold]
    fn admit_later(&self, operation: Operation, resource: &ResourceName) -> Result<Admitted> {
        self.wait_until_admitted(self.try_admit(operation, resource)?)
    }

    /// Admits a call of `operation` on a resource, or says what it has to wait for.
    #[inline]
    pub fn try_admit(&self, operation: Operation, resource: &ResourceName) -> Result<Admission> {
        self.check_needs(operation.needs)?;
        if self.faults.is_active() {
            return self.admit_with_faults(operation, resource);
        }
        self.admit_capacity(operation, false)
    }

    /// Admits a call that nothing holds up; `None`: [`Host::try_admit`] says what does. The short
    /// way of callers that admit a call for every message: what it returns stays in registers.
    #[inline(always)]
    pub fn admit_at_once(&self, operation: Operation) -> Option<Admitted> {
        let is_free = self.check_needs(operation.needs).is_ok()
            && !self.faults.is_active()
            && (operation.needs != Needs::Capacity || self.has_capacity());
        is_free.then(|| Admitted::new(operation, false))
    }

    /// Admits work of the engine's own, which no fault strikes.
    #[inline]
    pub fn admit_internal(&self, operation: Operation) -> Result<Admitted> {
        self.check_needs(operation.needs)?;
        self.wait_until_admitted(self.admit_capacity(operation, false)?)
    }

    /// Goes on with a call that was held, once what it waited for has come.
    pub fn resume(&self, held: &Held) -> Result<Admission> {
        self.check_needs(held.operation.needs)?;
        self.admit_capacity(held.operation, held.duplicate)
    }

    /// The time of an attempt of a call that may try more than once, as a long poll does. From the
    /// second attempt on the gate and the clock are asked again.
    #[inline]
    pub fn attempt(&self, admitted: &Admitted) -> Result<Millis> {
        if admitted.now.replace(UNREAD) != UNREAD {
            self.check_needs(admitted.needs)?;
        }
        Ok(admitted.now(self))
    }

    #[inline]
    fn check_needs(&self, needs: Needs) -> Result<()> {
        match needs {
            Needs::Reading => self.check_readable(),
            Needs::Writing | Needs::Capacity => self.check_writable(),
            Needs::Space => self.check_writable().and_then(|()| self.refuse_if_full()),
        }
    }

    #[inline]
    fn admit_capacity(&self, operation: Operation, duplicate: bool) -> Result<Admission> {
        if operation.needs == Needs::Capacity && !self.has_capacity() {
            return self.hold_for_capacity(operation, duplicate);
        }
        Ok(Admission::Ready(Admitted::new(operation, duplicate)))
    }

    #[cold]
    fn hold_for_capacity(&self, operation: Operation, duplicate: bool) -> Result<Admission> {
        self.check_healthy()?;
        if let Some(ticket) = self.unwritten() {
            let waits_for = Settling::write(ticket, Durability::Os);
            return Ok(Admission::Held(Box::new(Held { operation, duplicate, waits_for })));
        }
        // The journal's next segment is made here, if no other thread has: some milliseconds. Or
        // the disk is full, which this says.
        self.wait_for_capacity()?;
        Ok(Admission::Ready(Admitted::new(operation, duplicate)))
    }

    #[cold]
    fn admit_with_faults(
        &self,
        operation: Operation,
        resource: &ResourceName,
    ) -> Result<Admission> {
        let Verdict { delay, duplicate } = self.faults.check(operation, resource)?;
        if delay.is_zero() {
            return self.admit_capacity(operation, duplicate);
        }
        let waits_for = Settling::pause(delay);
        Ok(Admission::Held(Box::new(Held { operation, duplicate, waits_for })))
    }

    #[inline]
    fn wait_until_admitted(&self, admission: Admission) -> Result<Admitted> {
        match admission {
            Admission::Ready(admitted) => Ok(admitted),
            Admission::Held(held) => self.wait_for(*held),
        }
    }

    #[cold]
    fn wait_for(&self, mut held: Held) -> Result<Admitted> {
        loop {
            held.waits_for.wait(self)?;
            match self.resume(&held)? {
                Admission::Ready(admitted) => return Ok(admitted),
                Admission::Held(again) => held = *again,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use trunkline_journal::sim::SimStorage;
    use trunkline_types::{Clock, Code, ResourceKind};

    use super::*;
    use crate::codec::Encode;
    use crate::faults::{Effect, ResourcePattern, Rule};
    use crate::options::OpenOptions;

    const ADD: Operation = Operation::adds("add");
    const TAKE: Operation = Operation::writes("take");
    const DEFINE: Operation = Operation::defines("define");

    fn host(options: OpenOptions) -> Arc<Host> {
        Host::open(options, &[]).unwrap()
    }

    fn name() -> ResourceName {
        ResourceName::local(ResourceKind("thing"), "one")
    }

    fn strike(host: &Host, operation: Operation, effect: Effect) {
        let resource = ResourcePattern::of(name());
        host.faults.add(Rule { operation, resource, effect, after: 0, times: Some(1) });
    }

    fn ready(admission: Admission) -> Admitted {
        match admission {
            Admission::Ready(call) => call,
            Admission::Held(held) => panic!("{held:?}"),
        }
    }

    #[test]
    fn rules_are_asked_once_a_call_and_what_they_say_outlasts_the_wait() {
        let host = host(OpenOptions::memory());
        assert!(host.admit_at_once(TAKE).is_some_and(|call| call.is_for(TAKE)));
        strike(&host, TAKE, Effect::Delay(Duration::from_millis(1)));
        strike(&host, TAKE, Effect::Duplicate);
        assert!(host.admit_at_once(TAKE).is_none());
        let Admission::Held(held) = host.try_admit(TAKE, &name()).unwrap() else {
            panic!("a delay holds the call up")
        };
        assert!(held.waits_for().wait(&host).is_ok());
        assert!(ready(host.resume(&held).unwrap()).is_duplicate());
        assert!(host.faults.rules().is_empty());
        assert!(!host.admit(TAKE, &name()).unwrap().is_duplicate());
    }

    #[test]
    fn a_closed_engine_admits_nothing_and_asks_no_rule() {
        let host = host(OpenOptions::memory());
        strike(&host, ADD, Effect::Fail("no".into()));
        let call = host.admit(TAKE, &name()).unwrap();
        host.attempt(&call).unwrap();
        host.close().unwrap();
        for operation in [ADD, TAKE, DEFINE, Operation::reads("look")] {
            let refused = host.admit(operation, &name()).unwrap_err();
            assert_eq!(refused.code(), Code::EngineClosed, "{operation:?}");
            assert!(host.admit_at_once(operation).is_none(), "{operation:?}");
        }
        assert_eq!(host.attempt(&call).unwrap_err().code(), Code::EngineClosed);
        assert_eq!(host.faults.rules().len(), 1);
    }

    #[test]
    fn a_call_reads_the_clock_once_and_each_further_attempt_anew() {
        let clock = Arc::new(Clock::virtual_at(5));
        let host = host(OpenOptions { clock: clock.clone(), ..OpenOptions::memory() });
        let call = host.admit(TAKE, &name()).unwrap();
        assert_eq!(host.attempt(&call), Ok(5));
        clock.set(7);
        assert_eq!(call.now(&host), 5);
        assert_eq!(host.attempt(&call), Ok(7));
    }

    struct Large;

    impl Encode for Large {
        fn encode(&self, out: &mut Vec<u8>) {
            out.resize(300_000, 255);
        }
    }

    #[test]
    fn what_adds_content_waits_until_enough_is_written_and_nothing_else_does() {
        let storage = Some(Arc::new(SimStorage::new()) as _);
        // Without threads of its own nothing is written until a caller waits for it.
        let options = OpenOptions { storage, background: false, ..OpenOptions::memory() };
        let host = host(OpenOptions { durability: Durability::Disk, ..options });
        while host.has_capacity() {
            host.append().unwrap().append(&Large);
        }
        assert!(matches!(host.try_admit(TAKE, &name()).unwrap(), Admission::Ready(_)));
        let Admission::Held(held) = host.try_admit(ADD, &name()).unwrap() else {
            panic!("too much is unwritten")
        };
        assert!(matches!(host.resume(&held).unwrap(), Admission::Held(_)));
        assert!(host.admit_at_once(ADD).is_none() && host.admit_at_once(TAKE).is_some());
        held.waits_for().wait(&host).unwrap();
        assert!(ready(host.resume(&held).unwrap()).is_for(ADD));
    }
}
