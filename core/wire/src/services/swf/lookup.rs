//! The domain that a request names, and answers that wait for the disk.

use std::sync::Arc;

use trunkline_engine::{DOMAIN, Domain, Engine, ResourceName, Ticket};

use super::errors;
use crate::error::{Result, WireError};
use crate::service::{Call, Finished};

/// The domain that a request names.
pub(super) fn domain(call: &Call<'_>, name: &str) -> Result<Arc<Domain>> {
    let name = ResourceName::new(DOMAIN, call.account, call.region, name);
    call.engine.domains().find(&name).map_err(errors::from_failure)
}

/// An answer that is handed out when what it tells of is durable.
pub(super) fn finish(
    engine: &Engine,
    domain: &Domain,
    ticket: Option<Ticket>,
    body: Vec<u8>,
) -> Result<Finished> {
    let settling = engine.host().begin_settle(domain.name(), ticket, engine.durability());
    let settling = settling.map_err(|error| WireError::from_engine(&error))?;
    Ok(Finished { output: body.into(), settling })
}
