//! Task states.

use super::Compiler;
use super::fields::Fields;
use crate::integrations;
use crate::program::template::Template;
use crate::program::{Dynamic, Language, MachineType, Task};
use crate::resource::{Pattern, Resource};
use crate::value::Value;

impl Compiler<'_> {
    pub(super) fn task(&mut self, fields: &Fields<'_>, language: Language) -> Option<Task> {
        let resource = self.resource(fields);
        let seconds = (1, 99_999_999);
        let timeout = self.dynamic_integer(fields, "TimeoutSeconds", language, seconds);
        let heartbeat = self.dynamic_integer(fields, "HeartbeatSeconds", language, seconds);
        if let (Some(Dynamic::Given(heartbeat)), Some(Dynamic::Given(timeout))) =
            (&heartbeat, &timeout)
            && heartbeat.as_i64() >= timeout.as_i64()
        {
            self.finding(fields.here(), "HeartbeatSeconds must be smaller than TimeoutSeconds");
        }
        let credentials = self.credentials(fields, language);
        let input = match language {
            Language::JsonPath => "Parameters",
            Language::Jsonata => "Arguments",
        };
        // A token is made only where one is asked for or waited for.
        let names_token = fields.get(input).is_some_and(|input| input.to_string().contains("Task"));
        let resource = resource?;
        let needs_token = resource.pattern() == Pattern::WaitForTaskToken || names_token;
        Some(Task { resource, timeout, heartbeat, credentials, needs_token })
    }

    fn resource(&mut self, fields: &Fields<'_>) -> Option<Resource> {
        if !self.required(fields, "Resource") {
            return None;
        }
        let arn = self.string(fields, "Resource")?;
        let at = fields.at("Resource");
        let Some(resource) = Resource::parse(&arn) else {
            self.finding(at, "Value is not a valid resource ARN");
            return None;
        };
        if !integrations::is_known(&resource) {
            let message = format!(
                "The resource provided {arn} is not recognized. The value is not a valid \
                 resource ARN, or the resource is not available in this region."
            );
            self.finding(at, message);
            return None;
        }
        if self.machine == MachineType::Express {
            let refused = match (&resource, resource.pattern()) {
                (Resource::Activity { .. }, _) => {
                    Some("Express state machine does not support Activity ARN")
                }
                (_, Pattern::Sync | Pattern::Sync2) => {
                    Some("Express state machine does not support '.sync' service integration")
                }
                // The space at the end is AWS's.
                (_, Pattern::WaitForTaskToken) => Some(
                    "Express state machine does not support '.waitForTaskToken' service \
                     integration ",
                ),
                _ => None,
            };
            if let Some(message) = refused {
                self.finding(at, message);
                return None;
            }
        }
        Some(resource)
    }

    fn credentials(&mut self, fields: &Fields<'_>, language: Language) -> Option<Template> {
        match fields.get("Credentials")? {
            Value::Object(members) => {
                let inner = Fields::new(members, fields.at("Credentials"));
                if !inner.has("RoleArn") && !inner.has("RoleArn.$") {
                    self.finding(inner.here(), "The field 'RoleArn' is required but was missing");
                    return None;
                }
            }
            _ => {
                self.finding(fields.at("Credentials"), "Expected value of type [OBJECT]");
                return None;
            }
        }
        self.template(fields, "Credentials", language)
    }
}
