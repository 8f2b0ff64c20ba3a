//! Event buses, their archives and replays, as the surfaces see them.

use std::sync::Arc;

use trunkline_journal::Ticket;
use trunkline_types::{Code, Durability, ResourceId, ResourceName, Result};

use super::deliveries::Deliveries;
use crate::bus::{
    Archive, BUS, Bus, DEFAULT_BUS, PutOutcome, ReplayRequest, ReplayStatus, RuleStatus,
    ServiceEvent, TargetDefinition, no_such_bus,
};
use crate::engine::Engine;

/// The names of destinations that belong to targets start with this.
pub(super) const DESTINATION_PREFIX: &str = "rule-target/";
impl Engine {
    /// The event bus of this name, which is created if there is none; whether it was. It is applied
    /// when this returns, and durable with any later ticket.
    pub fn bus(&self, name: ResourceName, document: &[u8]) -> Result<(Arc<Bus>, bool)> {
        self.buses.get_or_create(name, document)
    }

    /// The event bus of this name.
    pub fn find_bus(&self, name: &ResourceName) -> Result<Option<Arc<Bus>>> {
        self.host().check_readable()?;
        Ok(self.host().directory.find(name))
    }

    /// The event bus of this id.
    pub fn bus_by_id(&self, id: ResourceId) -> Result<Arc<Bus>> {
        self.host().check_readable()?;
        self.host().directory.get(id).ok_or_else(|| no_such_bus(&id.0.to_string()))
    }

    /// The event buses of an account and region (`None`: of all) whose name starts with `prefix`,
    /// sorted.
    pub fn buses(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<Vec<Arc<Bus>>> {
        self.host().check_readable()?;
        Ok(self.host().directory.list(BUS, account, region, prefix))
    }

    /// Up to `limit` event buses of an account and region, in order of their names: those that
    /// start with `prefix` and come behind `after`. No other bus is read.
    pub fn bus_page(
        &self,
        (account, region): (&str, &str),
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Arc<Bus>>> {
        self.host().check_readable()?;
        let below = ResourceName::new(BUS, account, region, prefix);
        Ok(self.host().directory.page(&below, after, limit, |_| true))
    }

    /// Puts an event of a service on the default bus of its account and region; `None` where there
    /// is no such bus, hence no rule that could match. It is applied when this returns, and written
    /// to the disk in the background.
    ///
    /// To be called once what happened is settled, and with no lock that a delivery may need.
    pub fn emit_service_event(&self, event: &ServiceEvent<'_>) -> Result<Option<PutOutcome>> {
        let name = ResourceName::new(BUS, event.account, event.region, DEFAULT_BUS);
        let Some(bus) = self.find_bus(&name)? else { return Ok(None) };
        let outcome = bus.put_service_event(event, self.host().now())?;
        if outcome.ticket.is_some() {
            self.host().flush_in_background(Durability::Os)?;
        }
        Ok(Some(outcome))
    }

    /// Removes a bus with its rules and what was made for their targets.
    pub fn remove_bus(&self, bus: &Bus) -> Result<Option<Ticket>> {
        let _change = bus.begin_change();
        let (targets, ticket) = self.buses.remove(bus)?;
        self.remove_owned(targets.iter())?;
        Ok(ticket)
    }

    /// Removes an archive with its events and replays. One that is gone is a success.
    pub fn remove_archive(&self, bus: &Bus, name: &str) -> Result<Option<Ticket>> {
        self.buses.remove_archive(bus, name)
    }

    /// Starts to put events of an archive on its bus again.
    pub fn start_replay(
        &self,
        archive: &Archive,
        request: ReplayRequest,
    ) -> Result<(ReplayStatus, Option<Ticket>)> {
        self.host().check_writable()?;
        self.buses.replays().start(self.host(), archive, request)
    }

    /// Cancels a replay. One that has ended is left as it is.
    pub fn cancel_replay(&self, id: ResourceId) -> Result<Option<Ticket>> {
        self.host().check_writable()?;
        self.buses.replays().cancel(self.host(), id)
    }

    /// How a replay stands.
    pub fn replay(&self, id: ResourceId) -> Result<ReplayStatus> {
        self.host().check_readable()?;
        self.host().sweep_if_due(self.host().now());
        self.buses.replays().status(id)
    }

    /// The replays of an archive, newest first.
    pub fn replays(&self, archive: ResourceId) -> Result<Vec<ReplayStatus>> {
        self.host().check_readable()?;
        self.host().sweep_if_due(self.host().now());
        Ok(self.buses.replays().list(archive))
    }

    /// The rules of all buses that have a target at this resource.
    pub fn rules_of_target(&self, resource: ResourceId) -> Result<Vec<(Arc<Bus>, RuleStatus)>> {
        let mut found = Vec::new();
        for bus in self.buses(None, None, "")? {
            let leads = |rule: &RuleStatus| rule.targets.iter().any(|to| to.resource == resource);
            found.extend(bus.rules()?.into_iter().filter(leads).map(|rule| (bus.clone(), rule)));
        }
        Ok(found)
    }

    /// Gives the buses their router, goes on with replays, and removes destinations that no rule
    /// names.
    pub(crate) fn attach_buses(&self) -> Result<()> {
        self.buses.attach(Arc::new(Deliveries::new(self.host(), &self.authorization)));
        self.buses.replays().resume(self.host());
        let owned = self.buses.owned();
        for (name, id) in self.destinations()? {
            if name.starts_with(DESTINATION_PREFIX) && !owned.contains(&id) {
                self.remove_destination(id)?;
            }
        }
        Ok(())
    }

    pub(super) fn remove_owned<'a>(
        &self,
        targets: impl Iterator<Item = &'a TargetDefinition>,
    ) -> Result<()> {
        for target in targets.filter(|target| target.is_owned) {
            match self.remove_destination(target.resource) {
                Err(error) if error.code() == Code::ResourceNotFoundException => {}
                other => drop(other?),
            }
        }
        Ok(())
    }
}
