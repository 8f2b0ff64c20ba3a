//! What a subscription is to be, in the core's units.

use pyo3::prelude::*;
use trunkline_engine::delivery::RetryTable;
use trunkline_engine::{NewSubscription, TargetResource, Transport};
use trunkline_types::{Millis, ResourceId};

use crate::error::invalid;

/// What a subscription is to be.
#[pyclass(frozen, module = "trunkline._core")]
pub(crate) struct SubscriptionSettings {
    target: TargetResource,
    raw: bool,
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
        retries_max=None, age_max=None, endpoint, name=None
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
    ) -> PyResult<Self> {
        let target = match (resource, url) {
            (Some(id), None) => TargetResource::Resource(ResourceId(id)),
            (None, Some(url)) => {
                let content_type = ("content-type".to_owned(), "text/plain; charset=UTF-8".into());
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
        let retry = is_given.then(|| table.with_age_max(age_max));
        Ok(Self { target, raw, filter, filters_body, dead_letter, retry, endpoint, name })
    }
}

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SubscriptionSettings>()
}
