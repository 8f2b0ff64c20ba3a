//! Targets of a step that are no queues. Those whose kind can take part in the step do so; the
//! others take their message in a step of their own, behind it.

use std::sync::Arc;

use trunkline_host::{Accepted, Also, Host, Joined, Resource, Routed};
use trunkline_journal::Ticket;
use trunkline_types::{Code, Error, Millis, ResourceId, Result};

/// The targets of one step that are no queues, by resource, in the order of ids.
#[derive(Default)]
pub(super) struct Others<'a> {
    resources: Vec<Other<'a>>,
}

/// One resource, and its messages with their places among the sender's targets.
struct Other<'a> {
    id: ResourceId,
    resource: Arc<dyn Resource>,
    messages: Vec<Routed<'a>>,
    places: Vec<usize>,
}

/// The resources of a step that take part in it.
pub(super) struct JoinedOthers<'a>(Vec<(&'a Other<'a>, Option<Box<dyn Joined + 'a>>)>);

impl<'a> Others<'a> {
    /// Adds a message for a resource that exists; `place` says which target of the sender it is.
    pub fn add(&mut self, host: &Host, id: ResourceId, place: usize, routed: Routed<'a>) -> bool {
        let at = self.resources.binary_search_by_key(&id, |other| other.id);
        let other = match at {
            Ok(at) => &mut self.resources[at],
            Err(at) => {
                let Some(resource) = host.directory.any(id) else { return false };
                let (messages, places) = (Vec::new(), Vec::new());
                self.resources.insert(at, Other { id, resource, messages, places });
                &mut self.resources[at]
            }
        };
        other.messages.push(routed);
        other.places.push(place);
        true
    }

    /// Locks those that take part.
    pub fn join(&'a self, now: Millis) -> JoinedOthers<'a> {
        let join = |other: &'a Other<'a>| (other, other.resource.join(&other.messages, now));
        JoinedOthers(self.resources.iter().map(join).collect())
    }
}

impl<'a> JoinedOthers<'a> {
    /// What they append in the step.
    pub fn participants(&self) -> impl Iterator<Item = &dyn Also> {
        self.0.iter().filter_map(|(_, joined)| Some(&**joined.as_ref()? as &dyn Also))
    }

    /// Behind the step, with its ticket: tells `each` place what became of its message.
    pub fn settle(
        self,
        host: &Host,
        ticket: Option<Ticket>,
        each: &mut dyn FnMut(usize, Result<Accepted>),
    ) {
        for (other, joined) in self.0 {
            let mut results = match joined {
                Some(joined) => joined.settle(ticket),
                None => {
                    let apart = |routed: &Routed<'_>| host.deliver(other.id, routed);
                    other.messages.iter().map(apart).collect()
                }
            }
            .into_iter();
            for place in &other.places {
                each(*place, results.next().unwrap_or_else(left_out));
            }
        }
    }
}

/// Whether the target would take its message now.
pub(super) fn check(host: &Host, target: ResourceId, routed: &Routed<'_>) -> Result<()> {
    match host.directory.any(target) {
        Some(resource) => resource.check(routed),
        None => Err(Error::new(
            Code::ResourceNotFoundException,
            "The resource that the delivery is for does not exist. Create it, or name another \
             target.",
        )),
    }
}

#[cold]
pub(super) fn left_out<T>() -> Result<T> {
    Err(Error::new(Code::InternalError, "A target was left out."))
}
