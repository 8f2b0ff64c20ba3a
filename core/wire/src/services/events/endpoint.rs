//! Global endpoints: PutEvents that names one goes to its primary region, for whatever region it is
//! signed.
//!
//! The control plane keeps of each what the data plane needs. That no region fails here, so that
//! nothing ever fails over, is said where endpoints are created.

use serde::Deserialize;
use trunkline_engine::{Engine, ResourceName};

use crate::error::{Result, WireError};

/// What the control plane keeps of an endpoint, under its account and its id.
#[derive(Debug, Deserialize)]
pub(super) struct Endpoint {
    /// Where its events go.
    pub primary: String,
    secondary: String,
    /// The name that its buses have in both regions.
    bus: String,
}

impl Endpoint {
    /// The endpoint of this id.
    pub fn find(engine: &Engine, account: &str, id: &str) -> Result<Self> {
        let document = engine.document(&format!("events/global-endpoint/{account}/{id}"));
        let found = document.and_then(|document| serde_json::from_slice(&document).ok());
        found.ok_or_else(|| {
            let text = format!("Endpoint {id} does not exist.");
            WireError::new("ResourceNotFoundException", 400, text)
        })
    }

    /// The bus that takes what an entry has for `named`: of its two buses the primary one.
    pub fn resolve(&self, named: ResourceName, account: &str) -> ResourceName {
        let is_other = named.region == self.secondary && named.name == self.bus;
        if is_other && &*named.account == account {
            return ResourceName::new(named.kind, account, &self.primary, &self.bus);
        }
        named
    }
}
