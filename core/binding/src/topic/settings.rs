//! What a subscription is to be, in the core's units.

use pyo3::prelude::*;
use trunkline_engine::delivery::RetryTable;
use trunkline_engine::{NewSubscription, Protocol, TargetResource, Transport};
use trunkline_types::{Millis, ResourceId};

use crate::error::invalid;

/// The type of content that a URL gets unless its subscription says otherwise.
const TEXT: &str = "text/plain; charset=UTF-8";

/// What a subscription is to be.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct SubscriptionSettings {
    target: TargetResource,
    raw: bool,
    pending: bool,
    protocol: Protocol,
    filter: Option<String>,
    filters_body: bool,
    dead_letter: Option<ResourceId>,
    retry: Option<RetryTable>,
    endpoint: String,
    name: Option<String>,
}

impl SubscriptionSettings {
    pub fn as_new(&self) -> NewSubscription<'_> {
        NewSubscription {
            target: self.target.clone(),
            is_raw: self.raw,
            is_pending: self.pending,
            protocol: self.protocol,
            filter: self.filter.as_deref(),
            filters_body: self.filters_body,
            dead_letter: self.dead_letter,
            retry: self.retry.clone(),
            endpoint: &self.endpoint,
            name: self.name.as_deref(),
        }
    }
}

#[pymethods]
impl SubscriptionSettings {
    #[new]
    #[pyo3(signature = (
        *, resource=None, url=None, timeout, raw, filter=None, filters_body, dead_letter=None,
        retries_max=None, age_max=None, endpoint, name=None, pending=false, protocol="default",
        content_type=None, retry=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "each is a parameter of the Python method")]
    fn new(
        resource: Option<u32>,
        url: Option<String>,
        timeout: Millis,
        raw: bool,
        filter: Option<String>,
        filters_body: bool,
        dead_letter: Option<u32>,
        retries_max: Option<u32>,
        age_max: Option<Millis>,
        endpoint: String,
        name: Option<String>,
        pending: bool,
        protocol: &str,
        content_type: Option<String>,
        retry: Option<&crate::outbox::RetryTable>,
    ) -> PyResult<Self> {
        let protocol = Protocol::named(protocol)
            .ok_or_else(|| invalid(format!("There is no protocol {protocol:?}.")))?;
        let target = match (resource, url) {
            (Some(id), None) => TargetResource::Resource(ResourceId(id)),
            (None, Some(url)) => {
                let content_type = content_type.unwrap_or_else(|| TEXT.to_owned());
                let content_type = ("content-type".to_owned(), content_type);
                let (method, headers) = ("POST".to_owned(), vec![content_type]);
                TargetResource::Outside(Transport::Http { url, method, headers, timeout })
            }
            (None, None) => TargetResource::Outside(Transport::Handler { lease: timeout }),
            (Some(_), Some(_)) => {
                return Err(invalid("A subscription has one target.".to_owned()));
            }
        };
        let dead_letter = dead_letter.map(ResourceId);
        let is_given = retries_max.is_some() || age_max.is_some();
        let table = match &target {
            TargetResource::Outside(Transport::Handler { .. }) => RetryTable::sns_managed(),
            _ => RetryTable::sns_http(),
        };
        let table = retries_max.map_or(table.clone(), |retries| table.with_retries_max(retries));
        let bounded = is_given.then(|| table.with_age_max(age_max));
        let retry = retry.map(|retry| retry.0.clone()).or(bounded);
        Ok(Self {
            target,
            raw,
            pending,
            protocol,
            filter,
            filters_body,
            dead_letter,
            retry,
            endpoint,
            name,
        })
    }
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SubscriptionSettings>()
}
