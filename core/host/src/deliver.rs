//! What the host does with messages between resources: it hands them over, and has them rendered.

use trunkline_types::{Code, Error, ResourceId, Result};

use crate::host::Host;
use crate::rendering::{Content, Rendered, Renderer};
use crate::routing::{Accepted, HOPS_MAX, Routed, too_many_hops};

impl Host {
    /// Hands a message to a resource. It is applied when this returns, and durable with the ticket.
    ///
    /// The caller holds no lock of a resource. A message that was handed on [`HOPS_MAX`] times is
    /// refused: resources that deliver to each other in a circle would never end.
    pub fn deliver(&self, target: ResourceId, routed: &Routed<'_>) -> Result<Accepted> {
        if routed.hops >= HOPS_MAX {
            return Err(too_many_hops());
        }
        let resource = self.directory.any(target).ok_or_else(no_such_target)?;
        resource.accept(&Routed { hops: routed.hops + 1, ..*routed })
    }

    /// Renders `content`. Fails when the renderer is gone or cannot: the caller gives the delivery
    /// up, because another attempt would not end otherwise.
    pub fn render(&self, renderer: Renderer, content: &Content<'_>) -> Result<Rendered> {
        let resource = self.directory.any(renderer.resource).ok_or_else(no_such_renderer)?;
        resource.render(renderer.variant, content)
    }
}

#[cold]
fn no_such_target() -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        "The resource that the delivery is for does not exist. Create it, or name another target.",
    )
}

#[cold]
fn no_such_renderer() -> Error {
    Error::new(
        Code::ResourceNotFoundException,
        "The resource that renders the delivery does not exist any more.",
    )
}
